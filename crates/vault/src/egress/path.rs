//! Paths: prefixes on segment borders, and dot-segments in each disguise that some server undoes. Nothing
//! here normalises: what is doubtful is refused.

/// How often a path is decoded in search of dot-segments; servers behind a proxy or two decode twice.
const DECODINGS: usize = 4;

/// Two-byte forms of `.`, `/` and `\` that a careful decoder refuses and a careless one reads.
const OVERLONG: [&[u8]; 3] = [&[0xc0, 0xae], &[0xc0, 0xaf], &[0xc1, 0x9c]];

/// Whether `path` is `prefix` itself or lies below it. A prefix that ends in `/` allows only what is below.
pub(super) fn is_below(path: &str, prefix: &str) -> bool {
    match path.strip_prefix(prefix) {
        Some(rest) => rest.is_empty() || prefix.ends_with('/') || rest.starts_with('/'),
        None => false,
    }
}

/// Whether some server could see a `.` or `..` segment here: plain, percent-encoded (also twice over), cut
/// off by an encoded slash or a backslash, or with `;parameters`.
pub(super) fn has_dot_segment(path: &str) -> bool {
    if !path.contains(['.', '%']) && path.is_ascii() {
        return false;
    }
    let mut bytes = path.as_bytes().to_vec();
    for _ in 0..DECODINGS {
        if bytes
            .split(|byte| matches!(byte, b'/' | b'\\'))
            .any(is_dots)
        {
            return true;
        }
        let decoded = decode(&bytes);
        if decoded == bytes {
            return false;
        }
        bytes = decoded;
    }
    // Still encoded after all that: nobody writes such a path without a purpose.
    true
}

/// Some servers drop white space and control characters around a name, and some read the overlong UTF-8 of a dot or a slash.
fn is_dots(segment: &[u8]) -> bool {
    let name = segment
        .split(|&byte| byte == b';')
        .next()
        .unwrap_or_default();
    let blank = |byte: &u8| *byte <= b' ' || *byte == 0x7f;
    let name = match (
        name.iter().position(|byte| !blank(byte)),
        name.iter().rposition(|byte| !blank(byte)),
    ) {
        (Some(first), Some(last)) => &name[first..=last],
        _ => &[],
    };
    matches!(name, b"." | b"..") || name.windows(2).any(|pair| OVERLONG.contains(&pair))
}

/// Undoes one layer of percent-encoding; a `%` without two hex digits stays.
fn decode(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, tail)) = rest.split_first() {
        match escaped(rest) {
            Some(decoded) => {
                out.push(decoded);
                rest = &rest[3..];
            }
            None => {
                out.push(byte);
                rest = tail;
            }
        }
    }
    out
}

/// The byte that `%XX` at the start of `bytes` stands for.
pub(super) fn escaped(bytes: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = bytes else {
        return None;
    };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    Some((digit(*high)? << 4 | digit(*low)?) as u8)
}

#[cfg(test)]
mod tests;
