//! `curl` with its options, read into a draft. An option that a job has no match for ends it with a reason.

use zeroize::Zeroizing;

use crate::draft::{Draft, DraftAuth};
use crate::shell::Reason;
use crate::url;

type Text = Zeroizing<String>;

const FILE: Reason = "it sends a file of this machine";
const UNKNOWN: Reason = "it has an option of curl that is not understood";
const CERTIFICATE: Reason = "it uses certificates or keys of this machine";
const PROXY: Reason = "it goes through a proxy";
const SEVERAL: Reason = "it calls more than one URL: make a job of each";
const OUTPUT: Reason = "it writes the answer to a file: a job keeps it with the execution instead";
const GLOB: Reason = "its URL has {…} or […], which curl expands to several";

/// What an option does, by its long name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Does {
    Method,
    Header,
    Data,
    DataRaw,
    DataBinary,
    DataUrlencode,
    Json,
    Agent,
    Referer,
    User,
    Bearer,
    Cookie,
    Url,
    UrlQuery,
    Output,
    MaxTime,
    Retry,
    RetryDelay,
    Range,
    Get,
    Head,
    Location,
    Insecure,
    GlobOff,
    /// It changes nothing that matters to a job.
    Nothing,
    /// The same, and the next word belongs to it.
    Skip,
    No(Reason),
    /// The same, and the next word belongs to it.
    NoWith(Reason),
}

impl Does {
    const fn takes_word(self) -> bool {
        !matches!(
            self,
            Self::Get
                | Self::Head
                | Self::Location
                | Self::Insecure
                | Self::GlobOff
                | Self::Nothing
                | Self::No(_)
        )
    }
}

