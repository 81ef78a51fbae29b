//! How much a text looks like a credential: by entropy, and by what it looks like instead. Names are judged in `key`.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use crate::placeholder;

/// What the name beside a text says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A person may have chosen it: short ones count.
    Password,
    /// A machine made it: it looks random.
    Token,
    /// A name such as `key`, which says little: only what looks random counts.
    Weak,
}

/// How a text is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Between quotes, or a whole field.
    Quoted,
    /// `NAME=value` without a space, as in shells, files of variables and URLs.
    Tight,
    /// Anything else: it may be code.
    Loose,
}

/// What stands in code and in patterns.
const CODE_MARKS: &[&str] = &[
    "::", "->", "=>", "()", "](", "\\w", "\\d", "[a-", "[A-", "[^", "(?", ".*", "&&", "||", "==",
];
static CODE: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| placeholder::automaton(CODE_MARKS));

const LONGEST: usize = 4096;
/// Text beside a name that says little is looked at by every check: it must be short.
const LONGEST_WEAK: usize = 512;

/// Whether a text that stands beside such a name is a credential.
pub(crate) fn is_credential(text: &str, kind: Kind, style: Style) -> bool {
    let least = match (kind, style) {
        (Kind::Password, Style::Quoted) => 6,
        (Kind::Password | Kind::Token, _) => 8,
        (Kind::Weak, _) => 20,
    };
    let most = if kind == Kind::Weak {
        LONGEST_WEAK
    } else {
        LONGEST
    };
    if !(least..=most).contains(&text.len())
        || text.contains(char::is_whitespace)
        || placeholder::is_placeholder(text)
        || is_something_else(text)
    {
        return false;
    }
    match (kind, style) {
        (Kind::Password, Style::Quoted) => !is_chosen_name(text) && !plain_word(text),
        (Kind::Password, Style::Tight) => {
            (mixed(text) || looks_random(text)) && !is_chosen_name(text)
        }
        (Kind::Token, Style::Quoted | Style::Tight) => {
            !is_name(text) && !numbered_word(text) && scattered(text)
        }
        (Kind::Password | Kind::Token, Style::Loose) => {
            !is_name(text)
                && !numbered_word(text)
                && scattered(text)
                && (digit_groups(text) >= 2 || looks_random(text))
        }
        (Kind::Weak, _) => looks_random(text),
    }
}

/// Whether a text is random enough to be a credential without a telling name: letters and digits, long, with entropy.
pub(crate) fn looks_random(text: &str) -> bool {
    let letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if text.len() < 16 || letters == 0 || is_name(text) || entropy(text) < 3.0 {
        return false;
    }
    (digits >= 2 && digit_groups(text) >= 2) || jagged(text)
}

/// Bits per byte by how often each byte occurs (Shannon).
fn entropy(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in text.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let length = text.len() as f64;
    let bits = counts.iter().filter(|count| **count > 0).map(|&count| {
        let share = f64::from(count) / length;
        -share * share.log2()
    });
    bits.sum()
}

fn scattered(text: &str) -> bool {
    (mixed(text) || jagged(text)) && entropy(text) >= 2.3
}

/// Letters together with digits, or with signs that no name has.
fn mixed(text: &str) -> bool {
    let letter = text.bytes().any(|byte| byte.is_ascii_alphabetic());
    let digit = text.bytes().any(|byte| byte.is_ascii_digit());
    let sign = text.bytes().any(|byte| b"!@#$%^&*+=?~|".contains(&byte));
    letter && (digit || sign)
}

/// Upper and lower case in turn, more than the humps of a name make.
fn jagged(text: &str) -> bool {
    let letters: Vec<u8> = text.bytes().filter(u8::is_ascii_alphabetic).collect();
    let turns = letters
        .windows(2)
        .filter(|pair| pair[0].is_ascii_uppercase() != pair[1].is_ascii_uppercase())
        .count();
    letters.len() >= 16 && turns * 5 > letters.len() * 2
}

fn digit_groups(text: &str) -> usize {
    text.split(|c: char| !c.is_ascii_digit())
        .filter(|group| !group.is_empty())
        .count()
}

/// Several words with signs between them, each of letters and perhaps a short number: a name, in code or of a thing.
fn is_name(text: &str) -> bool {
    let mut parts = text.split(['-', '_', '.', ':', '/', ' ']);
    let named = |part: &str| {
        let word = part.trim_end_matches(|c: char| c.is_ascii_digit());
        part.len() - word.len() <= 4
            && word.len() <= 16
            && word.bytes().all(|byte| byte.is_ascii_alphabetic())
            && !jagged(word)
    };
    let all = parts.clone().all(named);
    all && (parts.next().is_some_and(|first| first.len() < text.len()) || letters_only(text))
}

/// As [`is_name`], for what a person may have chosen: numbers in several words are a password's.
fn is_chosen_name(text: &str) -> bool {
    is_name(text) && digit_groups(text) < 2
}

fn letters_only(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// One word of lower-case letters.
fn plain_word(text: &str) -> bool {
    letters_only(text) && !jagged(text)
}

/// A word with a short number behind it: `token2`.
fn numbered_word(text: &str) -> bool {
    let word = text.trim_end_matches(|c: char| c.is_ascii_digit());
    text.len() - word.len() <= 4 && letters_only(word) && word.len() <= 16 && !jagged(word)
}

/// Paths, URLs, numbers, times, versions, expressions and patterns.
fn is_something_else(text: &str) -> bool {
    let path = ["/", "./", "../", "~/", "C:\\", "\\\\"]
        .iter()
        .any(|start| text.starts_with(start))
        && !looks_like_base64(text);
    let code = placeholder::holds(&CODE, CODE_MARKS, text);
    let file = [
        ".pem", ".key", ".json", ".txt", ".yaml", ".yml", ".toml", ".env", ".crt", ".sh", ".py",
        ".js", ".rs", ".go", ".md", ".html",
    ]
    .iter()
    .any(|end| text.ends_with(end));
    let number = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b".,:-+_ xX%".contains(&byte));
    path || code
        || file
        || number
        || text.contains("://")
        || is_time(text)
        || is_call(text)
        || text.starts_with("data:")
        || text.starts_with("sha256:")
        || text.starts_with('#')
}

/// A long run without a dot or a second level: a path has both.
fn looks_like_base64(text: &str) -> bool {
    text.len() >= 24
        && !text.contains('.')
        && text.matches('/').count() <= 3
        && digit_groups(text) >= 3
}

/// `2026-03-09T…`.
fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 10
        && bytes[4] == b'-'
        && bytes[7] == b'-'
        && bytes[..4]
            .iter()
            .chain(&bytes[5..7])
            .chain(&bytes[8..10])
            .all(u8::is_ascii_digit)
}

/// A call or an index: `get(…)`, `list[0]`.
fn is_call(text: &str) -> bool {
    let Some(open) = text.find(['(', '[']) else {
        return false;
    };
    if text.ends_with('(') {
        return true;
    }
    open > 0
        && text[..open]
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.$:".contains(&byte))
        && (text.ends_with([')', ']']) || text[open + 1..].starts_with(['"', '\'']))
}
