//! The `Retry-After` header (RFC 9110, 10.2.3): seconds, or an HTTP date.

use std::time::UNIX_EPOCH;

use http::HeaderMap;
use http::header::RETRY_AFTER;
use padclock_job::Moment;

use crate::failure::RetryAfter;

/// What the answer asks for; `None` when it asks for nothing that can be understood.
pub(crate) fn read(headers: &HeaderMap) -> Option<RetryAfter> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More than the type can hold is for ever as well.
        return Some(RetryAfter::Seconds(text.parse().unwrap_or(u64::MAX)));
    }
    let since = httpdate::parse_http_date(text)
        .ok()?
        .duration_since(UNIX_EPOCH)
        .ok()?;
    i64::try_from(since.as_millis()).ok().map(RetryAfter::At)
}

impl RetryAfter {
    /// The moment it means, when it is `now`.
    pub(crate) fn moment(self, now: Moment) -> Moment {
        match self {
            Self::Seconds(seconds) => now.plus_seconds(i64::try_from(seconds).unwrap_or(i64::MAX)),
            Self::At(millis) => Moment::from_millis(millis),
        }
    }
}

#[cfg(test)]
mod tests;
