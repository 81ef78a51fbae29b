//! AES-256-GCM over whole buffers: `nonce (12) ‖ ciphertext ‖ tag (16)`. Nothing here knows what is sealed.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::{Value, canonical::Canonical};

/// Bytes of an AES-256 key.
pub(crate) const KEY: usize = 32;
/// Bytes of a nonce: 96 bits, random.
pub(crate) const NONCE: usize = NONCE_LEN;
/// Bytes of an authentication tag.
pub(crate) const TAG: usize = 16;

/// What a sealed buffer is longer than its plain bytes.
pub(crate) const OVERHEAD: usize = NONCE + TAG;

/// A ready AES-256-GCM key; its schedule is wiped when dropped.
pub(crate) struct AeadKey(LessSafeKey);

impl AeadKey {
    /// Makes the key schedule of [`KEY`] bytes.
    #[inline]
    #[expect(
        clippy::expect_used,
        reason = "32 bytes is the length AES-256 takes; nothing else can fail but memory"
    )]
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self(LessSafeKey::new(
            UnboundKey::new(&AES_256_GCM, bytes).expect("a 32-byte key"),
        ))
    }

    /// Seals `plain` into a new buffer. `nonce`, of [`NONCE`] bytes, must be random for each call.
    #[inline]
    #[expect(
        clippy::expect_used,
        reason = "nonces are 12 bytes here, and GCM refuses only texts of 64 GiB and more"
    )]
    pub(crate) fn seal(&self, nonce: &[u8], aad: &Canonical, plain: &[u8]) -> Vec<u8> {
        let mut sealed = vec![0; plain.len() + OVERHEAD];
        let (front, rest) = sealed.split_at_mut(NONCE);
        let (body, tag) = rest.split_at_mut(plain.len());
        front.copy_from_slice(nonce);
        let nonce = Nonce::try_assume_unique_for_key(nonce).expect("a 12-byte nonce");
        self.0
            .seal_out_of_place_scatter(nonce, Aad::from(aad.as_bytes()), plain, body, &[], tag)
            .expect("a text that fits in memory");
        sealed
    }

    /// Opens into `plain`, which must have [`opened_len`]'s length. On `None`, `plain` holds nothing of use
    /// and is to be dropped.
    #[inline]
    pub(crate) fn open_into(&self, sealed: &[u8], aad: &Canonical, plain: &mut [u8]) -> Option<()> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE>()?;
        let (body, tag) = rest.split_last_chunk::<TAG>()?;
        if body.len() != plain.len() {
            return None;
        }
        self.0
            .open_separate_gather(
                Nonce::from(nonce),
                Aad::from(aad.as_bytes()),
                body,
                tag,
                plain,
            )
            .ok()
    }

    /// Opens into a value of its own.
    #[inline]
    pub(crate) fn open(&self, sealed: &[u8], aad: &Canonical) -> Option<Value> {
        let mut value = Value::zeros(opened_len(sealed)?);
        self.open_into(sealed, aad, value.bytes_mut())?;
        Some(value)
    }
}

/// How many plain bytes a sealed buffer holds; `None` when it is too short to be one.
#[inline]
pub(crate) fn opened_len(sealed: &[u8]) -> Option<usize> {
    sealed.len().checked_sub(OVERHEAD)
}

#[cfg(test)]
mod tests;
