//! The URL of a request at save time: where its origin, path and query are, and what may stand in each.
//! A secret never decides scheme, host or port. The `url` crate reads the origin only; rendering is in `write`.

mod split;
mod write;

use std::collections::BTreeMap;

use padclock_vault::Place;

use self::split::{Region, Split};
pub(crate) use self::write::Url;
use crate::compile::{Compiler, Field, Rules};
use crate::escape::percent;
use crate::piece::{Encoding, Text};
use crate::problem::MAX_URL_BYTES;

/// The request's own URL.
pub(crate) const URL: Field<'static> = Field::new("", "url");

const PARAMETER: Rules = Rules {
    literal: percent,
    encoding: Encoding::Percent,
    place: Place::Query,
    secret_uri: false,
};

/// A compiled URL.
#[derive(Debug)]
pub(crate) struct Address {
    pub origin: Base,
    /// Begins with `/`.
    pub path: Text,
    /// Without `?`.
    pub query: Text,
}

/// The part of a URL before the path that the template names.
#[derive(Debug)]
pub(crate) enum Base {
    Fixed(Origin),
    /// Made of variables; read at each rendering. `field` is the URL's own path, for problems found once the env is known.
    Variable {
        text: Text,
        field: String,
    },
}

/// Scheme, host and port, normalised, and the path that a variable brought with it (empty, or from `/` on without a final slash).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub scheme: &'static str,
    pub host: String,
    pub port: u16,
    pub prefix: String,
}

impl Origin {
    /// Reads `scheme://host[:port][/prefix]`. An error says what would be right, and repeats nothing.
    pub fn parse(text: &str) -> Result<Origin, &'static str> {
        let scheme = ["https", "http"]
            .into_iter()
            .find(|scheme| has_scheme(text, scheme));
        let Some(scheme) = scheme else {
            return Err("a URL begins with http:// or https://");
        };
        let refused =
            |byte: u8| byte <= b' ' || byte == 0x7f || matches!(byte, b'\\' | b'?' | b'#');
        if text.bytes().any(refused) {
            return Err("white space, '\\', '?' and '#' can't stand in the scheme, host or port");
        }
        if text.contains('@') {
            return Err("a URL holds no user or password: use auth");
        }
        let url = url::Url::parse(text).map_err(
            |_| "the URL's host or port is not valid: write https://host or https://host:port",
        )?;
        let host = url
            .host_str()
            .map(|host| host.strip_suffix('.').unwrap_or(host))
            .filter(|host| !host.is_empty());
        let (Some(host), Some(port @ 1..)) = (host, url.port_or_known_default()) else {
            return Err("the URL needs a host, and a port from 1 to 65535");
        };
        Ok(Origin {
            scheme,
            host: host.to_owned(),
            port,
            prefix: url.path().trim_end_matches('/').to_owned(),
        })
    }

    /// `:port`, unless it is the scheme's own.
    pub fn shown_port(&self) -> Option<u16> {
        let own = if self.scheme == "https" { 443 } else { 80 };
        Some(self.port).filter(|port| *port != own)
    }
}

fn has_scheme(text: &str, scheme: &str) -> bool {
    let (head, rest) = text.as_bytes().split_at(scheme.len().min(text.len()));
    head.eq_ignore_ascii_case(scheme.as_bytes()) && rest.starts_with(b"://")
}

/// Compiles the URL of this field and a query; nothing when the URL's problems leave no origin.
pub(crate) fn compile_address(
    compiler: &mut Compiler<'_>,
    field: Field<'static>,
    url: &str,
    parameters: &BTreeMap<String, String>,
) -> Option<Address> {
    check_length(compiler, field, url, parameters);
    check_characters(compiler, field, url);
    let segments = compiler.segments(field, url, false);
    let split = Split::of(field, &segments);
    split.check(compiler);
    split.note(compiler);
    let origin = split.base(compiler);
    let mut query = split.text(Region::Query);
    append_parameters(compiler, parameters, &mut query);
    let mut path = split.text(Region::Path);
    if !path.begins_with(b'/') {
        path = Text::default();
        path.push_static(b"/");
    }
    origin.map(|origin| Address {
        origin,
        path,
        query,
    })
}

fn check_length(
    compiler: &mut Compiler<'_>,
    field: Field<'_>,
    url: &str,
    parameters: &BTreeMap<String, String>,
) {
    let bytes = url.len()
        + parameters
            .iter()
            .map(|(name, value)| name.len() + value.len() + 2)
            .sum::<usize>();
    if bytes > MAX_URL_BYTES {
        let message =
            format!("a URL has at most {MAX_URL_BYTES} bytes with its query, this one has {bytes}");
        compiler.problem(field, "too_large", None, message);
    }
}

fn check_characters(compiler: &mut Compiler<'_>, field: Field<'_>, url: &str) {
    let mut outside = true;
    for (position, byte) in url.bytes().enumerate() {
        match byte {
            b'{' => outside = false,
            b'}' => outside = true,
            _ => {}
        }
        if byte < b' ' || byte == 0x7f || (byte == b' ' && outside) {
            let message = "a URL holds no white space or control characters: write a space as %20";
            return compiler.problem(field, "bad_url", Some(position), message);
        }
    }
}

fn append_parameters(
    compiler: &mut Compiler<'_>,
    parameters: &BTreeMap<String, String>,
    query: &mut Text,
) {
    for (name, value) in parameters {
        let field = Field::new("query", name);
        compiler.literal_name(field, name);
        if !query.is_empty() {
            query.push_static(b"&");
        }
        query.push_encoded(name.as_bytes(), percent);
        query.push_static(b"=");
        let value = compiler.text(field, value, &PARAMETER);
        query.append(value);
    }
}
