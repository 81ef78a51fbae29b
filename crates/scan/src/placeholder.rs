//! Text that stands where a value will be: references, variables, masks, and the examples of documents.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

/// What begins or surrounds a reference that is filled in later.
const MARKS: &[&str] = &[
    "${",
    "{{",
    "$(",
    "<%",
    "%(",
    "#{",
    "@@",
    "secret://",
    "$secret:",
    "[REDACTED",
    "vault://",
    "op://",
    "arn:aws:",
    "ssm:",
    "env:",
    "file:",
    "keyring:",
    "ENC[",
    "!Ref",
    "***",
    "...",
    "\u{2026}",
    "\u{2022}\u{2022}",
];

/// Words that a person replaces. Long enough not to stand in random text.
const WORDS: &[&str] = &[
    "changeme",
    "change_me",
    "change-me",
    "example",
    "placeholder",
    "your_",
    "your-",
    "yourpass",
    "yourtoken",
    "yourkey",
    "yoursecret",
    "yourapi",
    "replace",
    "redacted",
    "xxxx",
    "insert",
    "fixme",
    "notreal",
    "not-a-real",
    "not_a_real",
    "dummy",
    "sample",
    "foobar",
    "foo_bar",
    "my-secret",
    "my_secret",
    "mysecret",
    "my_token",
    "my-token",
    "mytoken",
    "mypassword",
    "my_password",
    "my-password",
    "my_api",
    "my-api",
    "supersecret",
    "super_secret",
    "super-secret",
    "topsecret",
    "censored",
    "masked",
    "hidden",
    "encrypted",
    "deadbeef",
    "put_here",
    "goes_here",
    "goes-here",
    "todo",
];

/// Whole texts that mean nothing.
const WHOLE: &[&str] = &[
    "none",
    "null",
    "nil",
    "true",
    "false",
    "undefined",
    "default",
    "string",
    "test",
    "testing",
    "password",
    "passwd",
    "secret",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "bearer",
    "basic",
    "required",
    "optional",
    "disabled",
    "enabled",
    "empty",
    "unset",
    "value",
    "admin",
    "root",
    "user",
    "username",
    "pass",
    "pwd",
    "letmein",
    "qwerty",
    "abc123",
    "test123",
    "password1",
    "password123",
    "secret123",
    "token123",
    "key123",
    "passw0rd",
    "p@ssw0rd",
    "p@ssword",
    "hunter2",
    "s3cr3t",
    "postgres",
    "guest",
    "userpass",
    "abcdef",
    "abcd1234",
    "abc",
    "bar",
    "foo",
    "baz",
    // RFC 7617 and the documents of vendors.
    "open sesame",
    "opensesame",
    "4ec39hqlyjwdarjtt1zdp7dc",
    "tr3ssecret",
    "bpxrficyexamplekey",
    "mf_9.b5f-4.1jqm",
    "mF_9.B5f-4.1JqM",
];

static MARKED: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| automaton(MARKS));
static WORDED: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| automaton(WORDS));

/// One pass for many words, whatever their case. Short constants always make one; without it each word is looked for.
pub(crate) fn automaton(words: &[&str]) -> Option<AhoCorasick> {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::DFA))
        .build(words)
        .ok()
}

/// Whether one of the words stands in the text.
pub(crate) fn holds(automaton: &Option<AhoCorasick>, words: &[&str], text: &str) -> bool {
    match automaton {
        Some(automaton) => automaton.is_match(text),
        None => words.iter().any(|word| text.contains(word)),
    }
}

/// Whether the text only stands for a value.
pub(crate) fn is_placeholder(text: &str) -> bool {
    let trimmed = text.trim();
    if trimmed.is_empty()
        || marked(trimmed)
        || bracketed(trimmed)
        || repeated(trimmed)
        || counted(trimmed)
    {
        return true;
    }
    let longest = WHOLE.iter().map(|word| word.len()).max().unwrap_or(0);
    let whole = trimmed.len() <= longest && WHOLE.contains(&trimmed.to_ascii_lowercase().as_str());
    whole || holds(&WORDED, WORDS, trimmed)
}

/// Whether a reference or variable stands in the text: then its literal rest is no credential.
pub(crate) fn marked(text: &str) -> bool {
    holds(&MARKED, MARKS, text) || variable(text) || conversion(text)
}

/// `$NAME`, `%NAME%`, `:name`, `&name`.
fn variable(text: &str) -> bool {
    let name = |text: &str| {
        !text.is_empty()
            && !text.starts_with(|first: char| first.is_ascii_digit())
            && text.bytes().all(|byte| {
                byte.is_ascii_alphanumeric()
                    || matches!(byte, b'_' | b'.' | b':' | b'-' | b'@' | b'[' | b']' | b'*')
            })
    };
    text.strip_prefix('$')
        .is_some_and(|rest| name(rest) || rest.parse::<u8>().is_ok())
        || text
            .strip_prefix('%')
            .and_then(|rest| rest.strip_suffix('%'))
            .is_some_and(name)
}

/// `%s`, `{}`, `{0}`, `{name}`, `?`.
fn conversion(text: &str) -> bool {
    let bare = text.trim_matches(|c: char| matches!(c, '"' | '\'' | ':' | '/'));
    if matches!(bare, "%s" | "%d" | "%v" | "%q" | "%w" | "{}" | "?" | "%@")
        || text.contains("%s")
        || text.contains("{}")
    {
        return true;
    }
    // `{name}` anywhere: a template of another language.
    let Some((_, rest)) = text.split_once('{') else {
        return false;
    };
    rest.split_once('}').is_some_and(|(name, _)| {
        !name.is_empty()
            && name.bytes().all(|byte| {
                byte.is_ascii_alphanumeric()
                    || matches!(byte, b'_' | b'.' | b':' | b'!' | b' ' | b'?')
            })
    })
}

/// `<token>`, `[token]`, `(token)`, `__TOKEN__`.
fn bracketed(text: &str) -> bool {
    [("<", ">"), ("[", "]"), ("(", ")"), ("__", "__"), ("{", "}")]
        .iter()
        .any(|(open, close)| text.starts_with(open) && text.ends_with(close))
}

/// The same few characters again and again.
fn repeated(text: &str) -> bool {
    let mut seen = [false; 256];
    for byte in text.bytes() {
        seen[usize::from(byte)] = true;
    }
    let distinct = seen.iter().filter(|seen| **seen).count();
    distinct <= 2 || (text.len() >= 16 && distinct <= 4)
}

/// Characters that count up or down, as people type them: `12345678`, `abcdefgh`.
fn counted(text: &str) -> bool {
    const STEPS: usize = 6;
    let bytes = text.as_bytes();
    let (mut up, mut most) = (0_usize, 0);
    for pair in bytes.windows(2) {
        let next = pair[0].checked_add(1) == Some(pair[1]) || (pair[0], pair[1]) == (b'9', b'0');
        up = if next && pair[0].is_ascii_alphanumeric() {
            up + 1
        } else {
            0
        };
        most = most.max(up);
    }
    most >= STEPS && (most + 1) * 5 >= bytes.len()
}