const OPTIONS: &[(char, &str, Does)] = &[
    ('X', "request", Does::Method),
    ('H', "header", Does::Header),
    ('d', "data", Does::Data),
    ('\0', "data-ascii", Does::Data),
    ('\0', "data-raw", Does::DataRaw),
    ('\0', "data-binary", Does::DataBinary),
    ('\0', "data-urlencode", Does::DataUrlencode),
    ('\0', "json", Does::Json),
    ('A', "user-agent", Does::Agent),
    ('e', "referer", Does::Referer),
    ('u', "user", Does::User),
    ('\0', "oauth2-bearer", Does::Bearer),
    ('b', "cookie", Does::Cookie),
    ('\0', "url", Does::Url),
    ('\0', "url-query", Does::UrlQuery),
    ('o', "output", Does::Output),
    ('m', "max-time", Does::MaxTime),
    ('\0', "retry", Does::Retry),
    ('\0', "retry-delay", Does::RetryDelay),
    ('r', "range", Does::Range),
    ('G', "get", Does::Get),
    ('I', "head", Does::Head),
    ('L', "location", Does::Location),
    ('\0', "location-trusted", Does::Location),
    ('k', "insecure", Does::Insecure),
    ('g', "globoff", Does::GlobOff),
    ('s', "silent", Does::Nothing),
    ('S', "show-error", Does::Nothing),
    ('f', "fail", Does::Nothing),
    ('\0', "fail-with-body", Does::Nothing),
    ('\0', "fail-early", Does::Nothing),
    ('v', "verbose", Does::Nothing),
    ('i', "include", Does::Nothing),
    ('\0', "show-headers", Does::Nothing),
    ('j', "junk-session-cookies", Does::Nothing),
    ('N', "no-buffer", Does::Nothing),
    ('\0', "buffer", Does::Nothing),
    ('#', "progress-bar", Does::Nothing),
    ('\0', "progress-meter", Does::Nothing),
    ('q', "disable", Does::Nothing),
    ('4', "ipv4", Does::Nothing),
    ('6', "ipv6", Does::Nothing),
    ('0', "http1.0", Does::Nothing),
    ('\0', "http1.1", Does::Nothing),
    ('\0', "http2", Does::Nothing),
    ('\0', "http2-prior-knowledge", Does::Nothing),
    ('\0', "http3", Does::Nothing),
    ('1', "tlsv1", Does::Nothing),
    ('\0', "tlsv1.0", Does::Nothing),
    ('\0', "tlsv1.1", Does::Nothing),
    ('\0', "tlsv1.2", Does::Nothing),
    ('\0', "tlsv1.3", Does::Nothing),
    ('\0', "compressed", Does::Nothing),
    ('\0', "basic", Does::Nothing),
    ('\0', "keepalive", Does::Nothing),
    ('\0', "sessionid", Does::Nothing),
    ('\0', "alpn", Does::Nothing),
    ('\0', "tcp-nodelay", Does::Nothing),
    ('\0', "tcp-fastopen", Does::Nothing),
    ('\0', "path-as-is", Does::Nothing),
    ('\0', "retry-all-errors", Does::Nothing),
    ('\0', "retry-connrefused", Does::Nothing),
    ('\0', "styled-output", Does::Nothing),
    ('\0', "post301", Does::Nothing),
    ('\0', "post302", Does::Nothing),
    ('\0', "post303", Does::Nothing),
    ('w', "write-out", Does::Skip),
    ('D', "dump-header", Does::Skip),
    ('c', "cookie-jar", Does::Skip),
    ('\0', "stderr", Does::Skip),
    ('\0', "trace", Does::Skip),
    ('\0', "connect-timeout", Does::Skip),
    ('\0', "retry-max-time", Does::Skip),
    ('\0', "max-redirs", Does::Skip),
    ('\0', "max-filesize", Does::Skip),
    ('\0', "keepalive-time", Does::Skip),
    ('\0', "proto", Does::Skip),
    ('\0', "proto-default", Does::Skip),
    ('\0', "proto-redir", Does::Skip),
    ('\0', "ciphers", Does::Skip),
    ('\0', "tls-max", Does::Skip),
    ('\0', "limit-rate", Does::Skip),
    ('y', "speed-time", Does::Skip),
    ('Y', "speed-limit", Does::Skip),
    ('\0', "noproxy", Does::Skip),
    ('O', "remote-name", Does::No(OUTPUT)),
    ('J', "remote-header-name", Does::No(OUTPUT)),
    ('\0', "remote-name-all", Does::No(OUTPUT)),
    (
        'n',
        "netrc",
        Does::No("it takes the password from ~/.netrc: store that as a secret, and use auth"),
    ),
    (
        '\0',
        "netrc-file",
        Does::NoWith(
            "it takes the password from a netrc file: store that as a secret, and use auth",
        ),
    ),
    (
        '\0',
        "netrc-optional",
        Does::No("it takes the password from ~/.netrc: store that as a secret, and use auth"),
    ),
    (
        'K',
        "config",
        Does::NoWith("its options are in a file of this machine"),
    ),
    (
        'F',
        "form",
        Does::NoWith("it sends a multipart form, which a job can't yet"),
    ),
    (
        '\0',
        "form-string",
        Does::NoWith("it sends a multipart form, which a job can't yet"),
    ),
    ('T', "upload-file", Does::NoWith(FILE)),
    ('a', "append", Does::No(FILE)),
    ('x', "proxy", Does::NoWith(PROXY)),
    ('U', "proxy-user", Does::NoWith(PROXY)),
    ('\0', "socks5", Does::NoWith(PROXY)),
    ('\0', "socks5-hostname", Does::NoWith(PROXY)),
    ('\0', "preproxy", Does::NoWith(PROXY)),
    ('E', "cert", Does::NoWith(CERTIFICATE)),
    ('\0', "key", Does::NoWith(CERTIFICATE)),
    ('\0', "cacert", Does::NoWith(CERTIFICATE)),
    ('\0', "capath", Does::NoWith(CERTIFICATE)),
    ('\0', "pinnedpubkey", Does::NoWith(CERTIFICATE)),
    (
        '\0',
        "digest",
        Does::No("it uses digest authentication, which a job can't"),
    ),
    (
        '\0',
        "ntlm",
        Does::No("it uses NTLM authentication, which a job can't"),
    ),
    (
        '\0',
        "negotiate",
        Does::No("it uses Kerberos authentication, which a job can't"),
    ),
    (
        '\0',
        "anyauth",
        Does::No("it asks the server which authentication to use, which a job can't"),
    ),
    (
        '\0',
        "aws-sigv4",
        Does::NoWith("it signs for AWS, which a job can't yet"),
    ),
    (
        '\0',
        "resolve",
        Does::NoWith("it names the host's address itself"),
    ),
    (
        '\0',
        "connect-to",
        Does::NoWith("it names the host's address itself"),
    ),
    (
        '\0',
        "unix-socket",
        Does::NoWith("it goes to a socket of this machine"),
    ),
    (
        '\0',
        "interface",
        Does::NoWith("it names the network interface"),
    ),
    (
        'z',
        "time-cond",
        Does::NoWith("it asks by the time of a file of this machine"),
    ),
    ('C', "continue-at", Does::NoWith(OUTPUT)),
    (':', "next", Does::No(SEVERAL)),
    ('Z', "parallel", Does::No(SEVERAL)),
];

