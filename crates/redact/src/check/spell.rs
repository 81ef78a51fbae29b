//! Encoders for the checks, written from the other side than the crate's readers: from the value to the text.

use std::ops::Range;

/// A way to write one byte or character of a value: fixed text, hexadecimal digits in any case, fixed text.
#[derive(Debug, Clone)]
pub struct Escape {
    before: Vec<u8>,
    digits: String,
    after: &'static str,
    /// How many bytes of the value it stands for.
    pub takes: usize,
}

impl Escape {
    fn new(
        before: impl Into<Vec<u8>>,
        digits: impl Into<String>,
        after: &'static str,
        takes: usize,
    ) -> Escape {
        Escape {
            before: before.into(),
            digits: digits.into(),
            after,
            takes,
        }
    }

    /// The length of this spelling, when the text begins with it.
    pub fn there(&self, text: &[u8]) -> Option<usize> {
        let digits_end = self.before.len() + self.digits.len();
        let len = digits_end + self.after.len();
        let text = text.get(..len)?;
        let same = text.starts_with(&self.before)
            && text[self.before.len()..digits_end].eq_ignore_ascii_case(self.digits.as_bytes())
            && text.ends_with(self.after.as_bytes());
        same.then_some(len)
    }

    fn write(&self, upper: bool, out: &mut Vec<u8>) {
        let digits = if upper {
            self.digits.to_uppercase()
        } else {
            self.digits.clone()
        };
        out.extend_from_slice(&self.before);
        out.extend_from_slice(digits.as_bytes());
        out.extend_from_slice(self.after.as_bytes());
    }
}

const NAMED: [(char, &[&str]); 13] = [
    ('&', &["&amp;", "&AMP;"]),
    ('<', &["&lt;", "&LT;"]),
    ('>', &["&gt;", "&GT;"]),
    ('"', &["&quot;", "&QUOT;"]),
    ('\'', &["&apos;"]),
    ('é', &["&eacute;"]),
    ('+', &["&plus;"]),
    ('/', &["&sol;"]),
    ('=', &["&equals;"]),
    ('_', &["&lowbar;", "&UnderBar;"]),
    ('%', &["&percnt;"]),
    ('\\', &["&bsol;"]),
    ('\n', &["&NewLine;"]),
];
const MORE: [(char, &[&str]); 8] = [
    ('#', &["&num;"]),
    (';', &["&semi;"]),
    ('{', &["&lcub;", "&lbrace;"]),
    ('}', &["&rcub;", "&rbrace;"]),
    ('-', &[]),
    ('\t', &["&Tab;"]),
    ('$', &["&dollar;"]),
    ('@', &["&commat;"]),
];
const SHORT: [(u8, &str); 9] = [
    (b'\n', "\\n"),
    (b'\t', "\\t"),
    (b'\r', "\\r"),
    (7, "\\a"),
    (8, "\\b"),
    (11, "\\v"),
    (12, "\\f"),
    (27, "\\e"),
    (27, "\\E"),
];

