//! With real seals: a secret opens for the place and policy it was sealed for, and for no other.

use std::sync::Arc;

use padclock_vault::{EgressPolicy, Keyring, Randomness, RootKey, Unreadable, Value};
use padclock_worker::{End, Opener, SealedSecret};

use crate::support::target::{Reply, Target};
use crate::support::{Case, code};

const FIELD: &str = "value";

/// Opens as the server does.
struct ByKeyring(Keyring);

impl Opener for ByKeyring {
    fn open(&self, secret: &SealedSecret) -> Result<Value, Unreadable> {
        self.0.open(&secret.place(FIELD), &secret.sealed)
    }
}

/// Bytes that differ, which is all that a test needs.
struct Counting(u8);

impl Randomness for Counting {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            self.0 = self.0.wrapping_mul(5).wrapping_add(7);
            *byte = self.0;
        }
    }
}

fn policy(path: &str) -> EgressPolicy {
    EgressPolicy {
        schemes: vec!["http".to_owned()],
        path_prefixes: vec![path.to_owned()],
        ..EgressPolicy::default()
    }
}

/// A case whose secret was sealed with a policy for `/sealed`, and whose row now says `stored`.
fn case(url: String, stored: &EgressPolicy) -> (Case, Arc<ByKeyring>) {
    let mut random = Counting(1);
    let (keyring, _, _) = Keyring::create(&RootKey::from_bytes([7; 32]), &mut random);
    let mut case =
        Case::get(url)
            .header("X-Key", "secret://KEY")
            .bound("KEY", "", Some(policy("/sealed")));
    for secret in &mut case.secrets {
        let value = Value::new(b"sealed-for-this-place".to_vec());
        secret.sealed = keyring.seal(&secret.place(FIELD), &value, &mut random);
        secret.policy = Some(stored.clone());
        secret.policy_hash = EgressPolicy::hash(Some(stored));
    }
    (case, Arc::new(ByKeyring(keyring)))
}

#[tokio::test]
async fn a_sealed_secret_reaches_the_target() {
    let mut target = Target::new(|_| Reply::ok("")).await;
    let (case, opener) = case(target.url("/sealed"), &policy("/sealed"));
    let done = case.run_with(opener).await;
    assert_eq!(done.end, End::Succeeded);
    assert_eq!(
        target.request().await.header("x-key"),
        "sealed-for-this-place"
    );
}

#[tokio::test]
async fn a_policy_that_was_edited_in_the_store_opens_nothing() {
    let mut target = Target::new(|_| Reply::ok("")).await;
    let (case, opener) = case(target.url("/elsewhere"), &policy("/elsewhere"));
    assert_eq!(code(&case.run_with(opener).await), "secret_unreadable");
    assert!(target.seen.try_recv().is_err(), "nothing was sent");
}
