//! What is written down of an attempt: every text goes through the attempt's redactor first, and is cut afterwards.

use std::collections::BTreeMap;

use http::HeaderMap;
use padclock_api::{RecordedRequest, RecordedResponse};
use padclock_redact::Redactor;

use crate::access::Opened;
use crate::body::{StoredBody, keep_whole};
use crate::outgoing::Outgoing;

/// The request as it was sent, redacted.
pub(crate) fn request(
    sent: &Outgoing,
    opened: &Opened,
    redactor: &Redactor,
    kept: usize,
) -> RecordedRequest {
    let body = (!sent.body.is_empty()).then(|| {
        let bytes = sent.body.len() as u64;
        keep_whole(&redactor.redact(&sent.body), bytes, kept)
            .text
            .unwrap_or_default()
    });
    RecordedRequest {
        method: redactor.redact_str(sent.method.as_str()).into_owned(),
        url: redactor.redact_str(&sent.uri.to_string()).into_owned(),
        headers: headers(&sent.headers, opened, redactor),
        body,
    }
}

/// The answer, redacted; its body was redacted while it was read.
pub(crate) fn response(
    status: u16,
    headers: BTreeMap<String, String>,
    body: StoredBody,
    redirects: usize,
) -> RecordedResponse {
    let followed = (redirects > 0).then(|| format!("{redirects} redirects were followed"));
    let notes: Vec<_> = [followed, body.note].into_iter().flatten().collect();
    RecordedResponse {
        status,
        headers,
        body: body.text,
        body_bytes: body.bytes,
        truncated: body.truncated,
        note: (!notes.is_empty()).then(|| notes.join("; ")),
    }
}

/// Headers, names and values redacted, repeated ones joined.
pub(crate) fn headers(
    headers: &HeaderMap,
    opened: &Opened,
    redactor: &Redactor,
) -> BTreeMap<String, String> {
    let mut recorded: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        let name = match opened.named_by(name.as_str()) {
            Some(secret) => format!("[REDACTED:{secret}]"),
            None => redactor.redact_str(name.as_str()).into_owned(),
        };
        let value = redactor.redact(value.as_bytes());
        let value = String::from_utf8_lossy(&value);
        recorded
            .entry(name)
            .and_modify(|before| {
                before.push_str(", ");
                before.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    recorded
}
