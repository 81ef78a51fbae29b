//! Sealing and opening with the node's keyring.

use std::sync::Arc;

use padclock_api::{SecretId, WorkspaceId};
use padclock_vault::{EgressPolicy, Keyring, SealPlace, Sealed, Unreadable, Value};
use padclock_worker::{Opener, SealedSecret};

use crate::random::System;

/// The name of the sealed field: a secret's value.
const FIELD: &str = "value";

/// Opens secrets for the node's own worker.
#[derive(Debug)]
pub(crate) struct KeyringOpener(pub(crate) Arc<Keyring>);

impl Opener for KeyringOpener {
    fn open(&self, secret: &SealedSecret) -> Result<Value, Unreadable> {
        self.0.open(&secret.place(FIELD), &secret.sealed)
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
