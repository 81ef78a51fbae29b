//! Names: whether one says that a credential stands beside it, and what name a secret would have after it.

use crate::strength::Kind;

const PASSWORDS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "pass",
    "passwort",
];
const TOKENS: &[&str] = &[
    "token",
    "secret",
    "apikey",
    "authorization",
    "auth",
    "credential",
    "credentials",
    "cookie",
    "jwt",
    "bearer",
    "signature",
    "sig",
];
/// Ends of words written together.
const PASSWORD_ENDS: &[&str] = &["password", "passwd", "passphrase"];
const TOKEN_ENDS: &[&str] = &[
    "token",
    "secret",
    "apikey",
    "secretkey",
    "accesskey",
    "privatekey",
    "authkey",
];
/// What makes `key` the name of a credential.
const KEYS_OF: &[&str] = &[
    "api",
    "access",
    "secret",
    "private",
    "signing",
    "signature",
    "encryption",
    "master",
    "auth",
    "service",
    "account",
    "storage",
    "shared",
    "admin",
    "app",
    "client",
    "webhook",
    "functions",
    "subscription",
    "license",
    "deploy",
    "server",
    "write",
    "read",
    "integration",
    "crypto",
    "session",
    "jwt",
    "hmac",
    "aes",
    "apikey",
    "live",
];
/// What may follow: which one of several it is.
const TAILS: &[&str] = &[
    "prod",
    "production",
    "staging",
    "stage",
    "dev",
    "test",
    "live",
    "sandbox",
    "new",
    "old",
    "prev",
    "previous",
    "current",
    "value",
    "val",
    "us",
    "eu",
    "primary",
    "secondary",
    "default",
    "b64",
    "base64",
    "hex",
    "raw",
    "plain",
    "plaintext",
    "main",
    "backup",
];
/// What takes the meaning away.
const HARMLESS: &[&str] = &[
    "public",
    "next",
    "page",
    "pagination",
    "continuation",
    "csrf",
    "xsrf",
    "cache",
    "idempotency",
    "max",
    "min",
    "num",
    "total",
    "sort",
    "partition",
    "foreign",
    "pub",
    "publishable",
    "etag",
    "no",
    "without",
    "hash",
    "hashed",
    "known",
    "has",
    "is",
    "reset",
    "forgot",
    "show",
];

/// What a name says of the text beside it.
pub(crate) fn kind(name: &str) -> Option<Kind> {
    let mut words = words(name);
    if words.iter().any(|word| HARMLESS.contains(&word.as_str())) {
        return None;
    }
    while words.len() > 1
        && words
            .last()
            .is_some_and(|last| TAILS.contains(&last.as_str()) || is_number(last))
    {
        words.pop();
    }
    let last = words.last()?.as_str();
    let before = words.len().checked_sub(2).map(|at| words[at].as_str());
    let ends = |ends: &[&str]| ends.iter().any(|end| last.ends_with(end));
    if PASSWORDS.contains(&last) || ends(PASSWORD_ENDS) {
        return Some(Kind::Password);
    }
    if TOKENS.contains(&last)
        || ends(TOKEN_ENDS)
        || (last == "key" && before.is_some_and(|word| KEYS_OF.contains(&word)))
    {
        return Some(Kind::Token);
    }
    (last == "key").then_some(Kind::Weak)
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit())
}

/// The words of a name, in lower case: parted by signs and by humps.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for character in name.chars() {
        let hump = character.is_ascii_uppercase() && before.is_ascii_lowercase();
        if hump || !character.is_ascii_alphanumeric() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut()
            && character.is_ascii_alphanumeric()
        {
            word.push(character.to_ascii_lowercase());
        }
        before = character;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The longest name that is suggested.
const LONGEST: usize = 48;

/// A secret's name made of the name beside a credential; none when nothing of it can be used.
/// A word that may itself be a part of a credential is left out.
pub(crate) fn suggested(name: &str) -> Option<String> {
    let harmless = |word: &String| {
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        word.len() <= 16 && (digits == 0 || word.len() <= 6)
    };
    let mut words: Vec<String> = words(name).into_iter().filter(harmless).collect();
    if words.len() > 1 && words[0] == "x" {
        words.remove(0);
    }
    while words.iter().map(|word| word.len() + 1).sum::<usize>() > LONGEST {
        words.remove(0);
    }
    (!words.is_empty()).then(|| words.join("_"))
}
