//! The ways in which a value may be written down: what the search looks for. Written here once more, on purpose, by the
//! plainest means: it shares nothing with the redactor that it is to check.

use std::fmt::Write;

/// A value in one way of writing.
#[derive(Clone)]
pub(super) struct Form {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Every form of a text, each also with its bytes reversed.
pub(super) fn all(value: &str) -> Vec<Form> {
    let mut forms = vec![
        form("as it is", value),
        form(
            "characters reversed",
            value.chars().rev().collect::<String>(),
        ),
        form(
            "UTF-16, little end first",
            value
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect::<Vec<u8>>(),
        ),
        form(
            "UTF-16, big end first",
            value
                .encode_utf16()
                .flat_map(u16::to_be_bytes)
                .collect::<Vec<u8>>(),
        ),
    ];
    forms.extend(base64(value.as_bytes()));
    forms.extend(percent(value.as_bytes()));
    forms.extend(json(value));
    forms.extend(entities(value));
    forms.extend(shell(value));
    forms.extend(literals(value));
    forms.extend(numbers(value.as_bytes()));
    let backwards: Vec<Form> = forms
        .iter()
        .filter(|form| form.name != "characters reversed")
        .map(reversed)
        .collect();
    forms.extend(backwards);
    forms
}

fn form(name: &str, bytes: impl Into<Vec<u8>>) -> Form {
    Form {
        name: name.to_owned(),
        bytes: bytes.into(),
    }
}

fn reversed(form: &Form) -> Form {
    Form {
        name: format!("{}, reversed", form.name),
        bytes: form.bytes.iter().rev().copied().collect(),
    }
}

/// Both alphabets, at each of the three places at which the value can begin in a longer encoded text. Characters that
/// neighbours would change are left away.
fn base64(value: &[u8]) -> impl Iterator<Item = Form> {
    let alphabets = [("base64", STANDARD), ("base64url", URL_SAFE)];
    let places = alphabets
        .into_iter()
        .flat_map(|(name, alphabet)| (0..3).map(move |offset| (name, alphabet, offset)));
    places.map(|(name, alphabet, offset)| {
        form(
            &format!("{name}, offset {offset}"),
            base64_at(value, alphabet, offset),
        )
    })
}

fn base64_at(value: &[u8], alphabet: &[u8; 64], offset: usize) -> Vec<u8> {
    let bit = |at: usize| {
        let byte = at / 8;
        let byte = if byte < offset {
            0
        } else {
            value[byte - offset]
        };
        usize::from(byte >> (7 - at % 8) & 1)
    };
    let (first, end) = ((offset * 8).div_ceil(6), (offset + value.len()) * 8 / 6);
    let sextet = |at: usize| (0..6).fold(0, |number, i| number << 1 | bit(at * 6 + i));
    (first..end).map(|at| alphabet[sextet(at)]).collect()
}

fn percent(value: &[u8]) -> Vec<Form> {
    let kept: [(&str, &[u8]); 3] = [
        ("strict", b"-._~"),
        ("of a path", b"-._~!$&'()*+,;=:@/"),
        ("of a query", b"-._~!$'()*,;:@/?"),
    ];
    let mut forms = Vec::new();
    for (case, upper) in [("upper", true), ("lower", false)] {
        for (name, kept) in kept {
            let text = percent_with(value, upper, |byte| {
                byte.is_ascii_alphanumeric() || kept.contains(&byte)
            });
            forms.push(form(&format!("percent, {name}, {case} case"), text));
        }
        let encoded = percent_with(value, upper, |byte| {
            byte.is_ascii_alphanumeric() || b"-._~ ".contains(&byte)
        });
        forms.push(form(
            &format!("percent, form with +, {case} case"),
            encoded.replace(' ', "+"),
        ));
        forms.push(form(
            &format!("percent, every byte, {case} case"),
            percent_with(value, upper, |_| false),
        ));
    }
    forms
}

fn percent_with(value: &[u8], upper: bool, kept: impl Fn(u8) -> bool) -> String {
    let one = |&byte: &u8| match (kept(byte), upper) {
        (true, _) => char::from(byte).to_string(),
        (false, true) => format!("%{byte:02X}"),
        (false, false) => format!("%{byte:02x}"),
    };
    value.iter().map(one).collect()
}

/// Escapes each character for which `escape` has something; the rest stays.
fn escaped(value: &str, escape: impl Fn(char) -> Option<String>) -> String {
    value
        .chars()
        .map(|c| escape(c).unwrap_or_else(|| c.to_string()))
        .collect()
}

fn backslashed(c: char, which: &str) -> Option<String> {
    which.contains(c).then(|| format!("\\{c}"))
}

fn unicode(c: char, upper: bool) -> String {
    let mut units = [0; 2];
    let mut text = String::new();
    for unit in c.encode_utf16(&mut units) {
        // Writing to a String does not fail.
        let _ = if upper {
            write!(text, "\\u{unit:04X}")
        } else {
            write!(text, "\\u{unit:04x}")
        };
    }
    text
}

fn json(value: &str) -> Vec<Form> {
    let mut forms = vec![
        form("JSON", escaped(value, |c| backslashed(c, "\"\\"))),
        form("JSON with \\/", escaped(value, |c| backslashed(c, "\"\\/"))),
        form(
            "JSON twice",
            escaped(&escaped(value, |c| backslashed(c, "\"\\")), |c| {
                backslashed(c, "\"\\")
            }),
        ),
    ];
    for (case, upper) in [("upper", true), ("lower", false)] {
        let ascii = |c: char| {
            (!c.is_ascii())
                .then(|| unicode(c, upper))
                .or_else(|| backslashed(c, "\"\\"))
        };
        let html = |c: char| {
            "&<>'+="
                .contains(c)
                .then(|| unicode(c, upper))
                .or_else(|| backslashed(c, "\"\\"))
        };
        let both = |c: char| {
            "&<>'+=\""
                .contains(c)
                .then(|| unicode(c, upper))
                .or_else(|| ascii(c))
        };
        forms.push(form(
            &format!("JSON in ASCII, {case} case"),
            escaped(value, ascii),
        ));
        forms.push(form(
            &format!("JSON safe in HTML, {case} case"),
            escaped(value, html),
        ));
        forms.push(form(
            &format!("JSON safe in HTML, in ASCII, {case} case"),
            escaped(value, both),
        ));
    }
    forms
}

fn entities(value: &str) -> Vec<Form> {
    let named = |c: char, apostrophe: &str| match c {
        '&' => Some("&amp;".to_owned()),
        '<' => Some("&lt;".to_owned()),
        '>' => Some("&gt;".to_owned()),
        '"' => Some("&quot;".to_owned()),
        '\'' => Some(apostrophe.to_owned()),
        _ => None,
    };
    let odd = |c: char| !c.is_ascii_alphanumeric();
    vec![
        form("HTML", escaped(value, |c| named(c, "'"))),
        form("HTML with &#39;", escaped(value, |c| named(c, "&#39;"))),
        form("HTML with &#x27;", escaped(value, |c| named(c, "&#x27;"))),
        form("XML", escaped(value, |c| named(c, "&apos;"))),
        form(
            "HTML, decimal",
            escaped(value, |c| odd(c).then(|| format!("&#{};", u32::from(c)))),
        ),
        form(
            "HTML, hex, lower case",
            escaped(value, |c| odd(c).then(|| format!("&#x{:x};", u32::from(c)))),
        ),
        form(
            "HTML, hex, upper case",
            escaped(value, |c| odd(c).then(|| format!("&#x{:X};", u32::from(c)))),
        ),
    ]
}

fn shell(value: &str) -> Vec<Form> {
    vec![
        form("shell, '\\''", value.replace('\'', "'\\''")),
        form("shell, '\"'\"'", value.replace('\'', "'\"'\"'")),
        form(
            "shell, in \"\"",
            escaped(value, |c| backslashed(c, "\"\\$`")),
        ),
        form(
            "shell, backslashes",
            escaped(value, |c| {
                (c.is_ascii() && !c.is_ascii_alphanumeric()).then(|| format!("\\{c}"))
            }),
        ),
    ]
}

/// As source code and debug output write it.
fn literals(value: &str) -> Vec<Form> {
    let hex = |c: char| {
        c.to_string()
            .bytes()
            .map(|byte| format!("\\x{byte:02x}"))
            .collect::<String>()
    };
    let octal = |c: char| {
        c.to_string()
            .bytes()
            .map(|byte| format!("\\{byte:03o}"))
            .collect::<String>()
    };
    let quote = |c: char| backslashed(c, "\"\\");
    let outside = |c: char| !c.is_ascii();
    let upper = |c: char| {
        c.to_string()
            .bytes()
            .map(|byte| format!("\\x{byte:02X}"))
            .collect::<String>()
    };
    vec![
        form(
            "literal with \\'",
            escaped(value, |c| backslashed(c, "\"\\'")),
        ),
        form(
            "literal with \\xNN, lower case",
            escaped(value, |c| outside(c).then(|| hex(c)).or_else(|| quote(c))),
        ),
        form(
            "literal with \\xNN, upper case",
            escaped(value, |c| outside(c).then(|| upper(c)).or_else(|| quote(c))),
        ),
        form(
            "literal with \\xNN and \\'",
            escaped(value, |c| {
                outside(c)
                    .then(|| hex(c))
                    .or_else(|| backslashed(c, "\"\\'"))
            }),
        ),
        form(
            "literal with octal",
            escaped(value, |c| outside(c).then(|| octal(c)).or_else(|| quote(c))),
        ),
        form(
            "literal with \\u{N}",
            escaped(value, |c| {
                outside(c)
                    .then(|| format!("\\u{{{:x}}}", u32::from(c)))
                    .or_else(|| quote(c))
            }),
        ),
    ]
}

/// Every byte as a number.
fn numbers(value: &[u8]) -> Vec<Form> {
    let each = |write: fn(&u8) -> String, between: &str| {
        value.iter().map(write).collect::<Vec<_>>().join(between)
    };
    vec![
        form("hex, lower case", each(|byte| format!("{byte:02x}"), "")),
        form("hex, upper case", each(|byte| format!("{byte:02X}"), "")),
        form("hex with colons", each(|byte| format!("{byte:02x}"), ":")),
        form("hex with spaces", each(|byte| format!("{byte:02x}"), " ")),
        form(
            "\\xNN for every byte",
            each(|byte| format!("\\x{byte:02x}"), ""),
        ),
        form("list of numbers", each(|byte| format!("{byte}"), ", ")),
        form("JSON list of numbers", each(|byte| format!("{byte}"), ",")),
        form(
            "list of hex numbers",
            each(|byte| format!("0x{byte:02x}"), ", "),
        ),
    ]
}

#[cfg(test)]
mod tests;
