//! A name and a text beside it: `NAME=value`, `"name": "value"`, `name: value`, `<name>value</name>`, `--name value`.
//! The name says what it may be, the text whether it is.

use crate::engine::Check;
use crate::finding::{Candidate, Sure};
use crate::key;
use crate::rule::Rule;
use crate::strength::{self, Kind, Style};

static PASSWORD: Rule = Rule::new("generic-password", "Password beside its name", "password");
static TOKEN: Rule = Rule::new("generic-secret", "Token or key beside its name", "token");
static PARAMETER: Rule = Rule::new("url-parameter", "Credential in a URL's parameter", "token");
static AWS: Rule = Rule::new(
    "aws-secret-key",
    "AWS secret access key",
    "aws_secret_access_key",
);
static HEROKU: Rule = Rule::new("heroku-uuid-key", "Heroku API key", "heroku_api_key");

pub(crate) const RULES: &[&Rule] = &[&PASSWORD, &TOKEN, &PARAMETER, &AWS, &HEROKU];

/// Words of which names of credentials are made.
pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("pass", check),
    ("pwd", check),
    ("secret", check),
    ("token", check),
    ("key", check),
    ("auth", check),
    ("credential", check),
    ("jwt", check),
];

/// The rule for what stands beside a name.
pub(crate) fn rule_of(name: &str, kind: Kind, value: &str) -> &'static Rule {
    let lower = name.to_ascii_lowercase();
    let aws = value.len() == 40
        && lower.contains("secret")
        && (lower.contains("access") || lower.contains("aws"));
    if aws {
        return &AWS;
    }
    if value.len() == 36 && lower.contains("heroku") {
        return &HEROKU;
    }
    if kind == Kind::Password {
        &PASSWORD
    } else {
        &TOKEN
    }
}

const LONGEST_NAME: usize = 64;
const LONGEST_GAP: usize = 32;
const LONGEST_QUOTED: usize = 4096;
const LONGEST_BARE: usize = 512;

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

fn check(text: &str, at: usize, end: usize) -> Option<Candidate> {
    let bytes = text.as_bytes();
    let name = name_around(bytes, at, end)?;
    let called = text.get(name.start..name.end)?;
    let kind = key::kind(called)?;
    let value = value_after(bytes, &name)?;
    let found = text.get(value.start..value.end)?;
    if !strength::is_credential(found, kind, value.style)
        || (value.style == Style::Loose && goes_on(bytes, value.end))
    {
        return None;
    }
    let parameter = name.start > 0
        && matches!(bytes[name.start - 1], b'?' | b'&')
        && value.style == Style::Tight;
    let by_name = rule_of(called, kind, found);
    let rule = if parameter && *by_name == TOKEN {
        &PARAMETER
    } else {
        by_name
    };
    Some(Candidate {
        rule,
        span: value.start..value.end,
        sure: Sure::Name,
        name: key::suggested(called),
    })
}

struct Name {
    start: usize,
    end: usize,
    /// `--name`, `-name`: a space may part it from its value.
    flag: bool,
}

/// The name that the word is a part of.
fn name_around(bytes: &[u8], at: usize, end: usize) -> Option<Name> {
    let before = bytes[at.saturating_sub(LONGEST_NAME)..at].iter().rev();
    let mut start = at - before.take_while(|&&byte| is_name_byte(byte)).count();
    let after = bytes[end..bytes.len().min(end + LONGEST_NAME)].iter();
    let end = end + after.take_while(|&&byte| is_name_byte(byte)).count();
    if end - start > LONGEST_NAME {
        return None;
    }
    let named = start;
    while start < end && matches!(bytes[start], b'-' | b'.' | b'_') {
        start += 1;
    }
    let flag = start > named
        && bytes[named] == b'-'
        && (named == 0 || bytes[named - 1].is_ascii_whitespace());
    Some(Name { start, end, flag })
}

struct Beside {
    start: usize,
    end: usize,
    style: Style,
}

