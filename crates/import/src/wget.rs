//! `wget` with its options, read into a draft.

use zeroize::Zeroizing;

use crate::draft::{Draft, DraftAuth};
use crate::shell::Reason;

type Text = Zeroizing<String>;

const UNKNOWN: Reason = "it has an option of wget that is not understood";
const FILE: Reason = "it writes the answer to a file: a job keeps it with the execution instead";

/// Options without a word of their own that change nothing here.
const NOTHING: [&str; 19] = [
    "quiet",
    "no-verbose",
    "verbose",
    "nv",
    "no-cache",
    "no-cookies",
    "delete-after",
    "no-check-certificate",
    "no-proxy",
    "inet4-only",
    "inet6-only",
    "no-dns-cache",
    "content-on-error",
    "server-response",
    "no-hsts",
    "background",
    "https-only",
    "show-progress",
    "no-show-progress",
];
/// Options whose word changes nothing here.
const SKIPPED: [&str; 12] = [
    "output-file",
    "append-output",
    "wait",
    "waitretry",
    "dns-timeout",
    "connect-timeout",
    "secure-protocol",
    "progress",
    "random-wait",
    "limit-rate",
    "prefer-family",
    "local-encoding",
];
const SHORT: [(char, &str); 13] = [
    ('q', "quiet"),
    ('v', "verbose"),
    ('d', "verbose"),
    ('b', "background"),
    ('S', "server-response"),
    ('4', "inet4-only"),
    ('6', "inet6-only"),
    ('O', "output-document"),
    ('o', "output-file"),
    ('a', "append-output"),
    ('T', "timeout"),
    ('t', "tries"),
    ('U', "user-agent"),
];

#[derive(Default)]
struct Reader {
    draft: Draft,
    url: Option<Text>,
    user: Option<Text>,
    password: Option<Text>,
    /// No redirect is followed.
    stays: bool,
}

/// Reads wget's words, its own name left out.
pub(crate) fn read(words: &[Text]) -> Result<Draft, Reason> {
    let mut reader = Reader::default();
    let mut words = words.iter();
    let mut options = true;
    while let Some(word) = words.next() {
        match word.as_str() {
            "--" if options => options = false,
            "-nv" if options => {}
            long if options && long.starts_with("--") => {
                let (name, attached) = match long[2..].split_once('=') {
                    Some((name, word)) => (name, Some(word)),
                    None => (&long[2..], None),
                };
                reader.option(name, attached, &mut words)?;
            }
            short if options && short.len() > 1 && short.starts_with('-') => {
                reader.short(&short[1..], &mut words)?
            }
            _ if reader.url.is_some() => {
                return Err("it calls more than one URL: make a job of each");
            }
            _ => reader.url = Some(word.clone()),
        }
    }
    reader.finish()
}

impl Reader {
    fn short<'w>(
        &mut self,
        letters: &str,
        words: &mut impl Iterator<Item = &'w Text>,
    ) -> Result<(), Reason> {
        let mut rest = letters.chars();
        while let Some(letter) = rest.next() {
            let name = SHORT
                .iter()
                .find(|(short, _)| *short == letter)
                .map(|(_, name)| *name)
                .ok_or(UNKNOWN)?;
            if NOTHING.contains(&name) {
                continue;
            }
            let attached = Some(rest.as_str()).filter(|rest| !rest.is_empty());
            return self.option(name, attached, words);
        }
        Ok(())
    }

    fn option<'w>(
        &mut self,
        name: &str,
        attached: Option<&str>,
        words: &mut impl Iterator<Item = &'w Text>,
    ) -> Result<(), Reason> {
        if name == "no-check-certificate" {
            self.draft
                .note("it did not check the server's certificate; a job always does");
        }
        if NOTHING.contains(&name) {
            return Ok(());
        }
        if name == "spider" {
            self.draft.method = Some("HEAD".to_owned());
            return Ok(());
        }
        let word = match attached {
            Some(word) => word,
            None => words.next().ok_or(UNKNOWN)?,
        };
        self.with_word(name, word)
    }

    fn with_word(&mut self, name: &str, word: &str) -> Result<(), Reason> {
        let text = || Text::new(word.to_owned());
        match name {
            "header" => {
                let (name, value) = word
                    .split_once(':')
                    .ok_or("it has a header without a colon")?;
                self.draft
                    .headers
                    .push((name.trim().to_owned(), Text::new(value.trim().to_owned())));
            }
            "post-data" => {
                self.draft.method.get_or_insert_with(|| "POST".to_owned());
                self.draft
                    .default_header("Content-Type", "application/x-www-form-urlencoded");
                self.draft.body = Some(text());
            }
            "body-data" => self.draft.body = Some(text()),
            "method" => self.draft.method = Some(word.to_owned()),
            "user-agent" => self.draft.default_header("User-Agent", word),
            "referer" => self.draft.default_header("Referer", word),
            "user" | "http-user" => self.user = Some(text()),
            "password" | "http-password" | "http-passwd" => self.password = Some(text()),
            "timeout" | "read-timeout" => self.draft.set_timeout(number(word)?),
            "tries" => self.draft.attempts = Some((number(word)? as u32).clamp(1, 20)),
            "output-document" if matches!(word, "-" | "/dev/null" | "/dev/stdout") => {}
            "output-document" => return Err(FILE),
            "max-redirect" => self.stays = word == "0",
            "post-file" | "body-file" | "input-file" => {
                return Err("it sends or reads a file of this machine");
            }
            name if SKIPPED.contains(&name) => {}
            _ => return Err(UNKNOWN),
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Draft, Reason> {
        // wget follows redirects unless it is told not to; nothing secret goes to another host.
        self.draft.follow = !self.stays;
        self.draft.url = self.url.take().ok_or("it calls no URL")?;
        if let Some(user) = self.user.take() {
            let password = self
                .password
                .take()
                .ok_or("it asks for the password on a terminal")?;
            self.draft.auth = Some(DraftAuth::Basic { user, password });
        }
        Ok(self.draft)
    }
}

fn number(word: &str) -> Result<f64, Reason> {
    let number = word
        .parse::<f64>()
        .ok()
        .filter(|number| number.is_finite() && *number >= 0.0);
    number.ok_or("one of its numbers can't be read")
}
