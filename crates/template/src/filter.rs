//! What each filter does with the bytes it is given. A filter's result is the next one's input.
//! Nothing here looks up secrets: an HMAC's key comes in as bytes.

use aws_lc_rs::{digest, hmac};

use crate::buffer::Buffer;
use crate::escape;

/// Standard base64 with padding.
pub(crate) fn base64(input: &[u8]) -> Buffer {
    made(input.len().div_ceil(3) * 4, |out| {
        escape::base64(input, out)
    })
}

/// Percent-encoding of all but letters, digits, `-`, `.`, `_` and `~`.
pub(crate) fn urlencode(input: &[u8]) -> Buffer {
    made(input.len() * 3, |out| escape::percent(input, out))
}

/// Escaped for the inside of a JSON string; nothing when the input is not UTF-8.
pub(crate) fn json(input: &[u8]) -> Option<Buffer> {
    std::str::from_utf8(input).ok()?;
    Some(made(input.len() + input.len() / 2, |out| {
        escape::json_string(input, out)
    }))
}

/// Lower-case hexadecimal.
pub(crate) fn hex(input: &[u8]) -> Buffer {
    made(input.len() * 2, |out| escape::hex(input, out))
}

/// The SHA-256 digest (FIPS 180-4) in lower-case hexadecimal.
pub(crate) fn sha256(input: &[u8]) -> Buffer {
    hex(digest::digest(&digest::SHA256, input).as_ref())
}

/// HMAC-SHA-256 (RFC 2104) of the input under a key, in lower-case hexadecimal.
pub(crate) fn hmac_sha256(input: &[u8], key: &[u8]) -> Buffer {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hex(hmac::sign(&key, input).as_ref())
}

/// Without ASCII white space at both ends.
pub(crate) fn trim(input: &[u8]) -> Buffer {
    let kept = input.trim_ascii();
    made(kept.len(), |out| out.extend(kept))
}

fn made(capacity: usize, write: impl FnOnce(&mut Buffer)) -> Buffer {
    let mut out = Buffer::with_capacity(capacity);
    write(&mut out);
    out
}
