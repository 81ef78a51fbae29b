//! API tokens, `pck_`, and the tokens in links that work once, `pcl_`: 30 random base62 characters, and a checksum by
//! which a scanner can tell one from a look-alike without asking anyone. Whose a token is, is the store's matter.

use crate::{DerivedKey, Randomness, Value, wipe::Wiped};

/// What a token begins with.
pub const PREFIX: &str = "pck_";
/// What the token in a link begins with.
pub const LINK_PREFIX: &str = "pcl_";
/// The length of either in bytes.
pub const LEN: usize = PREFIX.len() + RANDOM + CHECKSUM;

/// Random characters: 30 of 62 are 178 bits.
const RANDOM: usize = 30;
/// Characters of the checksum; six of 62 hold 32 bits.
const CHECKSUM: usize = 6;
/// What the hash is of, beside the text: a link's token is never taken for one of the API.
const API: &[u8] = b"padclock/1 api token";
const LINK: &[u8] = b"padclock/1 link";
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A new token, to be shown once and kept as [`lookup`]'s hash.
pub fn generate(rng: &mut impl Randomness) -> Value {
    made(PREFIX, rng)
}

/// The new token of a link that works once, to be shown once and kept as [`link_lookup`]'s hash.
pub fn generate_link(rng: &mut impl Randomness) -> Value {
    made(LINK_PREFIX, rng)
}

/// A new token with the hash under which it is stored.
pub fn issue(key: &DerivedKey, rng: &mut impl Randomness) -> (Value, [u8; 32]) {
    let token = generate(rng);
    let hash = key.mac(&[API, token.bytes()]);
    (token, hash)
}

/// The new token of a link, with the hash under which it is stored.
pub fn issue_link(key: &DerivedKey, rng: &mut impl Randomness) -> (Value, [u8; 32]) {
    let token = generate_link(rng);
    let hash = key.mac(&[LINK, token.bytes()]);
    (token, hash)
}

fn made(prefix: &str, rng: &mut impl Randomness) -> Value {
    let mut token = Value::zeros(LEN);
    let (front, rest) = token.bytes_mut().split_at_mut(prefix.len());
    front.copy_from_slice(prefix.as_bytes());
    fill_base62(&mut rest[..RANDOM], rng);
    let sum = checksum(&token.bytes()[..LEN - CHECKSUM]);
    token.bytes_mut()[LEN - CHECKSUM..].copy_from_slice(&sum);
    token
}

/// Whether `text` has an API token's shape and a right checksum. It says nothing of whether it is known.
#[must_use]
pub fn well_formed(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == LEN
        && bytes.starts_with(PREFIX.as_bytes())
        && bytes[PREFIX.len()..].iter().all(u8::is_ascii_alphanumeric)
        && bytes[LEN - CHECKSUM..] == checksum(&bytes[..LEN - CHECKSUM])
}

/// The keyed hash under which a token is stored and found; `key` is the one for
/// [`crate::Label::TokenLookup`].
#[must_use]
pub fn lookup(key: &DerivedKey, text: &str) -> [u8; 32] {
    key.mac(&[API, text.as_bytes()])
}

/// As [`lookup`], for the token of a link: the one is never found as the other.
#[must_use]
pub fn link_lookup(key: &DerivedKey, text: &str) -> [u8; 32] {
    key.mac(&[LINK, text.as_bytes()])
}

/// Six bits of each random byte; 62 and 63 are drawn again, so that each character is equally likely.
fn fill_base62(out: &mut [u8], rng: &mut impl Randomness) {
    let mut drawn = Wiped::<{ 2 * RANDOM }>::zeros();
    let mut empty = out.iter_mut();
    while !empty.as_slice().is_empty() {
        rng.fill(&mut *drawn);
        let fair = drawn
            .iter()
            .filter_map(|byte| BASE62.get(usize::from(byte & 63)));
        for (&character, slot) in fair.zip(empty.by_ref()) {
            *slot = character;
        }
    }
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    let mut rest = crc32(bytes);
    let mut text = [b'0'; CHECKSUM];
    for slot in text.iter_mut().rev() {
        *slot = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    text
}

/// CRC-32 (IEEE 802.3), bit by bit: a token is 34 bytes.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |sum: u32| {
        if sum & 1 == 1 {
            sum >> 1 ^ 0xedb8_8320
        } else {
            sum >> 1
        }
    };
    !bytes.iter().fold(!0, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| step(sum))
    })
}

#[cfg(test)]
mod tests;
