//! One escape at one place in a text: what bytes it may stand for. Percent, JSON, XML/HTML, shell and quoted-literal
//! escapes; no value and no search here.

use crate::entity;

/// No escape is longer than this many bytes: `\ud83d\ude00` and `&#x00000026;`. Together with the value's length it bounds
/// how long a find can be.
pub(crate) const LONGEST: usize = 12;

/// The bytes that one escape stands for.
#[derive(Clone, Copy)]
pub(crate) struct Unit {
    bytes: [u8; 4],
    count: u8,
    /// How many bytes of the text it takes.
    pub(crate) len: usize,
}

impl Unit {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.count)]
    }

    fn byte(byte: u8, len: usize) -> Unit {
        Unit {
            bytes: [byte, 0, 0, 0],
            count: 1,
            len,
        }
    }

    fn character(code: u32, len: usize) -> Option<Unit> {
        let mut bytes = [0; 4];
        let count = char::from_u32(code)?.encode_utf8(&mut bytes).len() as u8;
        Some(Unit { bytes, count, len })
    }
}

/// Whether an escape may begin with this byte.
pub(crate) fn begins(byte: u8) -> bool {
    matches!(byte, b'%' | b'+' | b'\'' | b'\\' | b'&')
}

/// Ways to write a single quote inside a single-quoted text: POSIX shells twice, SQL, YAML and PowerShell.
const QUOTES: [&[u8]; 3] = [br"'\''", br#"'"'"'"#, b"''"];

/// Every reading of the escape at the start of `text`. There can be several: `\0` may go on with more digits, and `\xe9` is a
/// byte to some languages and a character to others.
pub(crate) fn each(text: &[u8], mut found: impl FnMut(Unit)) {
    match text {
        [b'%', high, low, ..] => {
            if let Some(byte) = digits(&[*high, *low], 16) {
                found(Unit::byte(byte as u8, 3));
            }
        }
        [b'+', ..] => found(Unit::byte(b' ', 1)),
        [b'\'', ..] => {
            for quote in QUOTES {
                if text.starts_with(quote) {
                    found(Unit::byte(b'\'', quote.len()));
                }
            }
        }
        [b'\\', next, ..] => after_backslash(text, *next, &mut found),
        [b'&', ..] => {
            if let Some(unit) =
                entity::read(text).and_then(|(code, len)| Unit::character(code, len))
            {
                found(unit);
            }
        }
        _ => {}
    }
}

fn after_backslash(text: &[u8], next: u8, found: &mut impl FnMut(Unit)) {
    match next {
        b'x' => {
            if let Some(code) = text.get(2..4).and_then(|hex| digits(hex, 16)) {
                found(Unit::byte(code as u8, 4));
                if code >= 0x80 {
                    Unit::character(code, 4).into_iter().for_each(found);
                }
            }
        }
        b'0'..=b'7' => octal(text, found),
        b'u' => unicode(text).into_iter().for_each(found),
        b'U' => {
            let code = text.get(2..10).and_then(|hex| digits(hex, 16));
            code.and_then(|code| Unit::character(code, 10))
                .into_iter()
                .for_each(found);
        }
        _ => short(next)
            .into_iter()
            .for_each(|byte| found(Unit::byte(byte, 2))),
    }
}

/// Escapes of one character after the backslash. What is neither letter nor digit stands for itself, as in shells.
fn short(next: u8) -> Option<u8> {
    Some(match next {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'a' => 7,
        b'b' => 8,
        b'v' => 11,
        b'f' => 12,
        b'e' | b'E' => 27,
        byte if !byte.is_ascii_alphanumeric() => byte,
        _ => return None,
    })
}

fn octal(text: &[u8], found: &mut impl FnMut(Unit)) {
    for len in 2..=4 {
        match text.get(1..len).and_then(|octal| digits(octal, 8)) {
            Some(byte @ 0..=255) => found(Unit::byte(byte as u8, len)),
            _ => return,
        }
    }
}

/// `\u0026`, a pair of surrogates, or `\u{26}`.
fn unicode(text: &[u8]) -> Option<Unit> {
    if text.get(2) == Some(&b'{') {
        let len = text.iter().take(LONGEST).position(|byte| *byte == b'}')?;
        return Unit::character(digits(text.get(3..len)?, 16)?, len + 1);
    }
    let code = text.get(2..6).and_then(|hex| digits(hex, 16))?;
    if !(0xd800..0xdc00).contains(&code) {
        return Unit::character(code, 6);
    }
    let low = text
        .get(6..8)
        .filter(|next| next == b"\\u")
        .and(text.get(8..12))
        .and_then(|hex| digits(hex, 16))?;
    let low = low.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
    Unit::character(0x10000 + ((code - 0xd800) << 10) + low, 12)
}

/// The number that these digits write; nothing for no digits, too many, or another character.
pub(crate) fn digits(text: &[u8], radix: u32) -> Option<u32> {
    if text.is_empty() || text.len() > 8 {
        return None;
    }
    text.iter().try_fold(0u32, |code, byte| {
        code.checked_mul(radix)?
            .checked_add(char::from(*byte).to_digit(radix)?)
    })
}

/// Whether `text`, all that is there so far, may be an escape cut short. Says yes too often rather than too seldom.
pub(crate) fn may_begin(text: &[u8]) -> bool {
    let inside = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'{' | b'\\');
    match text {
        [b'%', rest @ ..] => rest.len() < 2 && rest.iter().all(u8::is_ascii_hexdigit),
        [b'\'', ..] => QUOTES
            .iter()
            .any(|quote| quote.len() > text.len() && quote.starts_with(text)),
        [b'\\', rest @ ..] => text.len() < LONGEST && rest.iter().all(inside),
        [b'&', ..] => entity::may_begin(text),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
