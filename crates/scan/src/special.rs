//! Published shapes that a prefix and an alphabet do not tell: private keys, JSON Web Tokens, webhook addresses, and others.

use crate::alphabet::{Set, begins_word, run, run_back};
use crate::engine::Check;
use crate::finding::{Candidate, Sure};
use crate::placeholder;
use crate::rule::Rule;

static PEM: Rule = Rule::new("private-key", "Private key", "private_key");
static SERVICE_ACCOUNT: Rule = Rule::new(
    "google-service-account",
    "Private key of a Google service account",
    "google_service_account_key",
);
static JWT: Rule = Rule::new("json-web-token", "JSON Web Token", "jwt");
static SENDGRID: Rule = Rule::new("sendgrid-key", "SendGrid API key", "sendgrid_api_key");
static SLACK: Rule = Rule::new(
    "slack-webhook",
    "Slack webhook address",
    "slack_webhook_path",
);
static DISCORD: Rule = Rule::new(
    "discord-webhook",
    "Discord webhook address",
    "discord_webhook_path",
);
static TEAMS: Rule = Rule::new(
    "teams-webhook",
    "Microsoft Teams webhook address",
    "teams_webhook_path",
);
static TELEGRAM: Rule = Rule::new("telegram-token", "Telegram bot token", "telegram_bot_token");
static DISCORD_BOT: Rule = Rule::new("discord-token", "Discord bot token", "discord_bot_token");
static MAILCHIMP: Rule = Rule::new("mailchimp-key", "Mailchimp API key", "mailchimp_api_key");
static AZURE_CLIENT: Rule = Rule::new(
    "azure-client-secret",
    "Azure client secret",
    "azure_client_secret",
);
static AZURE_KEY: Rule = Rule::new(
    "azure-account-key",
    "Azure account key",
    "azure_account_key",
);
static AZURE_SAS: Rule = Rule::new(
    "azure-sas",
    "Azure shared access signature",
    "azure_sas_signature",
);
static TERRAFORM: Rule = Rule::new(
    "terraform-token",
    "Terraform Cloud token",
    "terraform_token",
);
static PADCLOCK: Rule = Rule::new("padclock-token", "Padclock API token", "padclock_token");

pub(crate) const RULES: &[&Rule] = &[
    &PEM,
    &SERVICE_ACCOUNT,
    &JWT,
    &SENDGRID,
    &SLACK,
    &DISCORD,
    &TEAMS,
    &TELEGRAM,
    &DISCORD_BOT,
    &MAILCHIMP,
    &AZURE_CLIENT,
    &AZURE_KEY,
    &AZURE_SAS,
    &TERRAFORM,
    &PADCLOCK,
];
pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("-----BEGIN ", pem),
    ("eyJ", jwt),
    ("SG.", sendgrid),
    ("hooks.slack.com/", slack),
    ("/api/webhooks/", discord),
    ("/webhookb2/", teams),
    (":AA", telegram),
    ("discord", discord_bot),
    ("bot ", discord_bot),
    ("-us", mailchimp),
    ("Q~", azure_client),
    ("AccountKey=", azure_key),
    ("SharedAccessKey=", azure_key),
    ("sig=", azure_sas),
    (".atlasv1.", terraform),
    ("pck_", padclock),
];

fn shape(rule: &'static Rule, text: &str, start: usize, end: usize) -> Option<Candidate> {
    let found = text.get(start..end)?;
    (!placeholder::is_placeholder(found)).then(|| Candidate::new(rule, start..end, Sure::Shape))
}

/// From its first line to its last, or to the end of its body when the last line is missing.
fn pem(text: &str, at: usize, end: usize) -> Option<Candidate> {
    const LABEL: usize = 40;
    const BODY: usize = 16 * 1024;
    const LEAST: usize = 40;
    let bytes = text.as_bytes();
    let label = &bytes[end..bytes.len().min(end + LABEL)];
    let dashes = label.windows(5).position(|window| window == b"-----")?;
    if !label[..dashes]
        .windows(11)
        .any(|window| window == b"PRIVATE KEY")
        || &bytes[at..end] != b"-----BEGIN "
    {
        return None;
    }
    let body = end + dashes + 5;
    let rest = &bytes[body..bytes.len().min(body + BODY)];
    let stop = rest.iter().position(|&byte| {
        !(byte.is_ascii_alphanumeric() || b"+/=\\ \t\r\n:,\"'#*;".contains(&byte))
    });
    let stop = stop.unwrap_or(rest.len());
    let material = rest[..stop]
        .iter()
        .filter(|byte| Set::Base64.has(**byte))
        .count();
    let shown = text.get(body..body + stop)?;
    if material < LEAST || placeholder::is_placeholder(shown) {
        return None;
    }
    let last = rest[stop..].starts_with(b"-----END ").then(|| {
        let tail = &rest[stop + 9..rest.len().min(stop + 9 + LABEL)];
        tail.windows(5)
            .position(|window| window == b"-----")
            .map_or(stop, |end| stop + 9 + end + 5)
    });
    let before = &bytes[at.saturating_sub(400)..at];
    let google = before.windows(14).any(|window| window == b"private_key_id");
    let rule = if google { &SERVICE_ACCOUNT } else { &PEM };
    Some(Candidate::new(
        rule,
        at..body + last.unwrap_or(stop),
        Sure::Shape,
    ))
}