/// What the name is set to.
fn value_after(bytes: &[u8], name: &Name) -> Option<Beside> {
    let mut at = name.end;
    let mut closed = false;
    while at < name.end + 4 && bytes.get(at).is_some_and(|byte| b"\\\"'`])".contains(byte)) {
        closed |= bytes[at] != b'\\';
        at += 1;
    }
    let gap = skip_spaces(bytes, at);
    let tag = name.start > 0 && bytes[name.start - 1] == b'<';
    let (separator, mut from) = match (bytes.get(gap)?, bytes.get(gap + 1)) {
        (b'=', Some(b'=' | b'~')) | (b':', Some(b':')) => return None,
        (b':', Some(b'=')) | (b'=', Some(b'>')) => (b'=', gap + 2),
        (b'=', _) => (b'=', gap + 1),
        (b':', _) => (b':', gap + 1),
        (b'>', _) if tag => (b'>', gap + 1),
        (b',', _) if closed => (b',', gap + 1),
        _ if name.flag && gap > name.end => (b' ', gap),
        _ => return None,
    };
    let spaced = gap > at
        || bytes
            .get(from)
            .is_some_and(|byte| matches!(byte, b' ' | b'\t'));
    from = skip_spaces(bytes, from);
    // Between commas a backtick is of a text that names things.
    let listed = separator == b',' && bytes.get(from) == Some(&b'`');
    if let Some(quoted) = quoted(bytes, from).filter(|_| !listed) {
        return Some(quoted);
    }
    if separator == b',' {
        return None;
    }
    if separator == b':'
        && let Some(quoted) = behind_type(bytes, from)
    {
        return Some(quoted);
    }
    let end = bare_end(bytes, from)?;
    let tight = !spaced && separator != b':' || separator == b' ';
    // A line of YAML or of headers: the value is all that is left of it.
    let line = separator == b':'
        && spaced
        && bytes
            .get(end)
            .is_none_or(|byte| matches!(byte, b'\n' | b'\r' | b'"' | b'\''));
    let style = if tight || line {
        Style::Tight
    } else {
        Style::Loose
    };
    Some(Beside {
        start: from,
        end,
        style,
    })
}

fn skip_spaces(bytes: &[u8], from: usize) -> usize {
    let rest = bytes[from.min(bytes.len())..bytes.len().min(from + LONGEST_GAP)].iter();
    from + rest.take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

/// A text between quotes, which may be escaped or have a letter before them.
fn quoted(bytes: &[u8], from: usize) -> Option<Beside> {
    let mut open = from;
    if bytes
        .get(open)
        .is_some_and(|byte| b"bBrRfFuUL@$".contains(byte))
        && bytes
            .get(open + 1)
            .is_some_and(|byte| b"\"'".contains(byte))
    {
        open += 1;
    }
    let escaped = bytes.get(open) == Some(&b'\\');
    open += usize::from(escaped);
    let quote = *bytes.get(open).filter(|byte| b"\"'`".contains(byte))?;
    let start = open + 1;
    let limit = bytes.len().min(start + LONGEST_QUOTED);
    let mut at = start;
    while at < limit {
        match bytes[at] {
            b'\n' => return None,
            b'\\' if escaped => break,
            b'\\' => at += 1,
            byte if byte == quote => break,
            _ => {}
        }
        at += 1;
    }
    (at < limit).then_some(Beside {
        start,
        end: at,
        style: Style::Quoted,
    })
}

/// `name: Type = "value"`.
fn behind_type(bytes: &[u8], from: usize) -> Option<Beside> {
    let rest = &bytes[from..bytes.len().min(from + LONGEST_NAME)];
    let line = rest.split(|&byte| byte == b'\n').next()?;
    let equals = line.iter().position(|&byte| byte == b'=')?;
    quoted(bytes, skip_spaces(bytes, from + equals + 1))
}

fn bare_end(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = &bytes[from.min(bytes.len())..bytes.len().min(from + LONGEST_BARE)];
    let ends = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`,;&<>|)}\\".contains(byte);
    let length = rest.iter().position(ends).unwrap_or(rest.len());
    (length > 0 && length < LONGEST_BARE).then_some(from + length)
}

/// Whether code goes on behind: then what stands there is an expression.
fn goes_on(bytes: &[u8], end: usize) -> bool {
    bytes
        .get(end)
        .is_some_and(|byte| b"(){}[]<>.;,\\".contains(byte))
}
