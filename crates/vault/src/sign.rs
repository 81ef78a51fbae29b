//! Ed25519 (RFC 8032) under a key that HKDF makes from the master: what is signed can be checked by whoever has the
//! public key, and by no other secret. What is signed is not known here.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use crate::aead::KEY;
use crate::derive::signing_seed;

/// The length of a signature.
pub const SIGNATURE: usize = 64;

/// The key that signs the heads of the audit chains (the security contract, "Audit").
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// The key that `master` gives.
    #[expect(
        clippy::expect_used,
        reason = "a seed is refused for its length alone, and this is of the right one"
    )]
    pub(crate) fn new(master: &[u8; KEY]) -> Self {
        let seed = signing_seed(master);
        Self(Ed25519KeyPair::from_seed_unchecked(&*seed).expect("32 bytes"))
    }

    /// The signature of these bytes.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; SIGNATURE] {
        let mut out = [0; SIGNATURE];
        out.copy_from_slice(self.0.sign(message).as_ref());
        out
    }

    /// What others check signatures with.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        let mut bytes = [0; KEY];
        bytes.copy_from_slice(self.0.public_key().as_ref());
        PublicKey(bytes)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public())
    }
}

/// The public half of a [`SigningKey`]; shown as 64 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey([u8; KEY]);

impl PublicKey {
    /// Whether `signature` is this key's for `message`.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0)
            .verify(message, signature)
            .is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The text is no public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a public key is 64 hex digits")]
pub struct BadPublicKey;

impl FromStr for PublicKey {
    type Err = BadPublicKey;

    fn from_str(text: &str) -> Result<Self, BadPublicKey> {
        let text = text.trim().as_bytes();
        let mut bytes = [0; KEY];
        if text.len() != 2 * KEY {
            return Err(BadPublicKey);
        }
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            let digit = |at: usize| char::from(pair[at]).to_digit(16).ok_or(BadPublicKey);
            *byte = u8::try_from(digit(0)? * 16 + digit(1)?).map_err(|_| BadPublicKey)?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    /// RFC 8032, section 7.1, test 2.
    #[test]
    fn known_answer() {
        let seed = hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
        let key = SigningKey(Ed25519KeyPair::from_seed_unchecked(&seed).unwrap());
        let public = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
        assert_eq!(key.public().to_string(), public);
        let expected = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
        assert_eq!(key.sign(&[0x72]).to_vec(), hex(expected));
    }

    #[test]
    fn a_signature_is_of_one_message_and_one_key() {
        let (key, other) = (SigningKey::new(&[1; KEY]), SigningKey::new(&[2; KEY]));
        let signature = key.sign(b"head");
        assert!(key.public().verify(b"head", &signature));
        assert!(!key.public().verify(b"Head", &signature));
        assert!(!other.public().verify(b"head", &signature));
        assert!(!key.public().verify(b"head", &signature[1..]));
    }

    #[test]
    fn a_public_key_is_read_as_it_is_shown() {
        let public = SigningKey::new(&[1; KEY]).public();
        assert_eq!(format!(" {public}\n").parse(), Ok(public));
        for bad in ["", "12", &"g".repeat(64), &"1".repeat(65), &"é".repeat(32)] {
            assert_eq!(bad.parse::<PublicKey>(), Err(BadPublicKey), "{bad}");
        }
    }
}