fn jwt(text: &str, at: usize, end: usize) -> Option<Candidate> {
    const PART: usize = 8192;
    let bytes = text.as_bytes();
    if &text[at..end] != "eyJ"
        || at
            .checked_sub(1)
            .is_some_and(|before| Set::UrlDot.has(bytes[before]))
    {
        return None;
    }
    let header = run(bytes, at, Set::Url, PART);
    let payload = run(bytes, header + 1, Set::Url, PART);
    let good = bytes.get(header) == Some(&b'.')
        && bytes[header + 1..].starts_with(b"eyJ")
        && header - at >= 16
        && payload - header > 12
        && bytes.get(payload) == Some(&b'.');
    let signature = run(bytes, payload + 1, Set::Url, PART);
    // The example of RFC 7519 and the page that everyone copies.
    let example = [
        "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
        "TJVA95OrM7E2cBab30RMHrHDcEfxjoYZgeFONFh7HgQ",
    ];
    if !good
        || signature - payload <= 20
        || text[payload + 1..signature].contains(example[0])
        || text[payload + 1..signature].contains(example[1])
    {
        return None;
    }
    Some(Candidate::new(&JWT, at..signature, Sure::Shape))
}

fn sendgrid(text: &str, at: usize, end: usize) -> Option<Candidate> {
    let bytes = text.as_bytes();
    let id = run(bytes, end, Set::Url, 32);
    let key = run(bytes, id + 1, Set::Url, 64);
    let good = &text[at..end] == "SG."
        && begins_word(bytes, at)
        && id - end == 22
        && bytes.get(id) == Some(&b'.')
        && key - id == 44;
    if good {
        shape(&SENDGRID, text, at, key)
    } else {
        None
    }
}

/// The path behind a host: it is the credential.
fn path(rule: &'static Rule, text: &str, start: usize, least: usize) -> Option<Candidate> {
    const LONGEST: usize = 400;
    let bytes = text.as_bytes();
    let rest = &bytes[start..bytes.len().min(start + LONGEST)];
    let ends = |byte: &u8| !(Set::Url.has(*byte) || matches!(byte, b'/' | b'@' | b'.'));
    let end = start + rest.iter().position(ends).unwrap_or(rest.len());
    let random = text[start..end].bytes().filter(u8::is_ascii_digit).count() >= 2;
    if end - start >= least && random && !text[start..end].contains("XXXX") {
        shape(rule, text, start, end)
    } else {
        None
    }
}

fn slack(text: &str, _: usize, end: usize) -> Option<Candidate> {
    let kinds = ["services/", "workflows/", "triggers/"];
    let kind = kinds.iter().find(|kind| text[end..].starts_with(**kind))?;
    let start = end + kind.len();
    let parts = text[start..]
        .split('/')
        .take(3)
        .filter(|part| !part.is_empty())
        .count();
    if parts == 3 {
        path(&SLACK, text, start, 30)
    } else {
        None
    }
}

fn discord(text: &str, at: usize, end: usize) -> Option<Candidate> {
    let id = run(text.as_bytes(), end, Set::Digit, 24);
    let ours = text[..at].ends_with("discord.com") || text[..at].ends_with("discordapp.com");
    if ours && id - end >= 17 && text[id..].starts_with('/') {
        path(&DISCORD, text, end, 70)
    } else {
        None
    }
}

fn teams(text: &str, at: usize, end: usize) -> Option<Candidate> {
    if text[..at].ends_with("webhook.office.com") {
        path(&TEAMS, text, end, 60)
    } else {
        None
    }
}

fn telegram(text: &str, at: usize, end: usize) -> Option<Candidate> {
    let bytes = text.as_bytes();
    let start = run_back(bytes, at, Set::Digit, 11);
    let stop = run(bytes, end, Set::Url, 40);
    let bot = start >= 3 && text.get(start - 3..start) == Some("bot");
    let good = (8..=10).contains(&(at - start))
        && stop - end == 33
        && (begins_word(bytes, start) || bot)
        && &text[at..end] == ":AA";
    if good {
        shape(&TELEGRAM, text, start, stop)
    } else {
        None
    }
}

