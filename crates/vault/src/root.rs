//! The root key: 32 bytes that live outside the database. Where it is read from is the server's matter.

use std::fmt;

use crate::{
    Randomness, Value,
    aead::{AeadKey, KEY, NONCE},
    canonical::Canonical,
    derive::sealing_key,
    wipe::Wiped,
};

/// The root key: seals the master and each term's key, and nothing else. Wiped when dropped, and kept in one
/// place in memory meanwhile.
pub struct RootKey(Box<Wiped<KEY>>);

/// Why keys can't be used. No message shows any part of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text is not 64 characters long.
    #[error("the root key must be 64 hex digits (32 bytes), and this has {given} characters")]
    HexLength {
        /// Characters given, surrounding white space aside.
        given: usize,
    },
    /// A character is not a hex digit.
    #[error("the root key must be 64 hex digits, and character {position} is none")]
    HexDigit {
        /// Counted from 1, surrounding white space aside.
        position: usize,
    },
    /// The sealed master, which is the check value, does not open.
    #[error(
        "this root key is not the one the store was made with (its check value does not open); give the right root key"
    )]
    WrongRootKey,
    /// A term's key does not open although the root key is right.
    #[error(
        "the key of term v{term} does not open, although the root key is right: its row was altered; restore it from a backup"
    )]
    TermUnreadable {
        /// The term.
        term: u32,
    },
    /// A term is there twice.
    #[error("term v{term} is there twice; keep the row that opens and remove the other")]
    TermRepeated {
        /// The term.
        term: u32,
    },
    /// There is no term to seal with.
    #[error("the store holds no key term; restore the terms from a backup")]
    NoTerm,
    /// The highest term number there can be is in use.
    #[error(
        "term v{} is the last there can be; no further term can be added",
        u32::MAX
    )]
    LastTerm,
}

impl RootKey {
    /// From 32 bytes as they are. The caller's own copy stays the caller's to wipe.
    #[must_use]
    pub fn from_bytes(bytes: [u8; KEY]) -> Self {
        let mut key = Self::zeros();
        key.0.copy_from_slice(&bytes);
        key
    }

    /// From 64 hex digits, either case; surrounding white space is ignored.
    ///
    /// # Errors
    /// [`KeyError::HexLength`] or [`KeyError::HexDigit`].
    pub fn parse_hex(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        let given = text.chars().count();
        if given != 2 * KEY {
            return Err(KeyError::HexLength { given });
        }
        let mut key = Self::zeros();
        for (at, character) in text.chars().enumerate() {
            let digit = character
                .to_digit(16)
                .ok_or(KeyError::HexDigit { position: at + 1 })?;
            key.0[at / 2] = key.0[at / 2] << 4 | digit as u8;
        }
        Ok(key)
    }

    /// A new one, for first start.
    pub fn generate(rng: &mut impl Randomness) -> Self {
        let mut key = Self::zeros();
        rng.fill(&mut key.0[..]);
        key
    }

    /// 64 lower-case hex digits, to be written to the key file.
    #[must_use]
    pub fn to_hex(&self) -> Value {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = Value::zeros(2 * KEY);
        for (pair, byte) in text.bytes_mut().chunks_exact_mut(2).zip(self.0.iter()) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        text
    }

    /// A mark by which this root key is known again once another has replaced it. It holds no key and opens nothing.
    pub fn mark(&self, rng: &mut impl Randomness) -> Vec<u8> {
        let mut nonce = [0; NONCE];
        rng.fill(&mut nonce);
        self.sealing().seal(&nonce, &mark_aad(), &[])
    }

    /// Whether this root key has made `mark`.
    #[must_use]
    pub fn has_made(&self, mark: &[u8]) -> bool {
        self.sealing()
            .open_into(mark, &mark_aad(), &mut [])
            .is_some()
    }

    fn zeros() -> Self {
        Self(Box::new(Wiped::zeros()))
    }

    /// The key that seals under this root key.
    pub(crate) fn sealing(&self) -> AeadKey {
        sealing_key(&self.0)
    }
}

fn mark_aad() -> Canonical {
    Canonical::new("padclock/1 mark of a root key")
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey([REDACTED])")
    }
}

#[cfg(test)]
mod tests;
