//! Sets of bytes that credentials are made of, and runs of them. What a run means is told elsewhere.

/// A set of ASCII bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Set {
    Digit,
    /// `0-9 a-f`.
    Hex,
    Alnum,
    /// `A-Z 0-9`.
    Upper,
    /// `A-Z a-z 0-9 _`.
    Word,
    /// `A-Z a-z 0-9 _ -`: base64url without its end.
    Url,
    /// As [`Set::Url`], and `.`.
    UrlDot,
    /// `A-Z a-z 0-9 -`.
    Dash,
    /// `A-Z a-z 0-9 + / =`.
    Base64,
    /// As [`Set::Base64`], with `%`, as in a URL's parameter.
    Percent,
    /// As [`Set::Url`], with `=` and `.`.
    UrlEnd,
    /// The characters of a token in a header (RFC 7235, `token68`).
    Token68,
}

impl Set {
    pub(crate) const fn has(self, byte: u8) -> bool {
        match self {
            Self::Digit => byte.is_ascii_digit(),
            Self::Hex => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            Self::Alnum => byte.is_ascii_alphanumeric(),
            Self::Upper => matches!(byte, b'0'..=b'9' | b'A'..=b'Z'),
            Self::Word => byte.is_ascii_alphanumeric() || byte == b'_',
            Self::Url => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
            Self::UrlDot => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'),
            Self::Dash => byte.is_ascii_alphanumeric() || byte == b'-',
            Self::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='),
            Self::Percent => {
                byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'%')
            }
            Self::UrlEnd => {
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'=' | b'.')
            }
            Self::Token68 => {
                byte.is_ascii_alphanumeric()
                    || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
            }
        }
    }
}

/// Where the run of `set` that begins at `start` ends, or `start + most` when it is longer.
pub(crate) fn run(bytes: &[u8], start: usize, set: Set, most: usize) -> usize {
    let end = bytes.len().min(start.saturating_add(most));
    let rest = bytes.get(start..end).unwrap_or_default();
    start
        + rest
            .iter()
            .position(|&byte| !set.has(byte))
            .unwrap_or(rest.len())
}

/// Where the run of `set` that ends at `end` begins, at most `most` bytes before it.
pub(crate) fn run_back(bytes: &[u8], end: usize, set: Set, most: usize) -> usize {
    let from = end.saturating_sub(most);
    let rest = bytes.get(from..end).unwrap_or_default();
    let back = rest
        .iter()
        .rev()
        .position(|&byte| !set.has(byte))
        .unwrap_or(rest.len());
    end - back
}

/// Whether no letter or digit stands before: what begins here is not the end of a longer word.
pub(crate) fn begins_word(bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| bytes.get(before));
    before.is_none_or(|byte| !byte.is_ascii_alphanumeric() || after_escape(bytes, at))
}

/// Whether the letter before is the end of an escape such as `\n`.
fn after_escape(bytes: &[u8], at: usize) -> bool {
    at >= 2 && bytes[at - 2] == b'\\' && matches!(bytes[at - 1], b'n' | b't' | b'r')
}