struct Reader<'s> {
    draft: Draft,
    stdin: Option<&'s str>,
    url: Option<Text>,
    /// What `-d` and its kin gave, each with `&` in front but the first.
    data: Option<Text>,
    query: Vec<Text>,
    get: bool,
    head: bool,
    json: bool,
    glob: bool,
}

/// Reads curl's words, its own name left out. `stdin`: what it is given there.
pub(crate) fn read(words: &[Text], stdin: Option<&str>) -> Result<Draft, Reason> {
    let mut reader = Reader {
        draft: Draft::default(),
        stdin,
        url: None,
        data: None,
        query: Vec::new(),
        get: false,
        head: false,
        json: false,
        glob: true,
    };
    let mut words = words.iter();
    let mut options = true;
    while let Some(word) = words.next() {
        match word.as_str() {
            "--" if options => options = false,
            long if options && long.starts_with("--") => {
                let does = by_name(&long[2..])?;
                let argument = if does.takes_word() {
                    words.next().ok_or(UNKNOWN)?
                } else {
                    word
                };
                reader.apply(does, argument)?;
            }
            short if options && short.len() > 1 && short.starts_with('-') => {
                reader.short(&short[1..], &mut words)?;
            }
            _ => reader.apply(Does::Url, word)?,
        }
    }
    reader.finish()
}

fn by_name(name: &str) -> Result<Does, Reason> {
    let find = |name: &str| {
        OPTIONS
            .iter()
            .find(|(_, long, _)| *long == name)
            .map(|(.., does)| *does)
    };
    let without = || {
        let positive = find(name.strip_prefix("no-")?)?;
        (!positive.takes_word()).then_some(Does::Nothing)
    };
    find(name).or_else(without).ok_or(UNKNOWN)
}

