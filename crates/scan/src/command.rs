//! Passwords in the arguments of well-known commands: `curl -u user:password`, `mysql -pPASSWORD`, `sshpass -p PASSWORD`.

use crate::engine::Check;
use crate::finding::{Candidate, Sure};
use crate::placeholder;
use crate::rule::Rule;

static ARGUMENT: Rule = Rule::new(
    "command-password",
    "Password in a command's arguments",
    "password",
);

pub(crate) const RULES: &[&Rule] = &[&ARGUMENT];
pub(crate) const CHECKS: &[(&str, Check)] = &[
    (" -u", user),
    (" --user", user),
    (" --proxy-user", user),
    (" -p", short_password),
];

const LONGEST: usize = 256;
/// How far before an argument its command may stand.
const FAR: usize = 512;

/// The argument at `from`, without its quotes.
fn argument(text: &str, from: usize) -> Option<std::ops::Range<usize>> {
    let bytes = text.as_bytes();
    let quote = bytes
        .get(from)
        .copied()
        .filter(|byte| matches!(byte, b'"' | b'\''));
    let start = from + usize::from(quote.is_some());
    let rest = &bytes[start..bytes.len().min(start + LONGEST)];
    let ends = |byte: &u8| match quote {
        Some(quote) => *byte == quote || *byte == b'\n',
        None => byte.is_ascii_whitespace() || b"\"'|;&<>`".contains(byte),
    };
    let length = rest.iter().position(ends).unwrap_or(rest.len());
    (length > 0 && length < LONGEST).then_some(start..start + length)
}

/// Whether one of the commands stands before, in the same line.
fn follows(text: &str, at: usize, commands: &[&str]) -> bool {
    let bytes = &text.as_bytes()[at.saturating_sub(FAR)..at];
    let line = bytes
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |end| end + 1);
    let has = |command: &&str| {
        bytes[line..]
            .windows(command.len())
            .any(|window| window == command.as_bytes())
    };
    commands.iter().any(has)
}

fn is_password(text: &str) -> bool {
    text.len() >= 4
        && !placeholder::is_placeholder(text)
        && !text.starts_with(['$', '/', '-'])
        && !text.bytes().all(|byte| byte.is_ascii_digit())
}

fn user(text: &str, at: usize, end: usize) -> Option<Candidate> {
    let bytes = text.as_bytes();
    let from = match bytes.get(end)? {
        b' ' | b'=' => end + 1,
        _ if text[at..end].ends_with('u') => end,
        _ => return None,
    };
    let argument = argument(text, from)?;
    let given = text.get(argument.clone())?;
    let (name, password) = given.split_once(':')?;
    let start = argument.start + name.len() + 1;
    let plausible =
        !name.is_empty() && !given.contains("://") && !name.contains(char::is_whitespace);
    (plausible && is_password(password) && follows(text, at, &["curl", "wget", "http ", "https "]))
        .then(|| Candidate::new(&ARGUMENT, start..argument.end, Sure::Form))
}

fn short_password(text: &str, at: usize, end: usize) -> Option<Candidate> {
    let spaced = text.as_bytes().get(end) == Some(&b' ');
    let commands: &[&str] = if spaced {
        &["sshpass", "docker login"]
    } else {
        &["mysql", "mariadb", "sshpass", "sqlcmd"]
    };
    if !text[at..end].ends_with('p') || !follows(text, at, commands) {
        return None;
    }
    let argument = argument(text, end + usize::from(spaced))?;
    let given = text.get(argument.clone())?;
    let word = given.bytes().all(|byte| byte.is_ascii_lowercase());
    ((spaced || !word) && is_password(given) && !given.starts_with('='))
        .then(|| Candidate::new(&ARGUMENT, argument, Sure::Form))
}
