//! Passwords: what they must be, and their argon2id hashes (RFC 9106). Hashing costs memory and time on purpose, so only so
//! many are made at once.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use padclock_vault::{Randomness, Value};
use tokio::sync::Semaphore;

use crate::failure::{Answer, Failure};
use crate::random::System;

/// In characters. Length is what makes a password hard to guess; nothing else is asked of it.
pub(crate) const SHORTEST: usize = 12;
/// In bytes.
const LONGEST: usize = 1_024;
/// KiB of memory, passes and lanes.
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);
/// Hashes made at once, and how many may wait or be made.
static PLACES: Semaphore = Semaphore::const_new(2);
static QUEUE: Semaphore = Semaphore::const_new(32);

fn argon() -> Option<Argon2<'static>> {
    let params = Params::new(COST.0, COST.1, COST.2, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// What is wrong with a password that somebody wants to have.
pub(crate) fn problem(password: &Value) -> Option<String> {
    let characters = bytes(password)
        .iter()
        .filter(|byte| !(0x80..0xC0).contains(*byte))
        .count();
    if characters < SHORTEST {
        return Some(format!(
            "The password must have at least {SHORTEST} characters."
        ));
    }
    (password.len() > LONGEST).then(|| format!("The password must have at most {LONGEST} bytes."))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a password is hashed, and compared with its hash"
)]
fn bytes(password: &Value) -> &[u8] {
    password.expose()
}

async fn apart<T: Send + 'static>(work: impl FnOnce() -> Option<T> + Send + 'static) -> Answer<T> {
    let unavailable = || {
        Failure::new(
            padclock_api::ErrorCode::Internal,
            "the password could not be hashed",
        )
    };
    let _waits = QUEUE.try_acquire().map_err(|_| {
        Failure::new(
            padclock_api::ErrorCode::Unavailable,
            "too many sign in at once; try again in a moment",
        )
    })?;
    let place = PLACES.acquire().await.map_err(|_| unavailable())?;
    let done = tokio::task::spawn_blocking(work).await;
    drop(place);
    done.ok().flatten().ok_or_else(unavailable)
}

/// A password's hash, in the PHC string format.
pub(crate) async fn hash(password: Value) -> Answer<String> {
    apart(move || {
        let mut salt = [0; 16];
        System::default().fill(&mut salt);
        let salt = SaltString::encode_b64(&salt).ok()?;
        let hash = argon()?.hash_password(bytes(&password), &salt).ok()?;
        Some(hash.to_string())
    })
    .await
}

/// Whether a password is the one of this hash. Without a hash it takes as long, and the answer is no: how long it takes
/// does not tell whether there is such a user.
pub(crate) async fn matches(password: Value, stored: Option<String>) -> Answer<bool> {
    if password.len() > LONGEST {
        return Ok(false);
    }
    apart(move || {
        let argon = argon()?;
        let Some(stored) = stored else {
            let mut out = [0; 32];
            argon
                .hash_password_into(bytes(&password), b"nobody's salt...", &mut out)
                .ok()?;
            return Some(false);
        };
        let hash = PasswordHash::new(&stored).ok()?;
        Some(argon.verify_password(bytes(&password), &hash).is_ok())
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_matches_its_own_hash_and_no_other() {
        let password = || Value::new("correct horse battery");
        let stored = hash(password()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_ne!(stored, hash(password()).await.unwrap(), "each has its salt");
        assert!(matches(password(), Some(stored.clone())).await.unwrap());
        let other = Value::new("correct horse batterz");
        assert!(!matches(other, Some(stored)).await.unwrap());
        assert!(!matches(password(), None).await.unwrap());
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert!(problem(&Value::new("elevenchars")).is_some());
        assert!(problem(&Value::new("twelve chars")).is_none());
        assert!(problem(&Value::new("äöüäöüäöüäöü")).is_none());
        assert!(problem(&Value::new("äöüäöüäöüäö")).is_some());
        assert!(problem(&Value::new("x".repeat(1_024))).is_none());
        assert!(problem(&Value::new("x".repeat(1_025))).is_some());
    }
}
