//! Header names and values at save time; what `auth` adds is compiled in `auth`.
//! Rendered values are checked again in `render`; the limits of the whole block are here.

use std::collections::{BTreeMap, BTreeSet};

use padclock_vault::Place;

use crate::compile::{Compiler, Field, Rules, verbatim};
use crate::escape::bad_header_byte;
use crate::piece::{Encoding, Text};
use crate::problem::MAX_HEADER_BYTES;

/// One header of a compiled request.
#[derive(Debug)]
pub(crate) struct Header {
    pub name: String,
    pub value: Text,
    /// Whether a secret stands in it.
    pub sensitive: bool,
}

impl Header {
    /// A header that is always the same.
    pub fn fixed(name: &str, value: &str) -> Self {
        let mut text = Text::default();
        text.push_static(value.as_bytes());
        Self {
            name: name.to_owned(),
            value: text,
            sensitive: false,
        }
    }
}

const HEADER_VALUE: Rules = Rules {
    literal: verbatim,
    encoding: Encoding::Raw,
    place: Place::Header,
    secret_uri: true,
};

/// Headers that a job can't set, with the reason. The hop-by-hop ones are those of RFC 9110 section 7.6.1.
const FORBIDDEN: [(&str, &str); 12] = [
    ("host", "it is made from the URL"),
    ("content-length", "it is made from the body"),
    ("transfer-encoding", "it is made from the body"),
    ("trailer", "it is made from the body"),
    ("connection", HOP),
    ("keep-alive", HOP),
    ("proxy-connection", HOP),
    ("proxy-authenticate", HOP),
    ("proxy-authorization", HOP),
    ("te", HOP),
    ("upgrade", HOP),
    ("expect", "the body is always sent at once"),
];
const HOP: &str = "it belongs to the connection, not to the request";

/// RFC 9110 section 5.6.2 "tchar".
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Compiles all headers of a request.
pub(crate) fn compile_headers(
    compiler: &mut Compiler<'_>,
    headers: &BTreeMap<String, String>,
) -> Vec<Header> {
    let mut seen = BTreeSet::new();
    let mut bytes = 0;
    let mut compiled = Vec::with_capacity(headers.len() + 2);
    for (name, value) in headers {
        let field = Field::new("headers", name);
        check_name(compiler, field);
        if !seen.insert(name.to_ascii_lowercase()) {
            let message = "this header is given twice in different case: give it once";
            compiler.problem(field, "duplicate_header", None, message);
        }
        check_literals(compiler, field, value);
        let value = compiler.text(field, value, &HEADER_VALUE);
        bytes += line_length(name.len(), value.static_len());
        let sensitive = value.first_secret().is_some();
        compiled.push(Header {
            name: name.clone(),
            value,
            sensitive,
        });
    }
    if bytes > MAX_HEADER_BYTES {
        let message = format!(
            "all headers together have at most {MAX_HEADER_BYTES} bytes, these have {bytes}"
        );
        compiler.problem(Field::new("headers", ""), "too_large", None, message);
    }
    compiled
}

/// How much of the header block one header takes: `name: value` and the line's end.
pub(crate) fn line_length(name: usize, value: usize) -> usize {
    name + 2 + value + 2
}

/// Refuses headers that something else in the request makes.
pub(crate) fn refuse_made(
    compiler: &mut Compiler<'_>,
    headers: &[Header],
    made: &[&str],
    maker: &str,
) {
    for header in headers {
        if made
            .iter()
            .any(|name| header.name.eq_ignore_ascii_case(name))
        {
            let message = format!("{maker} makes this header: leave it out");
            compiler.problem(
                Field::new("headers", &header.name),
                "conflict",
                None,
                message,
            );
        }
    }
}

fn check_name(compiler: &mut Compiler<'_>, field: Field<'_>) {
    if field.name.is_empty() {
        return compiler.problem(
            field,
            "bad_header_name",
            None,
            "a header's name can't be empty",
        );
    }
    if let Some(position) = field.name.bytes().position(|byte| !is_token_byte(byte)) {
        let message = "a header's name holds only letters, digits and !#$%&'*+-.^_`|~";
        return compiler.problem(field, "bad_header_name", Some(position), message);
    }
    if let Some((name, why)) = FORBIDDEN
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(field.name))
    {
        let message = format!("a job can't set the header {name}: {why}; leave it out");
        compiler.problem(field, "forbidden_header", None, message);
    }
}

fn check_literals(compiler: &mut Compiler<'_>, field: Field<'_>, text: &str) {
    if let Some(position) = bad_header_byte(text.as_bytes()) {
        let message = "a header's value holds no line breaks or other control characters";
        compiler.problem(field, "bad_header_value", Some(position), message);
    }
}
