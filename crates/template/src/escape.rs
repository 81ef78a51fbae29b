//! How bytes are written in each place of a request so that they can't change the structure around them.
//! Each function appends to a buffer; what belongs where is decided in `request`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::buffer::Buffer;

const HEX_UPPER: &[u8; 16] = b"0123456789ABCDEF";
const HEX_LOWER: &[u8; 16] = b"0123456789abcdef";

/// RFC 3986 "unreserved": the bytes that mean themselves at every place of a URL.
const UNRESERVED: [bool; 256] = table(b"-._~");
/// What a literal path keeps: unreserved, sub-delims, `:`, `@` and `/` (RFC 3986 `pchar`), and `[`, `]`, `|` as browsers do.
const PATH_LITERAL: [bool; 256] = table(b"-._~!$&'()*+,;=:@/[]|");
/// What a literal query keeps: the path's and `?`, without the quote that the URL standard escapes there.
const QUERY_LITERAL: [bool; 256] = table(b"-._~!$&()*+,;=:@/?[]|");

const fn table(others: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut index = 0;
    while index < others.len() {
        table[others[index] as usize] = true;
        index += 1;
    }
    table
}

fn push_percent(byte: u8, out: &mut Buffer) {
    out.extend(&[
        b'%',
        HEX_UPPER[usize::from(byte >> 4)],
        HEX_UPPER[usize::from(byte & 15)],
    ]);
}

/// A value in a path segment, a query or a form: all but unreserved bytes become `%XX`.
pub(crate) fn percent(bytes: &[u8], out: &mut Buffer) {
    if bytes.iter().all(|byte| UNRESERVED[usize::from(*byte)]) {
        return out.extend(bytes);
    }
    out.reserve(bytes.len() * 3);
    for &byte in bytes {
        if UNRESERVED[usize::from(byte)] {
            out.push(byte);
        } else {
            push_percent(byte, out);
        }
    }
}

/// The literal text of a path as the user wrote it: `%XX` stays, what a URL can't hold is encoded.
pub(crate) fn path_literal(text: &[u8], out: &mut Buffer) {
    literal(text, &PATH_LITERAL, out);
}

/// The literal text of a query or a form as the user wrote it.
pub(crate) fn query_literal(text: &[u8], out: &mut Buffer) {
    literal(text, &QUERY_LITERAL, out);
}

fn literal(text: &[u8], keep: &[bool; 256], out: &mut Buffer) {
    out.reserve(text.len());
    for (index, &byte) in text.iter().enumerate() {
        // A lone `%` is encoded, so that it can't swallow the first bytes of a value that follows.
        let escape = byte == b'%'
            && text.len() > index + 2
            && text[index + 1].is_ascii_hexdigit()
            && text[index + 2].is_ascii_hexdigit();
        if escape || keep[usize::from(byte)] {
            out.push(byte);
        } else {
            push_percent(byte, out);
        }
    }
}

/// The inside of a JSON string literal (RFC 8259 section 7). The bytes must be UTF-8; the caller has checked.
pub(crate) fn json_string(bytes: &[u8], out: &mut Buffer) {
    if bytes
        .iter()
        .all(|&byte| byte >= 0x20 && byte != b'"' && byte != b'\\')
    {
        return out.extend(bytes);
    }
    out.reserve(bytes.len() + bytes.len() / 2);
    for &byte in bytes {
        match byte {
            b'"' => out.extend(b"\\\""),
            b'\\' => out.extend(b"\\\\"),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\t' => out.extend(b"\\t"),
            0x08 => out.extend(b"\\b"),
            0x0c => out.extend(b"\\f"),
            0..=0x1f => out.extend(&[
                b'\\',
                b'u',
                b'0',
                b'0',
                b'0' + (byte >> 4),
                HEX_LOWER[usize::from(byte & 15)],
            ]),
            _ => out.push(byte),
        }
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8], out: &mut Buffer) {
    out.reserve(bytes.len() * 2);
    for &byte in bytes {
        out.push(HEX_LOWER[usize::from(byte >> 4)]);
        out.push(HEX_LOWER[usize::from(byte & 15)]);
    }
}

/// Standard base64 with padding (RFC 4648 section 4).
pub(crate) fn base64(bytes: &[u8], out: &mut Buffer) {
    let room = out.grow(bytes.len().div_ceil(3) * 4);
    let written = STANDARD.encode_slice(bytes, room);
    debug_assert!(written.is_ok(), "the room is the encoded length");
}

/// The first byte that a header value may not hold: control characters other than the tab, and DEL (RFC 9110 section 5.5).
pub(crate) fn bad_header_byte(bytes: &[u8]) -> Option<usize> {
    bytes
        .iter()
        .position(|&byte| (byte < 0x20 && byte != b'\t') || byte == 0x7f)
}

/// Whether a path segment is `.` or `..` in any spelling that URL parsers resolve away (the URL standard, "dot segments").
pub(crate) fn is_dot_segment(segment: &[u8]) -> bool {
    let mut rest = segment;
    let mut dots = 0;
    while !rest.is_empty() && dots < 3 {
        rest = match rest {
            [b'.', rest @ ..] | [b'%', b'2', b'e' | b'E', rest @ ..] => rest,
            _ => return false,
        };
        dots += 1;
    }
    dots == 1 || dots == 2
}
