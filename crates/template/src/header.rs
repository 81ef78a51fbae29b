//! Header names and values, and the `Authorization` header made from `auth`, at save time.
//! Rendered values are checked again in `render`; the limits of the whole block are here.

use std::collections::{BTreeMap, BTreeSet};

use padclock_vault::Place;

use crate::compile::{Compiler, Field, Rules, verbatim};
use crate::escape::bad_header_byte;
use crate::piece::{Encoding, Text};
use crate::problem::MAX_HEADER_BYTES;
use crate::spec::AuthSpec;

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

/// Compiled `auth`.
#[derive(Debug)]
pub(crate) enum Auth {
    Basic { username: Text, password: Text },
    Bearer { token: Text },
}

const HEADER_VALUE: Rules = Rules {
    literal: verbatim,
    encoding: Encoding::Raw,
    place: Place::Header,
    secret_uri: true,
};

const CREDENTIAL: Rules = Rules {
    place: Place::Auth,
    secret_uri: false,
    ..HEADER_VALUE
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

/// Compiles `auth`. `explicit` says that the headers have an `Authorization` of their own.
pub(crate) fn compile_auth(compiler: &mut Compiler<'_>, auth: &AuthSpec, explicit: bool) -> Auth {
    if explicit {
        let message = "the headers have an Authorization of their own: leave that or auth out";
        compiler.problem(Field::new("auth", ""), "conflict", None, message);
    }
    match auth {
        AuthSpec::Basic { username, password } => {
            let user_field = Field::new("auth.basic", "username");
            check_credential(compiler, user_field, username);
            check_credential(compiler, Field::new("auth.basic", "password"), password);
            let username = compiler.text(user_field, username, &CREDENTIAL);
            check_colon(compiler, user_field, &username);
            let password =
                compiler.text(Field::new("auth.basic", "password"), password, &CREDENTIAL);
            Auth::Basic { username, password }
        }
        AuthSpec::Bearer { token } => {
            let field = Field::new("auth.bearer", "token");
            check_credential(compiler, field, token);
            Auth::Bearer {
                token: compiler.text(field, token, &CREDENTIAL),
            }
        }
    }
}

fn check_credential(compiler: &mut Compiler<'_>, field: Field<'_>, text: &str) {
    if let Some(position) = bad_header_byte(text.as_bytes()) {
        let message = "credentials hold no line breaks or other control characters";
        compiler.problem(field, "bad_header_value", Some(position), message);
    }
    if text.is_empty() && field.name != "password" {
        compiler.problem(field, "required", None, "it can't be empty");
    }
}

/// RFC 7617: the first colon ends the user, so the user can hold none.
fn check_colon(compiler: &mut Compiler<'_>, field: Field<'_>, username: &Text) {
    if username.has_static_byte(b':') {
        compiler.problem(
            field,
            "bad_username",
            None,
            "the user of basic auth can hold no colon",
        );
    }
}
