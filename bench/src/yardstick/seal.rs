//! Bare aws-lc-rs: the two AES-256-GCM operations that a seal or an open is made of, one HMAC-SHA-256, and the system's
//! random numbers.

use anyhow::{Result, anyhow};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};

/// Bytes of a value.
pub const VALUE: usize = 64;
/// Bytes of a data key, a nonce for it and one for the value.
pub const FRESH: usize = KEY + 2 * NONCE_LEN;
const KEY: usize = 32;
const TAG: usize = 16;
/// As long as what Padclock binds a seal to: format, workspace, secret, version, field, term and policy, with lengths.
const BOUND: [u8; 150] = [7; 150];

/// Fills from the operating system.
///
/// # Errors
/// When it gives none.
pub fn random(out: &mut [u8]) -> Result<()> {
    SystemRandom::new()
        .fill(out)
        .map_err(|_| anyhow!("the operating system gives no random numbers"))
}

/// So many random bytes as hex digits.
///
/// # Errors
/// When the operating system gives none.
pub fn random_hex(bytes: usize) -> Result<String> {
    let mut raw = vec![0; bytes];
    random(&mut raw)?;
    Ok(raw.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A ready wrapping key.
pub struct Wrapping(LessSafeKey);

/// A wrapped data key and a value sealed under it, each with its nonce and tag.
#[derive(Clone)]
pub struct Bare {
    nonces: [[u8; NONCE_LEN]; 2],
    key: [u8; KEY + TAG],
    value: [u8; VALUE + TAG],
}

fn schedule(key: &[u8]) -> Result<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, key)
        .map(LessSafeKey::new)
        .map_err(|_| anyhow!("not a key"))
}

fn seal_in_place(key: &LessSafeKey, nonce: [u8; NONCE_LEN], buffer: &mut [u8]) -> Result<()> {
    let at = buffer.len() - TAG;
    let (text, room) = buffer.split_at_mut(at);
    let tag = key.seal_in_place_separate_tag(
        Nonce::assume_unique_for_key(nonce),
        Aad::from(&BOUND),
        text,
    );
    room.copy_from_slice(tag.map_err(|_| anyhow!("not sealed"))?.as_ref());
    Ok(())
}

fn open_in_place(key: &LessSafeKey, nonce: [u8; NONCE_LEN], buffer: &mut [u8]) -> Result<()> {
    let opened = key.open_in_place(
        Nonce::assume_unique_for_key(nonce),
        Aad::from(&BOUND),
        buffer,
    );
    opened.map(drop).map_err(|_| anyhow!("not opened"))
}

impl Wrapping {
    /// A new one.
    ///
    /// # Errors
    /// When there are no random numbers.
    pub fn new() -> Result<Self> {
        let mut key = [0; KEY];
        random(&mut key)?;
        Ok(Self(schedule(&key)?))
    }

    /// Wraps the fresh data key and seals the value under it; nothing is allocated.
    ///
    /// # Errors
    /// Never, with a key and a text of these sizes.
    pub fn seal(&self, fresh: &[u8; FRESH], value: &[u8; VALUE]) -> Result<Bare> {
        let mut bare = Bare {
            nonces: [[0; NONCE_LEN]; 2],
            key: [0; KEY + TAG],
            value: [0; VALUE + TAG],
        };
        let (key, nonces) = fresh.split_at(KEY);
        bare.nonces[0].copy_from_slice(&nonces[..NONCE_LEN]);
        bare.nonces[1].copy_from_slice(&nonces[NONCE_LEN..]);
        bare.key[..KEY].copy_from_slice(key);
        bare.value[..VALUE].copy_from_slice(value);
        seal_in_place(&self.0, bare.nonces[0], &mut bare.key)?;
        seal_in_place(&schedule(key)?, bare.nonces[1], &mut bare.value)?;
        Ok(bare)
    }

    /// Unwraps the data key and opens the value.
    ///
    /// # Errors
    /// When it was not sealed so.
    pub fn open(&self, bare: &Bare) -> Result<[u8; VALUE]> {
        let (mut key, mut value) = (bare.key, bare.value);
        open_in_place(&self.0, bare.nonces[0], &mut key)?;
        open_in_place(&schedule(&key[..KEY])?, bare.nonces[1], &mut value)?;
        let mut plain = [0; VALUE];
        plain.copy_from_slice(&value[..VALUE]);
        Ok(plain)
    }
}

/// A ready HMAC-SHA-256 key.
pub struct Mac(hmac::Key);

impl Mac {
    /// A new one.
    ///
    /// # Errors
    /// When there are no random numbers.
    pub fn new() -> Result<Self> {
        let mut key = [0; KEY];
        random(&mut key)?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &key)))
    }

    /// One HMAC.
    pub fn tag(&self, text: &[u8]) -> hmac::Tag {
        hmac::sign(&self.0, text)
    }
}

#[cfg(test)]
mod tests;