/// Every escape for the start of `value`.
pub fn escapes(value: &[u8]) -> Vec<Escape> {
    let byte = value[0];
    let mut ways = vec![
        Escape::new("%", format!("{byte:02x}"), "", 1),
        Escape::new("\\x", format!("{byte:02x}"), "", 1),
    ];
    for octal in [
        format!("{byte:o}"),
        format!("{byte:02o}"),
        format!("{byte:03o}"),
    ] {
        ways.push(Escape::new(format!("\\{octal}"), "", "", 1));
    }
    ways.extend(
        SHORT
            .iter()
            .filter(|(short, _)| *short == byte)
            .map(|(_, text)| Escape::new(*text, "", "", 1)),
    );
    if !byte.is_ascii_alphanumeric() {
        ways.push(Escape::new([b'\\', byte], "", "", 1));
    }
    if byte == b' ' {
        ways.push(Escape::new("+", "", "", 1));
    }
    if byte == b'\'' {
        ways.extend([r"'\''", r#"'"'"'"#, "''"].map(|text| Escape::new(text, "", "", 1)));
    }
    let character = (1..=value.len().min(4))
        .find_map(|len| std::str::from_utf8(&value[..len]).ok()?.chars().next());
    if let Some(character) = character {
        of_character(character, &mut ways);
    }
    ways
}

fn of_character(character: char, ways: &mut Vec<Escape>) {
    let (code, takes) = (u32::from(character), character.len_utf8());
    let mut units = [0; 2];
    match character.encode_utf16(&mut units) {
        [one] => ways.push(Escape::new("\\u", format!("{one:04x}"), "", takes)),
        // Digits, then `\u`, which has no upper case here, then digits: two ways instead of one.
        [high, low] => {
            for text in [
                format!("\\u{high:04x}\\u{low:04x}"),
                format!("\\u{high:04X}\\u{low:04X}"),
            ] {
                ways.push(Escape::new(text, "", "", takes));
            }
        }
        _ => {}
    }
    ways.push(Escape::new("\\U", format!("{code:08x}"), "", takes));
    if (0x80..0x100).contains(&code) {
        ways.push(Escape::new("\\x", format!("{code:02x}"), "", takes));
    }
    for width in 1..=8 {
        let (hex, decimal) = (format!("{code:0width$x}"), format!("{code:0width$}"));
        if hex.len() == width {
            ways.push(Escape::new("\\u{", hex.clone(), "}", takes));
            ways.extend(["&#x", "&#X"].map(|before| Escape::new(before, hex.clone(), ";", takes)));
        }
        if decimal.len() == width {
            ways.push(Escape::new(format!("&#{decimal};"), "", "", takes));
        }
    }
    for (_, names) in NAMED
        .iter()
        .chain(&MORE)
        .filter(|(named, _)| *named == character)
    {
        ways.extend(names.iter().map(|name| Escape::new(*name, "", "", takes)));
    }
}

/// A value in some encoding.
pub struct Spelled {
    /// The encoded text, with neighbours where the encoding mixes them in.
    pub text: Vec<u8>,
    /// The part of it that says something of the value.
    pub hidden: Range<usize>,
    /// Whether it is the value itself.
    pub raw: bool,
}

/// The value in the encoding that these numbers choose.
pub fn value(value: &[u8], encoding: u8, seed: u64) -> Spelled {
    let text = match encoding % 8 {
        0 => value.to_vec(),
        1 => hex(value, seed % 2 == 1),
        2 | 3 => return in_base64(value, encoding, seed),
        _ => escaped(value, encoding, seed),
    };
    Spelled {
        hidden: 0..text.len(),
        raw: text == value,
        text,
    }
}

/// Some bytes escaped, in one style or any.
fn escaped(value: &[u8], encoding: u8, seed: u64) -> Vec<u8> {
    let mut random = seed << 8 | u64::from(encoding) | 1;
    let mut next = |below: usize| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % below
    };
    let (mut out, mut at) = (Vec::new(), 0);
    while at < value.len() {
        let ways = escapes(&value[at..]);
        let way = if encoding % 8 == 4 {
            Some(0)
        } else {
            Some(next(2 * ways.len()))
        };
        match way.and_then(|way| ways.get(way)) {
            Some(way) if encoding % 8 == 4 || next(2) == 0 => {
                way.write(next(2) == 0, &mut out);
                at += way.takes;
            }
            _ => {
                out.push(value[at]);
                at += 1;
            }
        }
    }
    out
}

/// Between other bytes, in either alphabet, sometimes broken into lines.
fn in_base64(value: &[u8], encoding: u8, seed: u64) -> Spelled {
    let (before, after) = (usize::from(encoding / 8) % 3, seed as usize % 3);
    let mut bytes = b"Q~"[..before.min(2)].to_vec();
    bytes.extend_from_slice(value);
    bytes.extend_from_slice(&b"?z"[..after]);
    let mut whole = base64(&bytes, seed & 4 != 0);
    let (first, last) = (8 * before / 6, (8 * (before + value.len())).div_ceil(6));
    let padding = (3 - bytes.len() % 3) % 3;
    if seed & 8 != 0 {
        whole.extend(std::iter::repeat_n(b'=', padding));
    }
    let width = [usize::MAX, 64, 76, 5][seed as usize >> 4 & 3];
    let line_end: &[u8] = if seed & 64 != 0 { b"\r\n" } else { b"\n" };
    let (mut text, mut hidden) = (Vec::new(), 0..0);
    for (index, byte) in whole.iter().enumerate() {
        if index > 0 && index % width == 0 {
            text.extend_from_slice(line_end);
        }
        if index == first {
            hidden.start = text.len();
        }
        text.push(*byte);
        if index + 1 == last {
            hidden.end = text.len();
        }
    }
    Spelled {
        text,
        hidden,
        raw: false,
    }
}

/// Two digits for each byte.
pub fn hex(value: &[u8], upper: bool) -> Vec<u8> {
    let digits = value.iter().map(|byte| {
        if upper {
            format!("{byte:02X}")
        } else {
            format!("{byte:02x}")
        }
    });
    digits.collect::<String>().into_bytes()
}

/// Base64 without padding, bit by bit.
pub fn base64(bytes: &[u8], url: bool) -> Vec<u8> {
    let bit = |at: usize| {
        bytes
            .get(at / 8)
            .map_or(0, |byte| usize::from(*byte >> (7 - at % 8) & 1))
    };
    let sextets = (0..(8 * bytes.len()).div_ceil(6))
        .map(|index| (0..6).fold(0, |bits, at| bits * 2 + bit(6 * index + at)));
    let characters: &[u8] = if url { b"-_" } else { b"+/" };
    let character = |bits: usize| match bits {
        0..26 => b'A' + bits as u8,
        26..52 => b'a' + (bits - 26) as u8,
        52..62 => b'0' + (bits - 52) as u8,
        _ => characters[bits - 62],
    };
    sextets.map(character).collect()
}
