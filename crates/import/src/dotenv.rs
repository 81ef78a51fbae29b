//! `.env` files: `NAME=value` lines with the quoting rules that the common readers agree on.

use padclock_vault::Value;
use zeroize::Zeroizing;

use crate::plan::{Place, Plan};
use crate::secrets::{Context, Find, fixed};
use crate::{Options, names, shell};

/// The longest value of a secret in bytes (the security contract, "Bad input").
const LONGEST: usize = 64 * 1024;

/// Whether a line can stand in a `.env` file.
pub(crate) fn looks_like_one(line: &str) -> bool {
    name(line).is_some()
}

/// A line of the file.
pub struct Entry {
    /// Its number, from 1.
    pub line: usize,
    /// The variable.
    pub name: String,
    /// What it is set to, or why that can't be read.
    pub value: Result<Zeroizing<String>, &'static str>,
}

/// The entries of a file, and the numbers of lines that are none.
#[must_use]
pub fn entries(text: &str) -> (Vec<Entry>, Vec<usize>) {
    let (mut entries, mut strange) = (Vec::new(), Vec::new());
    let mut rest = text;
    let mut number = 1;
    while !rest.is_empty() {
        let line = rest.lines().next().unwrap_or_default();
        let trimmed = line.trim();
        let mut used = line_length(rest);
        if !trimmed.is_empty() && !trimmed.starts_with('#') {
            match name(trimmed) {
                Some(name) => {
                    let start = rest.find('=').map_or(0, |at| at + 1);
                    let (value, length) = value(&rest[start..]);
                    entries.push(Entry {
                        line: number,
                        name: name.to_owned(),
                        value,
                    });
                    used = used.max(start + length);
                }
                None => strange.push(number),
            }
        }
        number += rest[..used].matches('\n').count();
        rest = &rest[used..];
    }
    (entries, strange)
}

fn line_length(text: &str) -> usize {
    text.find('\n').map_or(text.len(), |at| at + 1)
}

fn name(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = line.strip_prefix("export ").map_or(line, str::trim_start);
    let (name, _) = line.split_once('=')?;
    let name = name.trim_end();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    (begins && name.bytes().all(fits)).then_some(name)
}

/// What follows the `=`, and how many bytes of the text it takes, its line's end included.
fn value(text: &str) -> (Result<Zeroizing<String>, &'static str>, usize) {
    let lead = text.len() - text.trim_start_matches([' ', '\t']).len();
    let rest = &text[lead..];
    match rest.chars().next() {
        Some(quote @ ('"' | '\'' | '`')) => {
            let Some(length) = closing(&rest[1..], quote) else {
                return (Err("its quote is never closed"), line_length(text));
            };
            let inner = &rest[1..1 + length];
            let after = lead + length + 2;
            let value = if quote == '"' {
                unescaped(inner)
            } else {
                Zeroizing::new(inner.to_owned())
            };
            (Ok(value), after + line_length(&text[after..]))
        }
        _ => {
            let line = rest.lines().next().unwrap_or_default();
            // A comment begins at ` #`; a `#` within a word is part of it.
            let end = line
                .match_indices('#')
                .find(|(at, _)| *at == 0 || line[..*at].ends_with([' ', '\t']));
            let plain = line[..end.map_or(line.len(), |(at, _)| at)].trim_end();
            (Ok(Zeroizing::new(plain.to_owned())), line_length(text))
        }
    }
}

/// Where the quote is closed.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            c if c == quote => return Some(at),
            _ => {}
        }
    }
    None
}

fn unescaped(text: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len()));
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some('t') => out.push('\t'),
                Some(other @ ('"' | '\\' | '$' | '`' | '\'')) => out.push(other),
                Some(other) => {
                    out.push('\\');
                    out.push(other);
                }
                None => out.push('\\'),
            },
            _ => out.push(c),
        }
    }
    out
}

/// Reads a file: its credentials, or with `all` every line, become secrets of the variables' names.
pub(crate) fn read(text: &str, options: &Options<'_>, find: &Find<'_>) -> Plan {
    let mut plan = Plan::default();
    let (entries, strange) = entries(text);
    for line in strange {
        plan.leave_out(Place::Line(line), "it is not NAME=value");
    }
    let mut settings = 0;
    for entry in entries {
        let at = Place::Line(entry.line);
        match entry.value {
            Err(reason) => plan.leave_out(at, reason),
            Ok(value) if value.is_empty() => {}
            Ok(value) => {
                let field = format!("env.{}", entry.name);
                let context = Context {
                    field: &field,
                    name: &entry.name,
                };
                if options.all
                    || names::tells_credential(&entry.name)
                    || !find(context, &value).is_empty()
                {
                    keep(&mut plan, at, entry.name, &value, options);
                } else {
                    settings += 1;
                }
            }
        }
    }
    if settings > 0 {
        plan.note(None, format!("{settings} lines look like settings, not like credentials, and are left where they are; --all takes them too"));
    }
    plan.left_out.sort_by_key(|left| left.at);
    plan
}

fn keep(plan: &mut Plan, at: Place, name: String, value: &str, options: &Options<'_>) {
    if shell::is_name(&name) && is_reference(value) {
        return plan.note(at, "it names a secret already");
    }
    if value.len() < 4 || value.len() > LONGEST {
        return plan.leave_out(
            at,
            format!(
                "its value has {} bytes; a secret has 4 to {LONGEST}",
                value.len()
            ),
        );
    }
    let name = name.trim_end_matches('.').to_owned();
    let secret = fixed(name, Value::new(value), options.environment, at, None);
    // The last line wins, as when the file is read by a program.
    plan.secrets.retain(|other| other.name != secret.name);
    plan.secrets.push(secret);
}

/// What `cronctl exec --env-file` takes for a reference and not for a value.
fn is_reference(value: &str) -> bool {
    reference(value).is_some()
}

/// The name of the secret in `secret://name` or `{{secret.NAME}}`, when the value is nothing but that.
#[must_use]
pub fn reference(value: &str) -> Option<&str> {
    let braces = || {
        value
            .strip_prefix("{{")?
            .strip_suffix("}}")?
            .trim()
            .strip_prefix("secret.")
    };
    let name = value.strip_prefix("secret://").or_else(braces)?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (!name.is_empty() && !name.ends_with('.') && name.bytes().all(fits)).then_some(name)
}
