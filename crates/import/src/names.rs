//! Names: which of them tell that what they name is a credential, and how secrets and jobs are named.

use std::collections::BTreeSet;

/// Words that tell it by themselves.
const TELLING: [&str; 18] = [
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "pass",
    "apikey",
    "authorization",
    "credential",
    "credentials",
    "cookie",
    "signature",
    "sig",
    "bearer",
    "accesskey",
    "secretkey",
    "privatekey",
];
/// Words that make a `key` a credential.
const BEFORE_KEY: [&str; 10] = [
    "api", "access", "secret", "private", "auth", "app", "account", "client", "signing", "service",
];
/// The longest name of a secret in bytes.
const LONGEST: usize = 100;

/// Whether what has this name (a header, a parameter, a variable) is a credential by that alone.
pub(crate) fn tells_credential(name: &str) -> bool {
    let words = words(name);
    let telling = |word: &String| TELLING.contains(&word.as_str());
    // `TOKEN_URL`, `secret_name`: what is named is not the credential but something about it.
    let about = [
        "url", "uri", "host", "name", "id", "file", "path", "type", "expiry", "ttl", "length",
        "enabled", "count", "region",
    ];
    if words
        .last()
        .is_some_and(|last| about.contains(&last.as_str()))
    {
        return false;
    }
    let key = words
        .windows(2)
        .any(|pair| pair[1] == "key" && BEFORE_KEY.contains(&pair[0].as_str()));
    key || words.iter().any(telling)
        || words[..] == ["key"]
        || words[..] == ["auth"]
        || words[..] == ["x", "auth"]
}

/// The words of `X-Api-Key`, `API_KEY` or `apiKey`, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut lower = false;
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() {
            words.push(String::new());
        } else {
            if c.is_ascii_uppercase() && lower {
                words.push(String::new());
            }
            if let Some(word) = words.last_mut() {
                word.push(c.to_ascii_lowercase());
            }
        }
        lower = c.is_ascii_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A name that a secret can have, of a text that may be anything; nothing when none is left of it.
pub(crate) fn secret_name(text: &str) -> Option<String> {
    let mut name = String::new();
    for c in text.chars() {
        let kept = c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if kept && name.len() < LONGEST {
            name.push(c);
        } else if !kept && !name.ends_with('-') && name.len() < LONGEST {
            name.push('-');
        }
    }
    let name = name.trim_matches(['-', '.']);
    (!name.is_empty()).then(|| name.to_owned())
}

/// `stripe-api-key`, of the host and of what the credential is called there.
pub(crate) fn of_host_and_field(host: &str, field: &str) -> String {
    let field = match field.to_ascii_lowercase().as_str() {
        "authorization" | "proxy-authorization" | "bearer" => "token".to_owned(),
        "" => "credential".to_owned(),
        other => words(other.strip_prefix("x-").unwrap_or(other)).join("-"),
    };
    match short_host(host) {
        Some(short) => format!("{short}-{field}"),
        None => field,
    }
}

/// `stripe` of `api.stripe.com`.
fn short_host(host: &str) -> Option<String> {
    let labels: Vec<&str> = host.split('.').collect();
    let last = labels.last()?;
    if labels.len() < 2 || last.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let second = labels[labels.len() - 2];
    // `example.co.uk`: the suffix has two labels.
    let pair = ["co", "com", "org", "net", "ac", "gov"].contains(&second)
        && last.len() == 2
        && labels.len() > 2;
    let short = if pair {
        labels[labels.len() - 3]
    } else {
        second
    };
    secret_name(&short.to_ascii_lowercase())
}

/// The name, or the first free one of `name-2`, `name-3` ….
pub(crate) fn free(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    if !is_taken(name) {
        return name.to_owned();
    }
    let numbered = |number: &usize| format!("{name}-{number}");
    (2..)
        .map(|number| numbered(&number))
        .find(|name| !is_taken(name))
        .unwrap_or_default()
}

/// A job's name, of the URL it calls: the host and those path segments that are words and can be no credential.
pub(crate) fn of_url(host: &str, path: &str) -> String {
    let word = |segment: &&str| {
        let letters = segment
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_' | b'.'));
        let version = segment.len() <= 3 && segment.starts_with('v');
        (letters || version) && segment.len() <= 24
    };
    let segments = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .take_while(word)
        .take(4);
    let parts: Vec<&str> = std::iter::once(host).chain(segments).collect();
    let name: String = parts.join("/");
    if name.is_empty() {
        "imported".to_owned()
    } else {
        name
    }
}

/// Gives out names of jobs, each once.
#[derive(Default)]
pub(crate) struct JobNames(BTreeSet<String>);

impl JobNames {
    /// This name, or the next with a number.
    pub(crate) fn take(&mut self, name: &str) -> String {
        let name = free(name, |name| self.0.contains(name));
        self.0.insert(name.clone());
        name
    }
}
