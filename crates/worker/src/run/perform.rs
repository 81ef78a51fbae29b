//! What the loop needs of whoever performs attempts, so that it can be tested without a network; and completions for
//! leases whose attempt can't make its own.

use std::future::Future;
use std::hash::BuildHasher;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use padclock_api::{Attempt, AttemptError, AttemptStatus};
use padclock_job::{Moment, Verdict, on_lost_lease};

use crate::access::leased;
use crate::attempt::Performer;
use crate::clock::Clock;
use crate::failure::Failure;
use crate::source::{Completion, End, Lease};
use crate::texts::Texts;

/// The target of an attempt, for its limit: a number, the same for the same host and port.
pub(crate) type Host = u64;

/// Performs attempts for the loop.
pub(crate) trait Perform: Send + Sync + 'static {
    /// The target whose limit counts; `None` when it has none.
    fn host(&self, lease: &Lease) -> Option<Host>;

    /// Carries out one attempt.
    fn perform(&self, lease: &Lease, clock: Clock) -> impl Future<Output = Completion> + Send;
}

impl Perform for Performer {
    fn host(&self, lease: &Lease) -> Option<Host> {
        // A target that can't be made fails in the attempt itself, which says why; one that panics, too.
        let target = catch_unwind(AssertUnwindSafe(|| {
            let texts = Texts::of(lease);
            lease
                .job
                .request()?
                .target(&texts.variables(lease, lease.now))
                .ok()
        }));
        let target = target.ok().flatten()?;
        Some(self.random.hash_one((target.host, target.port)))
    }

    fn perform(&self, lease: &Lease, clock: Clock) -> impl Future<Output = Completion> + Send {
        Performer::perform(self, lease, clock)
    }
}

/// A lease that was not started.
pub(crate) fn handed_back(lease: &Lease, clock: &Clock, at: Moment) -> Completion {
    completion(
        lease,
        End::HandBack { at },
        attempt(lease, clock.now(), 0, AttemptStatus::Lost, None),
    )
}

/// A lease whose execution someone cancelled.
pub(crate) fn canceled(lease: &Lease, clock: &Clock, ran_ms: Option<u64>) -> Completion {
    let started = clock.now().plus_millis(-ran_ms.unwrap_or(0).cast_signed());
    let error = AttemptError {
        code: "canceled".to_owned(),
        message: "the execution was cancelled".to_owned(),
    };
    let attempt = attempt(
        lease,
        started,
        ran_ms.unwrap_or(0),
        AttemptStatus::Canceled,
        Some(error),
    );
    with_secrets(
        lease,
        ran_ms.is_some(),
        completion(lease, End::Canceled, attempt),
    )
}

/// An attempt that was stopped because the worker stops: tried again by the rule for lost leases.
pub(crate) fn interrupted(lease: &Lease, clock: &Clock, ran_ms: u64) -> Completion {
    const CODE: &str = "interrupted";
    let now = clock.now();
    let message = "the node shut down before the attempt was done".to_owned();
    let error = AttemptError {
        code: CODE.to_owned(),
        message,
    };
    let end = match on_lost_lease(&lease.job, lease.attempt, now) {
        Verdict::Retry { at } => End::Retry { at },
        Verdict::Fail | Verdict::Lost => End::Failed {
            reason: CODE.to_owned(),
        },
    };
    let started = now.plus_millis(-ran_ms.cast_signed());
    let attempt = attempt(lease, started, ran_ms, AttemptStatus::Lost, Some(error));
    with_secrets(lease, true, completion(lease, end, attempt))
}

/// An attempt that panicked: nothing of it is kept but the fact (redaction contract: fail closed).
pub(crate) fn panicked(lease: &Lease, clock: &Clock) -> Completion {
    let failure = Failure::internal();
    let end = End::Failed {
        reason: failure.code.to_owned(),
    };
    let error = AttemptError {
        code: failure.code.to_owned(),
        message: failure.message,
    };
    let attempt = attempt(lease, clock.now(), 0, AttemptStatus::Failed, Some(error));
    with_secrets(lease, true, completion(lease, end, attempt))
}

fn attempt(
    lease: &Lease,
    started_at: Moment,
    duration_ms: u64,
    status: AttemptStatus,
    error: Option<AttemptError>,
) -> Attempt {
    Attempt {
        number: lease.attempt,
        status,
        started_at,
        duration_ms,
        request: None,
        response: None,
        error,
    }
}

fn completion(lease: &Lease, end: End, attempt: Attempt) -> Completion {
    Completion {
        execution: lease.execution,
        job_id: lease.job_id,
        job: Arc::clone(&lease.job),
        workspace: lease.workspace,
        fence: lease.fence,
        end,
        attempt: Box::new(attempt),
        secrets: Vec::new(),
        unresolved: Vec::new(),
        warnings: Vec::new(),
        refused: None,
    }
}

/// A started attempt may have opened all that its lease had.
fn with_secrets(lease: &Lease, started: bool, mut completion: Completion) -> Completion {
    if started {
        completion.secrets = leased(lease);
    }
    completion
}
