//! Keys by label: HKDF-SHA-256 (RFC 5869), and HMAC-SHA-256 under the keys it makes. What the labels mean
//! to others is not known here.

use std::fmt;

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    hkdf::{self, KeyType, Salt},
    hmac,
};

use crate::{
    aead::{AeadKey, KEY},
    wipe::Wiped,
};

/// The salt of every derivation: it separates Padclock's keys from those another program might derive from
/// the same 32 bytes.
const SALT: &[u8] = b"padclock key derivation, format 1";
/// HKDF's `info` for the seed of the key that signs audit heads. Signatures depend on it: never change it.
const SIGNING: &[u8] = b"padclock/1 audit signing key";
/// HKDF's `info` for the key that seals under a root key.
const ROOT_SEALING: &[u8] = b"padclock/1 root sealing key";

/// What a derived key is for. Each has its own HKDF label (the security contract, "Keys").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// Tags of opaque references.
    Reference,
    /// The audit chain.
    Audit,
    /// Keyed hashes under which API tokens are stored.
    TokenLookup,
    /// Session cookies.
    Cookie,
}

impl Label {
    /// All of them, in the order of their numbers.
    pub(crate) const ALL: [Label; 4] = [
        Label::Reference,
        Label::Audit,
        Label::TokenLookup,
        Label::Cookie,
    ];

    /// HKDF's `info`. Stored tags depend on it: never change one.
    fn info(self) -> &'static [u8] {
        match self {
            Label::Reference => b"padclock/1 reference key",
            Label::Audit => b"padclock/1 audit key",
            Label::TokenLookup => b"padclock/1 token-lookup key",
            Label::Cookie => b"padclock/1 cookie key",
        }
    }
}

/// A key for HMAC-SHA-256 with its context ready: a call pays for its own bytes only.
pub struct DerivedKey(hmac::Key);

impl DerivedKey {
    /// The key that `master` gives under `label`.
    pub(crate) fn new(master: &[u8; KEY], label: Label) -> Self {
        let mut key = Wiped::zeros();
        hkdf_sha256(SALT, master, label.info(), &mut key);
        Self(hmac::Key::new(hmac::HMAC_SHA256, &*key))
    }

    /// HMAC-SHA-256 over `parts`, each with its length in front as a big-endian `u64`, so that the borders
    /// between parts count.
    #[must_use]
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut out = [0; 32];
        out.copy_from_slice(context.sign().as_ref());
        out
    }

    /// Whether `tag` is the tag of `parts`. In constant time for a tag of 32 bytes; any other length is
    /// refused.
    #[must_use]
    pub fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        verify_slices_are_equal(&self.mac(parts), tag).is_ok()
    }
}

impl fmt::Debug for DerivedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DerivedKey([REDACTED])")
    }
}

/// The key that seals under a root key: the root key itself never touches a cipher.
pub(crate) fn sealing_key(root: &[u8; KEY]) -> AeadKey {
    let mut key = Wiped::zeros();
    hkdf_sha256(SALT, root, ROOT_SEALING, &mut key);
    AeadKey::new(&*key)
}

/// The seed of the key that signs audit heads.
pub(crate) fn signing_seed(master: &[u8; KEY]) -> Wiped<KEY> {
    let mut seed = Wiped::zeros();
    hkdf_sha256(SALT, master, SIGNING, &mut seed);
    seed
}

/// The length HKDF is asked for.
struct KeyLength;

impl KeyType for KeyLength {
    fn len(&self) -> usize {
        KEY
    }
}

/// HKDF-SHA-256, extract and expand, to 32 bytes.
#[expect(
    clippy::expect_used,
    reason = "HKDF refuses only outputs longer than 255 hashes; this is one"
)]
fn hkdf_sha256(salt: &[u8], secret: &[u8], info: &[u8], out: &mut [u8; KEY]) {
    Salt::new(hkdf::HKDF_SHA256, salt)
        .extract(secret)
        .expand(&[info], KeyLength)
        .and_then(|okm| okm.fill(out))
        .expect("one hash of output");
}

#[cfg(test)]
mod tests;
