//! What this crate's tests share: randomness that can be repeated, and a place to seal for.

use crate::{Keyring, Randomness, RootKey, SealPlace, SealedMaster, SealedTerm};

/// SplitMix64: every run the same, every seed different.
pub(crate) struct Seeded(pub(crate) u64);

impl Randomness for Seeded {
    fn fill(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

/// A root key from a seed.
pub(crate) fn root(seed: u64) -> RootKey {
    RootKey::generate(&mut Seeded(seed))
}

/// A store's first start under `root(seed)`.
pub(crate) fn created(seed: u64) -> (Keyring, SealedMaster, SealedTerm) {
    Keyring::create(&root(seed), &mut Seeded(seed ^ 0xff))
}

/// A place whose fields all differ.
pub(crate) fn place() -> SealPlace<'static> {
    SealPlace {
        workspace: [1; 16],
        secret: [2; 16],
        version: 3,
        field: "value",
        policy_hash: [4; 32],
    }
}

/// Bytes from hex digits.
pub(crate) fn hex(digits: &str) -> Vec<u8> {
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect()
}
