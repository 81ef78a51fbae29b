//! Credentials in HTTP's own forms: `Bearer TOKEN`, `Basic BASE64`, cookies. Other headers are names with a text beside them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use crate::alphabet::{Set, begins_word, run};
use crate::engine::Check;
use crate::finding::{Candidate, Sure};
use crate::placeholder;
use crate::rule::Rule;
use crate::strength;

static BEARER: Rule = Rule::new("http-bearer", "Bearer token", "bearer_token");
static BASIC: Rule = Rule::new(
    "http-basic",
    "User and password of Basic authentication",
    "basic_credentials",
);
static COOKIE: Rule = Rule::new("http-cookie", "Session in a cookie", "session_cookie");

pub(crate) const RULES: &[&Rule] = &[&BEARER, &BASIC, &COOKIE];
pub(crate) const CHECKS: &[(&str, Check)] =
    &[("bearer ", bearer), ("basic ", basic), ("cookie:", cookie)];

const LONGEST: usize = 4096;
const LONGEST_COOKIES: usize = 1024;
const SHORTEST_BEARER: usize = 12;

fn spaces(bytes: &[u8], from: usize) -> usize {
    from + bytes[from..]
        .iter()
        .take(8)
        .take_while(|byte| **byte == b' ')
        .count()
}

fn bearer(text: &str, at: usize, end: usize) -> Option<Candidate> {
    let bytes = text.as_bytes();
    let start = spaces(bytes, end);
    let end = run(bytes, start, Set::Token68, LONGEST);
    let token = &text[start..end];
    let random = token.bytes().any(|byte| byte.is_ascii_digit()) || strength::looks_random(token);
    let good = begins_word(bytes, at)
        && token.len() >= SHORTEST_BEARER
        && random
        && strength::is_credential(token, strength::Kind::Token, strength::Style::Tight)
        && !followed_by_reference(bytes, end);
    good.then(|| Candidate::new(&BEARER, start..end, Sure::Form))
}

/// `Bearer prefix-{{secret.X}}`: what stands there is not the token.
fn followed_by_reference(bytes: &[u8], end: usize) -> bool {
    bytes
        .get(end)
        .is_some_and(|byte| matches!(byte, b'{' | b'$' | b'<' | b':'))
}

fn basic(text: &str, at: usize, end: usize) -> Option<Candidate> {
    let bytes = text.as_bytes();
    let start = spaces(bytes, end);
    let end = run(bytes, start, Set::Base64, LONGEST);
    let encoded = &text[start..end];
    if encoded.len() < 8 || !begins_word(bytes, at) {
        return None;
    }
    let plain = STANDARD
        .decode(encoded)
        .or_else(|_| STANDARD_NO_PAD.decode(encoded))
        .ok()?;
    let plain = String::from_utf8(plain).ok()?;
    let (_, password) = plain.split_once(':')?;
    let good = !plain.contains(char::is_control)
        && !password.is_empty()
        && !placeholder::is_placeholder(password);
    good.then(|| Candidate::new(&BASIC, start..end, Sure::Form))
}

fn cookie(text: &str, at: usize, end: usize) -> Option<Candidate> {
    let bytes = text.as_bytes();
    if !begins_word(bytes, at) && !text[..at].ends_with('-') {
        return None;
    }
    let line = run_of_line(bytes, end);
    cookie_value(&text[end..line])
        .map(|span| Candidate::new(&COOKIE, end + span.start..end + span.end, Sure::Form))
}

fn run_of_line(bytes: &[u8], from: usize) -> usize {
    let rest = &bytes[from..bytes.len().min(from + LONGEST_COOKIES)];
    let stops =
        |byte: &u8| !byte.is_ascii() || byte.is_ascii_control() || matches!(byte, b'"' | b'\'');
    from + rest.iter().position(stops).unwrap_or(rest.len())
}

/// The first value of a cookie header that looks random.
pub(crate) fn cookie_value(header: &str) -> Option<std::ops::Range<usize>> {
    let mut at = 0;
    for pair in header.split(';') {
        if let Some((name, value)) = pair.split_once('=') {
            let start = at + name.len() + 1;
            let value = value.trim_end();
            if strength::is_credential(value, strength::Kind::Weak, strength::Style::Tight) {
                return Some(start..start + value.len());
            }
        }
        at += pair.len() + 1;
    }
    None
}

/// The rule of a cookie.
pub(crate) fn cookie_rule() -> &'static Rule {
    &COOKIE
}
