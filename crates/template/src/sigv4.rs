//! AWS Signature Version 4 of one request, as AWS's documentation of signing API requests describes it: canonical request, string to
//! sign, signing key, signature. The message is given as it goes over the wire; which headers a request gets is in `authorize`.

use aws_lc_rs::{digest, hmac};

use crate::buffer::Buffer;
use crate::escape;

/// The time of a signature: `20150830T123600Z`.
pub(crate) struct Stamp(String);

impl Stamp {
    /// From seconds since 1970.
    pub fn of(unix: i64) -> Self {
        let (days, seconds) = (unix.div_euclid(86_400), unix.rem_euclid(86_400));
        let (year, month, day) = civil(days);
        let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        Self(format!(
            "{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z"
        ))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn day(&self) -> &str {
        self.0.split('T').next().unwrap_or_default()
    }
}

/// Year, month and day of a day counted from 1970-01-01 in the proleptic Gregorian calendar. Years are counted from March, so that the
/// leap day is the last one.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// A request as it goes over the wire.
pub(crate) struct Message<'a> {
    pub method: &'a str,
    /// From the first `/`, percent-encoded.
    pub path: &'a [u8],
    /// Without `?`.
    pub query: &'a [u8],
    /// The headers to be signed: names in lower case, each once, sorted.
    pub headers: &'a [(String, &'a [u8])],
    /// SHA-256 of the body in lower-case hexadecimal.
    pub payload_hash: &'a [u8],
}

impl Message<'_> {
    /// The names of the signed headers: `host;x-amz-date`.
    pub fn signed_headers(&self) -> String {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        names.join(";")
    }

    fn canonical(&self, service: &[u8]) -> Buffer {
        let mut out = Buffer::default();
        out.extend(self.method.as_bytes());
        out.push(b'\n');
        canonical_path(self.path, is_s3(service), &mut out);
        out.push(b'\n');
        canonical_query(self.query, &mut out);
        out.push(b'\n');
        for (name, value) in self.headers {
            out.extend(name.as_bytes());
            out.push(b':');
            canonical_value(value, &mut out);
            out.push(b'\n');
        }
        out.push(b'\n');
        out.extend(self.signed_headers().as_bytes());
        out.push(b'\n');
        out.extend(self.payload_hash);
        out
    }
}

/// What a signature is made with.
pub(crate) struct Signer<'a> {
    pub secret: &'a [u8],
    pub stamp: &'a Stamp,
    pub region: &'a [u8],
    pub service: &'a [u8],
}

impl Signer<'_> {
    /// Appends the credential scope: `20150830/us-east-1/service/aws4_request`.
    pub fn write_scope(&self, out: &mut Buffer) {
        out.extend(self.stamp.day().as_bytes());
        for part in [self.region, self.service, b"aws4_request"] {
            out.push(b'/');
            out.extend(part);
        }
    }

    /// The signature's 32 bytes.
    pub fn sign(&self, message: &Message<'_>) -> Buffer {
        let canonical = message.canonical(self.service);
        let mut text = Buffer::default();
        text.extend(b"AWS4-HMAC-SHA256\n");
        text.extend(self.stamp.as_str().as_bytes());
        text.push(b'\n');
        self.write_scope(&mut text);
        text.push(b'\n');
        text.extend(sha256_hex(canonical.as_slice()).as_slice());
        hmac_sha256(self.key().as_slice(), text.as_slice())
    }

    fn key(&self) -> Buffer {
        let mut key = Buffer::with_capacity(4 + self.secret.len());
        key.extend(b"AWS4");
        key.extend(self.secret);
        let parts = [
            self.stamp.day().as_bytes(),
            self.region,
            self.service,
            b"aws4_request",
        ];
        for part in parts {
            key = hmac_sha256(key.as_slice(), part);
        }
        key
    }
}

/// Whether the service takes its path encoded once, and wants the payload's hash in a header.
pub(crate) fn is_s3(service: &[u8]) -> bool {
    service == b"s3" || service.starts_with(b"s3-")
}

/// S3 reads the path of an object's name, and encodes that once. All others encode what is on the wire once more, after empty segments
/// are taken out (`.` and `..` are in no request).
fn canonical_path(path: &[u8], s3: bool, out: &mut Buffer) {
    if s3 {
        for &byte in decoded(path, false).as_slice() {
            match byte {
                b'/' => out.push(b'/'),
                other => escape::percent(&[other], out),
            }
        }
        return;
    }
    for segment in path
        .split(|byte| *byte == b'/')
        .filter(|part| !part.is_empty())
    {
        out.push(b'/');
        escape::percent(segment, out);
    }
    if path.is_empty() || path.ends_with(b"/") {
        out.push(b'/');
    }
}

/// Sorted by the encoded name, then by the encoded value.
fn canonical_query(query: &[u8], out: &mut Buffer) {
    let encoded = |text: &[u8]| {
        let mut encoded = Buffer::default();
        escape::percent(decoded(text, true).as_slice(), &mut encoded);
        encoded
    };
    let pair = |pair: &[u8]| {
        let equals = pair.iter().position(|byte| *byte == b'=');
        let (name, value) = pair.split_at(equals.unwrap_or(pair.len()));
        (
            encoded(name),
            encoded(value.strip_prefix(b"=").unwrap_or(value)),
        )
    };
    let mut pairs: Vec<_> = query
        .split(|byte| *byte == b'&')
        .filter(|part| !part.is_empty())
        .map(pair)
        .collect();
    pairs.sort_by(|one, other| {
        (one.0.as_slice(), one.1.as_slice()).cmp(&(other.0.as_slice(), other.1.as_slice()))
    });
    for (place, (name, value)) in pairs.iter().enumerate() {
        if place > 0 {
            out.push(b'&');
        }
        out.extend(name.as_slice());
        out.push(b'=');
        out.extend(value.as_slice());
    }
}

/// Trimmed, and each run of white space within one space.
fn canonical_value(value: &[u8], out: &mut Buffer) {
    let words = value
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    for (place, word) in words.enumerate() {
        if place > 0 {
            out.push(b' ');
        }
        out.extend(word);
    }
}

/// With `%XX` resolved, and in a query `+` as the space that servers read there.
fn decoded(text: &[u8], query: bool) -> Buffer {
    let mut out = Buffer::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'%', [high, low, after @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                out.push(nibble(*high) << 4 | nibble(*low));
                rest = after;
            }
            (b'+', _) if query => out.push(b' '),
            _ => out.push(*first),
        }
    }
    out
}

fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

/// SHA-256 in lower-case hexadecimal.
pub(crate) fn sha256_hex(bytes: &[u8]) -> Buffer {
    let mut out = Buffer::with_capacity(64);
    escape::hex(digest::digest(&digest::SHA256, bytes).as_ref(), &mut out);
    out
}

/// HMAC-SHA-256, written to a buffer that is wiped: most of what is made here are keys.
fn hmac_sha256(key: &[u8], message: &[u8]) -> Buffer {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let mut out = Buffer::with_capacity(digest::SHA256_OUTPUT_LEN);
    let room = out.grow(digest::SHA256_OUTPUT_LEN);
    #[expect(clippy::expect_used, reason = "the room is the tag's length")]
    hmac::sign_to_buffer(&key, message, room).expect("the tag fits");
    out
}

#[cfg(test)]
mod tests;
