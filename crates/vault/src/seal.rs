//! Sealing, opening and rewrapping one secret value. A value's bytes are under a data key of its own, which
//! a term's key wraps; both are bound to the place they belong to.

use crate::{
    Keyring, Randomness, Value,
    aead::{AeadKey, KEY, NONCE, OVERHEAD},
    canonical::Canonical,
    wipe::Wiped,
};

/// The place a value belongs to. What is sealed for one place opens in no other (the security contract,
/// "AAD of each seal").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealPlace<'a> {
    /// The workspace's id.
    pub workspace: [u8; 16],
    /// The secret's id.
    pub secret: [u8; 16],
    /// The secret's version, from 1.
    pub version: u32,
    /// Which field of the secret, such as `value`.
    pub field: &'a str,
    /// [`crate::EgressPolicy::hash`] of the secret's policy: an edited policy opens nothing.
    pub policy_hash: [u8; 32],
}

/// A sealed value, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The term whose key wraps the data key; shown as `key_version`. Changed by a rewrap.
    pub term: u32,
    /// The term at the time of sealing, which the value's own seal is bound to. Unchanged by a rewrap.
    pub origin_term: u32,
    /// The data key, wrapped: `nonce ‖ ciphertext ‖ tag`, 60 bytes.
    pub wrapped_key: Vec<u8>,
    /// The value: `nonce ‖ ciphertext ‖ tag`, 28 bytes longer than the value.
    pub ciphertext: Vec<u8>,
}

impl Sealed {
    /// The value's length in bytes, which sealing does not hide.
    #[must_use]
    pub fn value_len(&self) -> usize {
        self.ciphertext.len().saturating_sub(OVERHEAD)
    }
}

/// A value exists and does not open. It says nothing of the cause: to whoever altered a row, each cause
/// looks the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the secret's value exists and cannot be decrypted: its stored row or its policy was altered, or its key term is gone; set the value again"
)]
pub struct Unreadable;

impl Unreadable {
    /// The code that the API and executions show.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "secret_unreadable"
    }
}

impl Keyring {
    /// Seals `value` for `at`, under a new data key and the current term.
    pub fn seal(&self, at: &SealPlace<'_>, value: &Value, rng: &mut impl Randomness) -> Sealed {
        let term = self.current_term();
        // A data key and two nonces, drawn at once: a call for randomness costs as much as a seal.
        let mut fresh = Wiped::<{ KEY + 2 * NONCE }>::zeros();
        rng.fill(&mut *fresh);
        let (data_key, nonces) = fresh.split_at(KEY);
        let (wrap_nonce, value_nonce) = nonces.split_at(NONCE);
        Sealed {
            term,
            origin_term: term,
            wrapped_key: self
                .current_key()
                .seal(wrap_nonce, &wrap_aad(at, term), data_key),
            ciphertext: AeadKey::new(data_key).seal(
                value_nonce,
                &value_aad(at, term),
                value.bytes(),
            ),
        }
    }

    /// Opens what was sealed for `at`.
    ///
    /// # Errors
    /// [`Unreadable`] when anything differs: the place, the policy, a stored byte, the term or its key.
    pub fn open(&self, at: &SealPlace<'_>, sealed: &Sealed) -> Result<Value, Unreadable> {
        let mut data_key = Wiped::zeros();
        self.unwrap_key(at, sealed, &mut data_key)?;
        let aad = value_aad(at, sealed.origin_term);
        AeadKey::new(&*data_key)
            .open(&sealed.ciphertext, &aad)
            .ok_or(Unreadable)
    }

    /// Moves the data key to the current term. The value's own bytes are neither opened nor changed.
    ///
    /// # Errors
    /// [`Unreadable`] when the data key does not unwrap.
    pub fn rewrap(
        &self,
        at: &SealPlace<'_>,
        sealed: &Sealed,
        rng: &mut impl Randomness,
    ) -> Result<Sealed, Unreadable> {
        let mut data_key = Wiped::zeros();
        self.unwrap_key(at, sealed, &mut data_key)?;
        let term = self.current_term();
        let mut nonce = [0; NONCE];
        rng.fill(&mut nonce);
        Ok(Sealed {
            term,
            origin_term: sealed.origin_term,
            wrapped_key: self
                .current_key()
                .seal(&nonce, &wrap_aad(at, term), &*data_key),
            ciphertext: sealed.ciphertext.clone(),
        })
    }

    /// Seals the value of `from` again for `to`, under a new data key and the current term: how an earlier version becomes
    /// a new one, and how a value gets another policy. The value does not leave the vault.
    ///
    /// # Errors
    /// [`Unreadable`] when it does not open for `from`.
    pub fn reseal_value(
        &self,
        from: &SealPlace<'_>,
        to: &SealPlace<'_>,
        sealed: &Sealed,
        rng: &mut impl Randomness,
    ) -> Result<Sealed, Unreadable> {
        let value = self.open(from, sealed)?;
        Ok(self.seal(to, &value, rng))
    }

    fn unwrap_key(
        &self,
        at: &SealPlace<'_>,
        sealed: &Sealed,
        data_key: &mut Wiped<KEY>,
    ) -> Result<(), Unreadable> {
        let term_key = self.term_key(sealed.term).ok_or(Unreadable)?;
        let aad = wrap_aad(at, sealed.term);
        term_key
            .open_into(&sealed.wrapped_key, &aad, &mut **data_key)
            .ok_or(Unreadable)
    }
}

fn wrap_aad(at: &SealPlace<'_>, term: u32) -> Canonical {
    aad("padclock/1 data key", at, term)
}

fn value_aad(at: &SealPlace<'_>, origin_term: u32) -> Canonical {
    aad("padclock/1 value", at, origin_term)
}

/// Format version and use, workspace, secret, version, field, term, policy: in this order, for ever.
#[inline]
fn aad(domain: &str, at: &SealPlace<'_>, term: u32) -> Canonical {
    let mut list = Canonical::new(domain);
    list.field(&at.workspace)
        .field(&at.secret)
        .field(&at.version.to_be_bytes())
        .field(at.field.as_bytes())
        .field(&term.to_be_bytes())
        .field(&at.policy_hash);
    list
}

#[cfg(test)]
mod tests;
