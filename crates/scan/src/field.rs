//! One field whose name is known: a header, a parameter, a variable. The name counts as if it stood beside the text.

use crate::finding::{Candidate, Finding, Sure, told};
use crate::strength::{Kind, Style};
use crate::{assignment, engine, header, key, placeholder, strength};

/// What a text is the value of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context<'a> {
    /// A header of this name.
    Header(&'a str),
    /// A parameter of a URL, by its name.
    Query(&'a str),
    /// A variable, or a leaf of a JSON body, by its name.
    Named(&'a str),
    /// A field that exists to hold a credential, such as a password: whatever stands there is one, unless it is a reference.
    Credential(&'a str),
    /// Free text.
    Text,
}

/// The credentials in one field.
#[must_use]
pub fn scan_field(context: Context<'_>, text: &str) -> Vec<Finding> {
    let mut candidates = engine::candidates(text);
    candidates.extend(by_name(context, text));
    told(text, candidates)
}

fn by_name(context: Context<'_>, text: &str) -> Option<Candidate> {
    if placeholder::marked(text) {
        return None;
    }
    let (name, kind) = match context {
        Context::Text => return None,
        Context::Header(name) if name.eq_ignore_ascii_case("cookie") => {
            return header::cookie_value(text)
                .map(|span| Candidate::new(header::cookie_rule(), span, Sure::Name));
        }
        Context::Credential(name) => (name, key::kind(name).unwrap_or(Kind::Password)),
        Context::Header(name) | Context::Query(name) | Context::Named(name) => {
            (name, key::kind(name)?)
        }
    };
    let start = credentials_at(context, text);
    let value = text[start..].trim_end();
    let found = match context {
        Context::Credential(_) => !value.is_empty() && !placeholder::is_placeholder(value),
        _ => strength::is_credential(value, kind, Style::Quoted),
    };
    found.then(|| Candidate {
        rule: assignment::rule_of(name, kind, value),
        span: start..start + value.len(),
        sure: Sure::Name,
        name: key::suggested(name),
    })
}

/// Where the credential begins: behind the scheme of an `Authorization` header.
fn credentials_at(context: Context<'_>, text: &str) -> usize {
    let Context::Header(_) = context else {
        return 0;
    };
    let Some((scheme, rest)) = text.split_once(' ') else {
        return 0;
    };
    let is_scheme = !scheme.is_empty()
        && scheme.len() <= 16
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || byte == b'-');
    if is_scheme {
        text.len() - rest.trim_start().len()
    } else {
        0
    }
}
