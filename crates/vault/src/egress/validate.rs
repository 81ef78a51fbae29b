//! What may be saved as a policy: each entry must be able to match something, and must mean what it seems to.

use std::net::Ipv4Addr;

use super::{EgressPolicy, ipv6, path};

/// The most entries of one list.
const MAX_ENTRIES: usize = 64;
/// The most bytes of a host name (RFC 1035).
const MAX_HOST: usize = 253;
/// The most bytes of one label of a host name (RFC 1035).
const MAX_LABEL: usize = 63;
/// The most bytes of a path prefix.
const MAX_PREFIX: usize = 1024;
/// The most bytes of a method or of an agent's label.
const MAX_WORD: usize = 128;

/// One thing that is wrong with a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyProblem {
    /// Where, inside the policy: `hosts[2]`; empty for the policy as a whole.
    pub field: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl EgressPolicy {
    /// Checks every entry.
    ///
    /// # Errors
    /// All problems, in the order of the fields.
    pub fn validate(&self) -> Result<(), Vec<PolicyProblem>> {
        let mut problems = Vec::new();
        if *self == EgressPolicy::default() {
            let message = "names nothing; name at least `hosts` or `agents`, or leave `egress` out for anywhere";
            problems.push(PolicyProblem {
                field: String::new(),
                message: message.to_owned(),
            });
        }
        each(&mut problems, "schemes", &self.schemes, |text| scheme(text));
        each(&mut problems, "hosts", &self.hosts, |text| host(text));
        each(&mut problems, "ports", &self.ports, |&number| port(number));
        each(&mut problems, "methods", &self.methods, |text| method(text));
        each(
            &mut problems,
            "path_prefixes",
            &self.path_prefixes,
            |text| path_prefix(text),
        );
        each(&mut problems, "places", &self.places, |_| Ok(()));
        each(&mut problems, "agents", &self.agents, |text| agent(text));
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems)
        }
    }
}

/// What is wrong with one entry.
type Checked = Result<(), String>;

fn each<T>(
    problems: &mut Vec<PolicyProblem>,
    list: &str,
    items: &[T],
    check: impl Fn(&T) -> Checked,
) {
    if items.len() > MAX_ENTRIES {
        let message = format!(
            "has {} entries; at most {MAX_ENTRIES} are allowed",
            items.len()
        );
        problems.push(PolicyProblem {
            field: list.to_owned(),
            message,
        });
        return;
    }
    for (at, item) in items.iter().enumerate() {
        if let Err(message) = check(item) {
            problems.push(PolicyProblem {
                field: format!("{list}[{at}]"),
                message,
            });
        }
    }
}

fn scheme(text: &str) -> Checked {
    match text.to_ascii_lowercase().as_str() {
        "http" | "https" => Ok(()),
        _ => refuse("must be `https` or `http`"),
    }
}

fn port(number: u16) -> Checked {
    if number == 0 {
        refuse("must be from 1 to 65535")
    } else {
        Ok(())
    }
}

fn method(text: &str) -> Checked {
    at_most(text, MAX_WORD)?;
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if text.is_empty() || !text.bytes().all(is_token) {
        return refuse("must be an HTTP method such as `GET`; leave `methods` out for any");
    }
    if text == "*" {
        refuse("leave `methods` out for any method")
    } else {
        Ok(())
    }
}

fn agent(text: &str) -> Checked {
    at_most(text, MAX_WORD)?;
    if text.is_empty() || text.trim() != text || text.chars().any(char::is_control) {
        return refuse("must be an agent's label, without white space around it");
    }
    Ok(())
}

fn host(text: &str) -> Checked {
    at_most(text, MAX_HOST)?;
    if !text.is_ascii() {
        return refuse("must be ASCII; write an international name in its `xn--` form");
    }
    if text.contains("://") || text.contains(['/', '@', '?', '#']) {
        return refuse(
            "must be a host alone, such as `api.example.com`, without scheme, user or path",
        );
    }
    if ipv6(text).is_some() || text.parse::<Ipv4Addr>().is_ok() {
        return Ok(());
    }
    if text.contains([':', '[', ']']) {
        return refuse("must be a host alone; a port belongs in `ports`");
    }
    let name = text.strip_prefix("*.").unwrap_or(text);
    if name.contains('*') {
        return refuse(
            "`*` may stand only as the first label, as in `*.example.com`; leave `hosts` out for any",
        );
    }
    if name.ends_with('.') {
        return refuse("must have no dot at its end");
    }
    host_name(name)
}

fn host_name(name: &str) -> Checked {
    for label in name.split('.') {
        let ends = label.starts_with('-') || label.ends_with('-');
        if label.is_empty() || label.len() > MAX_LABEL || ends || !label.bytes().all(is_label_byte)
        {
            return refuse(
                "must be a host such as `api.example.com`, `*.example.com` or `10.0.0.7`",
            );
        }
    }
    // A URL whose last label is a number names an IPv4 address (WHATWG URL), and is compared as one.
    let last = name.rsplit('.').next().unwrap_or_default();
    let hex = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    let numeric = last.bytes().all(|byte| byte.is_ascii_digit())
        || hex.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if numeric {
        refuse("must be a full IPv4 address, as in `10.0.0.7`, or end in a name")
    } else {
        Ok(())
    }
}

fn is_label_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn path_prefix(text: &str) -> Checked {
    at_most(text, MAX_PREFIX)?;
    if !text.starts_with('/') {
        return refuse("must begin with `/`");
    }
    if text
        .bytes()
        .any(|byte| !byte.is_ascii_graphic() || b"?#\\\"<>`{}|^".contains(&byte))
    {
        return refuse(
            "must be a path as it is sent: printable ASCII, percent-encoded, without query or `\\`",
        );
    }
    let bytes = text.as_bytes();
    let bad_escape = |at: usize| bytes[at] == b'%' && path::escaped(&bytes[at..]).is_none();
    if (0..bytes.len()).any(bad_escape) {
        return refuse("has a `%` that two hex digits don't follow; write it as `%25`");
    }
    if path::has_dot_segment(text) {
        return refuse("must have no `.` or `..` segment, plain or percent-encoded");
    }
    Ok(())
}

fn at_most(text: &str, limit: usize) -> Checked {
    if text.len() > limit {
        return Err(format!(
            "has {} bytes; at most {limit} are allowed",
            text.len()
        ));
    }
    Ok(())
}

fn refuse(message: &str) -> Checked {
    Err(message.to_owned())
}

#[cfg(test)]
mod tests;
