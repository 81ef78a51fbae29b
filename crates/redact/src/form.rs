//! The forms of a value that are one fixed byte string each: raw, hex and base64. They are computed from the value where
//! they are needed and never kept. Forms in which each byte may or may not be escaped are in `walk`.

use std::ops::Range;

use crate::base64::Aligned;

/// One fixed form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    /// The bytes themselves.
    Raw,
    /// Two lower-case digits for each byte.
    HexLower,
    /// Two upper-case digits for each byte.
    HexUpper,
    /// The value as byte 0, 1 or 2 of a group of three.
    Base64(u8),
}

impl Form {
    /// All forms, at the index that [`Form::code`] gives.
    pub(crate) const ALL: [Form; 6] = [
        Form::Raw,
        Form::HexLower,
        Form::HexUpper,
        Form::Base64(0),
        Form::Base64(1),
        Form::Base64(2),
    ];

    /// The base64 forms.
    pub(crate) const BASE64: [Form; 3] = [Form::Base64(0), Form::Base64(1), Form::Base64(2)];

    /// A number for the form, the index of it in [`Form::ALL`].
    pub(crate) fn code(self) -> usize {
        match self {
            Form::Raw => 0,
            Form::HexLower => 1,
            Form::HexUpper => 2,
            Form::Base64(offset) => 3 + usize::from(offset),
        }
    }

    /// Bytes of the form; for base64 those of the core.
    pub(crate) fn len(self, value: &[u8]) -> usize {
        match self {
            Form::Raw => value.len(),
            Form::HexLower | Form::HexUpper => 2 * value.len(),
            Form::Base64(offset) => aligned(value, offset).core_len(),
        }
    }

    /// Writes the form's bytes from `from` on into `out`; base64 in the standard alphabet.
    pub(crate) fn fill(self, value: &[u8], from: usize, out: &mut [u8]) {
        match self {
            Form::Raw => out.copy_from_slice(&value[from..from + out.len()]),
            Form::HexLower => fill_hex(value, from, out, b"0123456789abcdef"),
            Form::HexUpper => fill_hex(value, from, out, b"0123456789ABCDEF"),
            Form::Base64(offset) => aligned(value, offset).fill(from, out),
        }
    }

    /// Where the value stands when this form of it begins at `at`.
    pub(crate) fn find_at(self, value: &[u8], text: &[u8], at: usize) -> Option<Range<usize>> {
        if let Form::Base64(offset) = self {
            return aligned(value, offset).find_at(text, at);
        }
        let end = at + self.len(value);
        let there = text.get(at..end)?;
        self.begins_with(value, there).then_some(at..end)
    }

    /// Whether these bytes (breaks taken out) may be the beginning of a find that has not ended yet.
    pub(crate) fn may_begin(self, value: &[u8], text: &[u8]) -> bool {
        match self {
            Form::Base64(offset) => aligned(value, offset).may_begin(text),
            _ => text.len() < self.len(value) && self.begins_with(value, text),
        }
    }

    fn begins_with(self, value: &[u8], text: &[u8]) -> bool {
        match self {
            Form::Raw => value.starts_with(text),
            Form::HexLower => hex_begins_with(value, text, b"0123456789abcdef"),
            Form::HexUpper => hex_begins_with(value, text, b"0123456789ABCDEF"),
            Form::Base64(_) => false,
        }
    }
}

fn aligned(value: &[u8], offset: u8) -> Aligned<'_> {
    Aligned {
        value,
        offset: usize::from(offset),
    }
}

fn hex_digit(value: &[u8], at: usize, digits: &[u8; 16]) -> u8 {
    let byte = value[at / 2];
    digits[usize::from(if at.is_multiple_of(2) {
        byte >> 4
    } else {
        byte & 15
    })]
}

fn fill_hex(value: &[u8], from: usize, out: &mut [u8], digits: &[u8; 16]) {
    for (index, byte) in out.iter_mut().enumerate() {
        *byte = hex_digit(value, from + index, digits);
    }
}

fn hex_begins_with(value: &[u8], text: &[u8], digits: &[u8; 16]) -> bool {
    text.iter()
        .enumerate()
        .all(|(index, byte)| *byte == hex_digit(value, index, digits))
}
