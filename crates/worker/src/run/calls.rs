//! The calls to the source: one of each kind at a time, each in a task of its own so that it is never dropped half-way,
//! and a wait after one that failed.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::run::backoff::Backoff;
use crate::source::{Completion, Held, Lease, Renewed, Revoked, RunSource, SourceError};

/// A source that answers "none" without waiting is not asked more often than this.
const EMPTY_PAUSE: Duration = Duration::from_millis(20);
/// While there is more work than room, a lease call waits so long for more room.
const GATHER: Duration = Duration::from_millis(3);

/// One kind of call.
#[derive(Debug)]
pub(crate) struct Call<T> {
    task: Option<JoinHandle<Result<T, SourceError>>>,
    pub(crate) begun: Instant,
    pub(crate) backoff: Backoff,
}

impl<T: Send + 'static> Call<T> {
    pub(crate) fn new() -> Self {
        Self {
            task: None,
            begun: Instant::now(),
            backoff: Backoff::default(),
        }
    }

    pub(crate) const fn under_way(&self) -> bool {
        self.task.is_some()
    }

    /// Whether it may be made now.
    pub(crate) fn is_ready(&self, now: Instant) -> bool {
        !self.under_way() && self.backoff.wait_until(now).is_none()
    }

    fn begin(&mut self, call: impl Future<Output = Result<T, SourceError>> + Send + 'static) {
        self.begun = Instant::now();
        self.task = Some(tokio::spawn(call));
    }

    /// The answer of the call that is under way; never, when there is none.
    pub(crate) async fn answer(&mut self) -> Result<T, SourceError> {
        let Some(task) = &mut self.task else {
            return pending().await;
        };
        let answer = task
            .await
            .unwrap_or_else(|_| Err(SourceError::new("the call was broken off")));
        self.task = None;
        match &answer {
            Ok(_) => self.backoff.succeeded(),
            Err(error) => {
                self.backoff.failed(Instant::now());
                tracing::warn!(%error, "the source of executions did not answer");
            }
        }
        answer
    }
}

/// All calls to one source.
pub(crate) struct Calls {
    source: Arc<dyn RunSource>,
    pub(crate) lease: Call<Vec<Lease>>,
    pub(crate) renew: Call<Renewed>,
    pub(crate) complete: Call<Vec<bool>>,
    pub(crate) revoked: Call<(Held, Revoked)>,
    lease_not_before: Option<Instant>,
    asked_for: usize,
    saturated: bool,
    completing: Arc<Vec<Completion>>,
}

impl Calls {
    pub(crate) fn new(source: Arc<dyn RunSource>) -> Self {
        Self {
            source,
            lease: Call::new(),
            renew: Call::new(),
            complete: Call::new(),
            revoked: Call::new(),
            lease_not_before: None,
            asked_for: 0,
            saturated: false,
            completing: Arc::default(),
        }
    }

    /// Asks for leases, when there is room and it is time.
    pub(crate) fn begin_lease(&mut self, free: usize, slots: usize, now: Instant) {
        if free == 0 || !self.lease.is_ready(now) {
            return;
        }
        // With more work than room, many small calls would each cost a transaction: let some room gather.
        let worth_while = !self.saturated || free >= slots.div_ceil(8);
        if self.lease_not_before.is_some_and(|time| time > now) && !(worth_while && self.saturated)
        {
            return;
        }
        self.asked_for = free;
        let source = Arc::clone(&self.source);
        self.lease.begin(async move { source.lease(free).await });
    }

    /// Notes what a lease call brought.
    pub(crate) fn leased(&mut self, count: usize, now: Instant) {
        self.saturated = count >= self.asked_for;
        self.lease_not_before = match count {
            0 => Some(self.lease.begun + EMPTY_PAUSE),
            _ if self.saturated => Some(now + GATHER),
            _ => None,
        };
    }

    /// Renews these.
    pub(crate) fn begin_renew(&mut self, held: Vec<Held>) {
        let source = Arc::clone(&self.source);
        self.renew.begin(async move { source.renew(&held).await });
    }

    /// Listens for leases that are to be given up.
    pub(crate) fn begin_revoked(&mut self, now: Instant) {
        if self.revoked.is_ready(now) {
            let source = Arc::clone(&self.source);
            self.revoked.begin(async move { source.revoked().await });
        }
    }

    /// Sends these results.
    pub(crate) fn begin_complete(&mut self, batch: Vec<Completion>) {
        self.completing = Arc::new(batch);
        let (source, batch) = (Arc::clone(&self.source), Arc::clone(&self.completing));
        self.complete
            .begin(async move { source.complete(&batch).await });
    }

    /// What the answered call sent.
    pub(crate) fn take_completed(&mut self) -> Vec<Completion> {
        Arc::unwrap_or_clone(std::mem::take(&mut self.completing))
    }

    /// When a call that waits may be made.
    pub(crate) fn next_try(&self, now: Instant) -> Option<Instant> {
        let waits = [
            &self.lease.backoff,
            &self.renew.backoff,
            &self.complete.backoff,
            &self.revoked.backoff,
        ]
        .map(|wait| wait.wait_until(now));
        let lease = self
            .lease_not_before
            .filter(|time| *time > now && !self.lease.under_way());
        waits.into_iter().chain([lease]).flatten().min()
    }
}

impl Drop for Calls {
    /// Nobody listens any more; the other calls are never under way at the loop's end, or have been given up.
    fn drop(&mut self) {
        if let Some(task) = &self.revoked.task {
            task.abort();
        }
    }
}
