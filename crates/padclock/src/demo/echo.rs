//! What the target answers: all that it was sent, as it came and in other encodings, one third of it per answer.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};

/// A request, as the target sees it.
pub(super) struct Heard<'h> {
    pub(super) authorization: &'h [u8],
    pub(super) query: &'h [u8],
    pub(super) body: &'h [u8],
}

/// The answer to the request of this number: a line per way of writing.
pub(super) fn answer(heard: &Heard<'_>, number: usize) -> Vec<u8> {
    let value = heard.authorization;
    let lines: Vec<(&str, Vec<u8>)> = match number % 3 {
        0 => vec![
            ("header", value.to_vec()),
            ("query", heard.query.to_vec()),
            ("body", heard.body.to_vec()),
        ],
        1 => vec![
            ("base64", STANDARD.encode(value).into()),
            (
                "base64 of k=it",
                STANDARD.encode([b"k=", value].concat()).into(),
            ),
            (
                "base64 of key=it",
                STANDARD.encode([b"key=", value].concat()).into(),
            ),
            (
                "base64url",
                URL_SAFE.encode([b"demo:", value].concat()).into(),
            ),
        ],
        _ => vec![
            (
                "percent-encoded",
                percent_encode(value, NON_ALPHANUMERIC).to_string().into(),
            ),
            ("JSON-escaped", json_in_ascii(value).into()),
            (
                "hex",
                value
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect::<String>()
                    .into(),
            ),
        ],
    };
    lines
        .into_iter()
        .flat_map(|(name, text)| [format!("{name:<18}").as_bytes(), &text, b"\n"].concat())
        .collect()
}

/// A JSON string as encoders write it that keep to ASCII.
fn json_in_ascii(value: &[u8]) -> String {
    let quoted = serde_json::Value::from(String::from_utf8_lossy(value)).to_string();
    let one = |c: char| {
        if c.is_ascii() {
            c.to_string()
        } else {
            c.encode_utf16(&mut [0; 2])
                .iter()
                .map(|unit| format!("\\u{unit:04x}"))
                .collect()
        }
    };
    quoted.chars().map(one).collect()
}

#[cfg(test)]
mod tests;
