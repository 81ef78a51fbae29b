//! Sealing and opening with the node's keyring.

use std::sync::{Arc, PoisonError, RwLock};

use padclock_api::{SecretId, WorkspaceId};
use padclock_vault::{EgressPolicy, Keyring, SealPlace, Sealed, Unreadable, Value};
use padclock_worker::{Opener, SealedSecret};

use crate::random::System;

/// The name of the sealed field: a secret's value.
const FIELD: &str = "value";

/// The node's keyring, which a new term replaces while the node runs.
#[derive(Debug)]
pub(crate) struct Keyrings(RwLock<Arc<Keyring>>);

impl Keyrings {
    pub(crate) fn new(keyring: Arc<Keyring>) -> Self {
        Self(RwLock::new(keyring))
    }

    /// The keyring of this moment. Its derived keys are the same in all of them.
    pub(crate) fn now(&self) -> Arc<Keyring> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Opens secrets for the node's own worker.
#[derive(Debug)]
pub(crate) struct KeyringOpener(pub(crate) Arc<Keyrings>);

impl Opener for KeyringOpener {
    fn open(&self, secret: &SealedSecret) -> Result<Value, Unreadable> {
        self.0.now().open(&secret.place(FIELD), &secret.sealed)
    }
}

/// Opens a secret's current version. Its record must be durable.
pub(crate) fn open(
    keyring: &Keyring,
    secret: &padclock_store::SealedSecret,
) -> Result<Value, Unreadable> {
    keyring.open(&place(secret), &secret.sealed)
}

/// Seals a version's value again as another version of the same secret.
pub(crate) fn reseal(
    keyring: &Keyring,
    from: &padclock_store::SealedSecret,
    version: u32,
) -> Result<Sealed, Unreadable> {
    let at = place(from);
    let to = SealPlace { version, ..at };
    keyring.reseal_value(&at, &to, &from.sealed, &mut System::default())
}

/// What a stored version is sealed for, under the policy of now.
fn place(secret: &padclock_store::SealedSecret) -> SealPlace<'static> {
    SealPlace {
        workspace: *secret.workspace.bytes(),
        secret: *secret.id.bytes(),
        version: secret.version,
        field: FIELD,
        policy_hash: secret.policy_hash,
    }
}

/// What a value is sealed for.
pub(crate) struct SealFor<'a> {
    pub(crate) workspace: WorkspaceId,
    pub(crate) secret: SecretId,
    pub(crate) version: u32,
    pub(crate) egress: Option<&'a EgressPolicy>,
}

/// Seals a value for its place.
pub(crate) fn seal(keyring: &Keyring, place: &SealFor<'_>, value: &Value) -> Sealed {
    let at = SealPlace {
        workspace: *place.workspace.bytes(),
        secret: *place.secret.bytes(),
        version: place.version,
        field: FIELD,
        policy_hash: EgressPolicy::hash(place.egress),
    };
    keyring.seal(&at, value, &mut System::default())
}

/// Seals a stored value anew, under another policy, as the version after it.
pub(crate) fn rebind(
    keyring: &Keyring,
    stored: &padclock_store::SealedSecret,
    egress: Option<&EgressPolicy>,
) -> Result<Sealed, Unreadable> {
    let from = place(stored);
    let to = SealPlace {
        version: stored.version + 1,
        policy_hash: EgressPolicy::hash(egress),
        ..from
    };
    keyring.reseal_value(&from, &to, &stored.sealed, &mut System::default())
}

/// Whether a stored value is sealed for the place and under the policy that its row tells. Only its data key is unwrapped.
pub(crate) fn opens(keyring: &Keyring, stored: &padclock_store::SealedSecret) -> bool {
    let rewrapped = keyring.rewrap(&place(stored), &stored.sealed, &mut System::default());
    rewrapped.is_ok()
}
