//! Whether and when a failed attempt is tried again (the scheduling contract, "Retry" and "A lost
//! lease"). The answer is stored, never slept.

use crate::{Job, Moment};

/// How many attempts beyond `max_attempts` a lost lease may cost before the execution is given up:
/// a request that takes down each node it runs on must come to an end.
const LOST_ATTEMPTS: u32 = 5;

/// A target may ask for so long a pause, or the job's own longest wait if that is longer. One that asks for more gets no further
/// attempt: it must not hold an execution for years.
const LONGEST_ASKED_SECONDS: u32 = 24 * 3_600;

/// What kind of failure an attempt ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureClass {
    /// No connection, or it broke.
    Connection,
    /// No answer in time.
    Timeout,
    /// An answer whose status is no success.
    Status,
    /// A secret is missing, unreadable or unfit for its place.
    Secret,
    /// The egress policy or the address guard refused.
    Egress,
    /// The request could not be made or its answer not be read, and never will.
    Request,
}

/// How an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The kind.
    pub class: FailureClass,
    /// The status of the answer if there was one.
    pub status: Option<u16>,
    /// The moment that `Retry-After` names (RFC 9110, 10.2.3), if the answer had one.
    pub retry_after: Option<Moment>,
}

impl Failure {
    /// Whether trying again may help: connection errors, time-outs, 408, 425, 429, 5xx.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        match self.class {
            FailureClass::Connection | FailureClass::Timeout => true,
            FailureClass::Status => matches!(self.status, Some(408 | 425 | 429 | 500..=599)),
            FailureClass::Secret | FailureClass::Egress | FailureClass::Request => false,
        }
    }
}

/// What becomes of the execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The next attempt is due at this moment.
    Retry {
        /// `next_attempt_at`.
        at: Moment,
    },
    /// It ends as `failed`.
    Fail,
    /// It ends as `lost`.
    Lost,
}

/// Decides after attempt number `attempt` (from 1) failed at `now`.
///
/// `next_due` is the job's next occurrence: no attempt is made at or after it. `random` is any
/// evenly spread number; it moves the wait by up to a tenth either way. A `Retry-After` further away
/// than a day, and than the job's own longest wait, ends the execution.
#[must_use]
pub fn after_attempt(
    job: &Job,
    attempt: u32,
    failure: &Failure,
    now: Moment,
    next_due: Option<Moment>,
    random: u64,
) -> Verdict {
    let retry = job.definition().retry;
    if attempt >= retry.max_attempts || !failure.is_passing() {
        return Verdict::Fail;
    }
    let longest_asked = LONGEST_ASKED_SECONDS.max(retry.max_seconds);
    let asked = failure.retry_after.unwrap_or(Moment::MIN);
    if asked > now.plus_seconds(i64::from(longest_asked)) {
        return Verdict::Fail;
    }
    let wait = wait_millis(retry.base_seconds, retry.max_seconds, attempt, random);
    let at = now.plus_millis(wait).max(asked);
    match next_due {
        Some(next) if at >= next => Verdict::Fail,
        _ => Verdict::Retry { at },
    }
}

/// Decides when the lease of attempt number `attempt` was lost: a request is sent again at once,
/// with the same idempotency key.
#[must_use]
pub fn on_lost_lease(job: &Job, attempt: u32, now: Moment) -> Verdict {
    if attempt
        < job
            .definition()
            .retry
            .max_attempts
            .saturating_add(LOST_ATTEMPTS)
    {
        Verdict::Retry { at: now }
    } else {
        Verdict::Lost
    }
}

/// `base · 2^(attempt − 1)`, at most `most`, then moved by up to a tenth either way.
fn wait_millis(base: u32, most: u32, attempt: u32, random: u64) -> i64 {
    let doubled = u64::from(base) << attempt.saturating_sub(1).min(30);
    let wait = doubled.min(u64::from(most)) * 1_000;
    let spread = wait / 5;
    (wait - wait / 10 + random % (spread + 1)).cast_signed()
}

#[cfg(test)]
mod tests;