/// Three parts with dots between them: only near the vendor's name, for many things look so.
fn discord_bot(text: &str, _: usize, end: usize) -> Option<Candidate> {
    const NEAR: usize = 40;
    let bytes = text.as_bytes();
    let from = (end..bytes.len().min(end + NEAR)).find(|&at| {
        matches!(bytes[at], b'M' | b'N' | b'O')
            && !at
                .checked_sub(1)
                .is_some_and(|before| Set::UrlDot.has(bytes[before]))
    })?;
    let id = run(bytes, from, Set::Url, 32);
    let time = run(bytes, id + 1, Set::Url, 8);
    let key = run(bytes, time + 1, Set::Url, 48);
    let dots = bytes.get(id) == Some(&b'.') && bytes.get(time) == Some(&b'.');
    let good = dots
        && (23..=28).contains(&(id - from))
        && time - id == 7
        && (28..=39).contains(&(key - time));
    if good {
        shape(&DISCORD_BOT, text, from, key)
    } else {
        None
    }
}

fn mailchimp(text: &str, at: usize, end: usize) -> Option<Candidate> {
    let bytes = text.as_bytes();
    let start = run_back(bytes, at, Set::Hex, 40);
    let stop = run(bytes, end, Set::Digit, 3);
    let alone = begins_word(bytes, start)
        && bytes
            .get(stop)
            .is_none_or(|byte| !byte.is_ascii_alphanumeric());
    if at - start == 32 && alone && (1..=2).contains(&(stop - end)) {
        shape(&MAILCHIMP, text, start, stop)
    } else {
        None
    }
}

/// Three characters and a digit, `Q~`, then 31 to 34 more.
fn azure_client(text: &str, at: usize, end: usize) -> Option<Candidate> {
    let bytes = text.as_bytes();
    let allowed = |byte: u8| Set::UrlDot.has(byte) || byte == b'~';
    let rest = &bytes[end..bytes.len().min(end + 36)];
    let stop = end
        + rest
            .iter()
            .position(|byte| !allowed(*byte))
            .unwrap_or(rest.len());
    let start = at.checked_sub(4)?;
    let good = &bytes[at..end] == b"Q~"
        && bytes[at - 1].is_ascii_digit()
        && bytes[start..at].iter().all(|byte| allowed(*byte))
        && begins_word(bytes, start)
        && (31..=34).contains(&(stop - end));
    if good {
        shape(&AZURE_CLIENT, text, start, stop)
    } else {
        None
    }
}

fn azure_key(text: &str, _: usize, end: usize) -> Option<Candidate> {
    let stop = run(text.as_bytes(), end, Set::Base64, 100);
    let good = matches!(stop - end, 44 | 88) && text[end..stop].ends_with('=');
    if good {
        shape(&AZURE_KEY, text, end, stop)
    } else {
        None
    }
}

/// A signature among a URL's parameters, with the version of the storage service or the end of its validity beside it.
fn azure_sas(text: &str, at: usize, end: usize) -> Option<Candidate> {
    const NEAR: usize = 300;
    let bytes = text.as_bytes();
    let stop = run(bytes, end, Set::Percent, 80);
    let around = &bytes[at.saturating_sub(NEAR)..bytes.len().min(stop + NEAR)];
    let versioned = around.windows(4).any(|window| {
        matches!(
            window,
            b"?sv=" | b"&sv=" | b"&se=" | b"?se=" | b"?sp=" | b"&sp="
        )
    });
    let parameter = at > 0 && matches!(bytes[at - 1], b'?' | b'&' | b'"' | b'\'');
    let signature = (43..=64).contains(&(stop - end)) && text[end..stop].ends_with(['=', 'D', 'd']);
    if versioned && parameter && signature {
        shape(&AZURE_SAS, text, end, stop)
    } else {
        None
    }
}

fn terraform(text: &str, at: usize, end: usize) -> Option<Candidate> {
    let bytes = text.as_bytes();
    let start = run_back(bytes, at, Set::Alnum, 20);
    let stop = run(bytes, end, Set::Url, 80);
    if at - start == 14 && (60..=70).contains(&(stop - end)) {
        shape(&TERRAFORM, text, start, stop)
    } else {
        None
    }
}

/// Our own have a checksum: nothing else is taken for one.
fn padclock(text: &str, at: usize, _: usize) -> Option<Candidate> {
    let bytes = text.as_bytes();
    let end = run(bytes, at, Set::Word, padclock_vault::token::LEN + 1);
    let good = begins_word(bytes, at) && padclock_vault::token::well_formed(&text[at..end]);
    good.then(|| Candidate::new(&PADCLOCK, at..end, Sure::Shape))
}