impl Reader<'_> {
    /// `-sSfXPOST`: several letters, and what one of them takes.
    fn short<'w>(
        &mut self,
        letters: &str,
        words: &mut impl Iterator<Item = &'w Text>,
    ) -> Result<(), Reason> {
        let mut rest = letters.chars();
        while let Some(letter) = rest.next() {
            let does = OPTIONS
                .iter()
                .find(|(short, ..)| *short == letter && letter != '\0');
            let does = does.map(|(.., does)| *does).ok_or(UNKNOWN)?;
            if !does.takes_word() {
                self.apply(does, "")?;
                continue;
            }
            return match rest.as_str() {
                "" => self.apply(does, words.next().ok_or(UNKNOWN)?),
                attached => self.apply(does, attached),
            };
        }
        Ok(())
    }

    fn apply(&mut self, does: Does, word: &str) -> Result<(), Reason> {
        match does {
            Does::Method => self.draft.method = Some(word.to_owned()),
            Does::Header => self.header(word)?,
            Does::Data => self.data(word, true)?,
            Does::DataBinary => self.data(word, false)?,
            Does::DataRaw => self.add(Text::new(word.to_owned())),
            Does::DataUrlencode => {
                let text = encoded(word)?;
                self.add(text);
            }
            Does::Json => {
                self.json = true;
                self.json_data(word)?;
            }
            Does::Agent => self.set_header("User-Agent", word),
            Does::Referer => self.set_header("Referer", word.trim_end_matches(";auto")),
            Does::User => self.draft.auth = Some(user(word)?),
            Does::Bearer => self.draft.auth = Some(DraftAuth::Bearer(Text::new(word.to_owned()))),
            Does::Cookie if word.contains('=') => self.set_header("Cookie", word),
            Does::Cookie => return Err("it reads cookies from a file of this machine"),
            Does::Url => self.url(word)?,
            Does::UrlQuery => self.query.push(encoded(word)?),
            Does::Output if matches!(word, "/dev/null" | "-" | "/dev/stdout") => {}
            Does::Output => return Err(OUTPUT),
            Does::MaxTime => self.draft.set_timeout(number(word)?),
            Does::Retry => {
                self.draft.attempts = Some((number(word)? as u32).saturating_add(1).clamp(1, 20))
            }
            Does::RetryDelay => self.draft.wait = Some((number(word)? as u32).clamp(1, 3_600)),
            Does::Range => self.set_header("Range", &format!("bytes={word}")),
            Does::Get => self.get = true,
            Does::Head => self.head = true,
            Does::Location => self.draft.follow = true,
            Does::Insecure => self
                .draft
                .note("it did not check the server's certificate; a job always does"),
            Does::GlobOff => self.glob = false,
            Does::Nothing | Does::Skip => {}
            Does::No(reason) | Does::NoWith(reason) => return Err(reason),
        }
        Ok(())
    }

    fn url(&mut self, word: &str) -> Result<(), Reason> {
        if self.url.is_some() {
            return Err(SEVERAL);
        }
        self.url = Some(Text::new(word.to_owned()));
        Ok(())
    }

    fn header(&mut self, word: &str) -> Result<(), Reason> {
        if word.starts_with('@') {
            return Err("its headers are in a file of this machine");
        }
        match (word.split_once(':'), word.strip_suffix(';')) {
            // `Name:` takes a header away that curl would add itself.
            (Some((_, value)), _) if value.trim().is_empty() => {}
            (Some((name, value)), _) => {
                self.draft
                    .headers
                    .push((name.trim().to_owned(), Text::new(value.trim().to_owned())));
            }
            (None, Some(name)) => self
                .draft
                .headers
                .push((name.trim().to_owned(), Text::default())),
            (None, None) => return Err("it has a header without a colon"),
        }
        Ok(())
    }

    fn set_header(&mut self, name: &str, value: &str) {
        self.draft
            .headers
            .retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self.draft
            .headers
            .push((name.to_owned(), Text::new(value.to_owned())));
    }

    fn data(&mut self, word: &str, strip: bool) -> Result<(), Reason> {
        let text = self.given(word, strip)?;
        self.add(text);
        Ok(())
    }

    /// What `@-` stands for, or the word.
    fn given(&self, word: &str, strip: bool) -> Result<Text, Reason> {
        match (word.strip_prefix('@'), self.stdin) {
            (Some("-"), Some(stdin)) if strip => Ok(Text::new(stdin.replace(['\r', '\n'], ""))),
            (Some("-"), Some(stdin)) => Ok(Text::new(stdin.to_owned())),
            (Some(_), _) => Err(FILE),
            (None, _) => Ok(Text::new(word.to_owned())),
        }
    }

    fn add(&mut self, text: Text) {
        match &mut self.data {
            Some(data) => {
                data.push('&');
                data.push_str(&text);
            }
            None => self.data = Some(text),
        }
    }

    /// Several `--json` are put together without anything between them.
    fn json_data(&mut self, word: &str) -> Result<(), Reason> {
        let text = self.given(word, false)?;
        match &mut self.data {
            Some(data) => data.push_str(&text),
            None => self.data = Some(text),
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Draft, Reason> {
        let mut url = self.url.take().ok_or("it calls no URL")?;
        if self.glob && has_glob(&url) {
            return Err(GLOB);
        }
        let data = self.data.take();
        if self.get {
            self.query.extend(data);
            self.json = false;
        } else {
            self.draft.body = data;
        }
        for part in &self.query {
            let mark = if url.contains('?') { '&' } else { '?' };
            url.push(mark);
            url.push_str(part);
        }
        if self.json {
            self.draft
                .default_header("Content-Type", "application/json");
            self.draft.default_header("Accept", "application/json");
        }
        if self.head {
            self.draft.method.get_or_insert_with(|| "HEAD".to_owned());
        }
        self.draft.url = url;
        Ok(self.draft)
    }
}

/// Braces and brackets, but for those around an IPv6 address.
fn has_glob(url: &str) -> bool {
    let after = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = match after.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or(rest, |(_, rest)| rest),
        None => after,
    };
    rest.contains(['{', '}', '[', ']'])
}

fn user(word: &str) -> Result<DraftAuth, Reason> {
    let (user, password) = word
        .split_once(':')
        .ok_or("it asks for the password on a terminal")?;
    Ok(DraftAuth::Basic {
        user: Text::new(user.to_owned()),
        password: Text::new(password.to_owned()),
    })
}

/// `name=content`, `=content`, `content`; those with `@` are files.
fn encoded(word: &str) -> Result<Text, Reason> {
    match (word.split_once('='), word.contains('@')) {
        (Some(("", content)), _) => Ok(Text::new(url::encode(content))),
        (Some((name, content)), _) if !name.contains('@') => {
            Ok(Text::new(format!("{name}={}", url::encode(content))))
        }
        (_, true) => Err(FILE),
        _ => Ok(Text::new(url::encode(word))),
    }
}

fn number(word: &str) -> Result<f64, Reason> {
    let number = word
        .parse::<f64>()
        .ok()
        .filter(|number| number.is_finite() && *number >= 0.0);
    number.ok_or("one of its numbers can't be read")
}
