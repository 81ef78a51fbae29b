//! What a token endpoint answered: a token with its lifetime, or why there is none. Nothing of the answer but a status and the code of
//! an error gets into a message.

use http::header::CONTENT_ENCODING;
use http::response::Parts;
use padclock_vault::Value;
use serde::Deserialize;

use super::CODE;
use crate::failure::{Failure, FailureKind};
use crate::retry_after;

/// A token of an endpoint that does not say how long it holds is kept so long.
const UNSAID: u64 = 300;
/// No token is kept longer.
const LONGEST: u64 = 24 * 3_600;
/// Shorter ones could not be kept out of what is recorded; longer ones fit no header block.
const LENGTH: std::ops::RangeInclusive<usize> = 8..=16 * 1024;
/// So much of an error's code is told.
const ERROR_SHOWN: usize = 64;

/// A token as it was granted.
pub(super) struct Granted {
    pub(super) value: Value,
    /// Its lifetime from when it was asked for.
    pub(super) seconds: u64,
}

/// RFC 6749 section 5.1.
#[derive(Deserialize)]
struct Success {
    access_token: Option<String>,
    token_type: Option<String>,
    /// A number, by the standard; some send it as a text.
    expires_in: Option<serde_json::Value>,
}

/// RFC 6749 section 5.2.
#[derive(Deserialize)]
struct Refusal {
    error: Option<String>,
}

/// Why there is none.
pub(super) struct Refused {
    pub(super) failure: Failure,
    /// The error's code in the endpoint's words, which may repeat what it was sent.
    pub(super) error: Option<String>,
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            error: None,
        }
    }
}

/// An error's code after its redaction, fit for a message.
pub(super) fn shown(error: &str) -> String {
    let plain = |sign: char| {
        if matches!(sign, ' '..='~') { sign } else { '?' }
    };
    error.chars().map(plain).take(ERROR_SHOWN).collect()
}

/// Reads an answer of this host.
pub(super) fn read(head: &Parts, body: &[u8], host: &str) -> Result<Granted, Refused> {
    if !head.status.is_success() {
        return Err(refused(head, body, host));
    }
    granted(head, body).map_err(|what| {
        let message = format!("no access token: the answer of {host} {what}");
        Failure::new(FailureKind::Protocol, CODE, message).into()
    })
}

fn granted(head: &Parts, body: &[u8]) -> Result<Granted, &'static str> {
    let coding = head.headers.get(CONTENT_ENCODING);
    if coding.is_some_and(|coding| coding != "identity") {
        return Err("is encoded, which was not asked for");
    }
    // The parser's own words may quote the answer.
    let answer: Success = serde_json::from_slice(body).map_err(|_| "is not as RFC 6749 has it")?;
    let token = answer.access_token.ok_or("has no access_token")?;
    let fits = token.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let value = Value::new(token);
    let kind = answer.token_type.as_deref().unwrap_or("Bearer");
    if !kind.eq_ignore_ascii_case("bearer") {
        return Err("has a token_type other than Bearer");
    }
    if !fits {
        return Err("has a token that can't stand in a header");
    }
    if !LENGTH.contains(&value.len()) {
        return Err("has a token of less than 8 bytes or more than 16 KiB");
    }
    Ok(Granted {
        value,
        seconds: lifetime(answer.expires_in.as_ref()),
    })
}

fn lifetime(said: Option<&serde_json::Value>) -> u64 {
    let seconds = match said {
        None | Some(serde_json::Value::Null) => UNSAID,
        Some(serde_json::Value::String(text)) => text.trim().parse().unwrap_or(0),
        Some(number) => number.as_u64().unwrap_or(0),
    };
    seconds.min(LONGEST)
}

fn refused(head: &Parts, body: &[u8], host: &str) -> Refused {
    let status = head.status.as_u16();
    let mut message = format!("no access token: {host} answered with status {status}");
    if head.status.is_redirection() {
        message.push_str(", and redirects of a token request are not followed");
    }
    let error = serde_json::from_slice::<Refusal>(body);
    Refused {
        failure: Failure {
            status: Some(status),
            retry_after: retry_after::read(&head.headers),
            ..Failure::new(FailureKind::Status, CODE, message)
        },
        error: error.ok().and_then(|refusal| refusal.error),
    }
}

#[cfg(test)]
mod tests;
