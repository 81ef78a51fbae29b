//! The loop: leases while there is room, completes in batches, renews in one batch, and at shutdown drains. It holds no
//! lock: one task owns all of it, and one task more for each running attempt.

mod backoff;
mod calls;
mod gates;
pub(crate) mod perform;
mod work;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::counters::Counters;
use crate::settings::Settings;
use crate::source::{Completion, Held, Lease, Renewed, Revoked, RunSource, SourceError};
use calls::Calls;
use perform::Perform;
use work::Work;

/// Results in one complete call.
const BATCH: usize = 1024;
/// Results taken from the attempts at a time.
const RESULTS: usize = 256;
/// The loop wakes at least so often, whatever happens.
const IDLE: Duration = Duration::from_secs(60);

/// The parts of one running loop.
pub(crate) struct Loop<P> {
    work: Work<P>,
    calls: Calls,
    results: mpsc::UnboundedReceiver<Completion>,
    settings: Arc<Settings>,
    counters: Arc<Counters>,
}

impl<P: Perform> Loop<P> {
    pub(crate) fn new(
        source: Arc<dyn RunSource>,
        performer: Arc<P>,
        settings: Arc<Settings>,
        counters: Arc<Counters>,
    ) -> Self {
        let (sender, results) = mpsc::unbounded_channel();
        let work = Work::new(
            performer,
            Arc::clone(&settings),
            Arc::clone(&counters),
            sender,
        );
        Self {
            work,
            calls: Calls::new(source),
            results,
            settings,
            counters,
        }
    }

    /// Runs until `shutdown`, and then until everything is completed or can't be any more.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        let mut stop = pin!(shutdown.cancelled());
        let mut wake = pin!(sleep_until(Instant::now()));
        let mut arrived = Vec::with_capacity(RESULTS);
        while !self.is_over() {
            self.begin_calls();
            let next = self.next_wake();
            if wake.deadline() != next {
                wake.as_mut().reset(next);
            }
            // The rare ones first: results come in floods and would starve them.
            tokio::select! {
                biased;
                () = &mut stop, if self.work.drain_until().is_none() => self.work.stop(Instant::now()),
                answer = self.calls.complete.answer() => self.completed(answer),
                answer = self.calls.lease.answer() => self.leased(answer),
                answer = self.calls.renew.answer() => self.renewed(answer),
                answer = self.calls.revoked.answer() => self.revoked(answer),
                () = &mut wake => self.look(),
                _ = self.results.recv_many(&mut arrived, RESULTS) => self.finished(&mut arrived),
            }
        }
    }

    /// Whether nothing is left to do, or the time for it has passed.
    fn is_over(&self) -> bool {
        let Some(drain_until) = self.work.drain_until() else {
            return false;
        };
        let now = Instant::now();
        let done = self.work.is_empty() && !self.calls.complete.under_way();
        let leasing = self.calls.lease.under_way() && now < drain_until;
        // Past this every lease has run out: whatever the source has not taken is lost to us.
        done && !leasing || now >= drain_until + self.settings.lease_trust
    }

    fn begin_calls(&mut self) {
        let now = Instant::now();
        if self.work.unsent() > 0 && self.calls.complete.is_ready(now) {
            let batch = self.work.take_done(BATCH);
            self.calls.begin_complete(batch);
        }
        self.calls.begin_revoked(now);
        // Work that can't be completed is not taken on.
        let backed_up = self.calls.complete.backoff.is_failing()
            || self.work.unsent() > 4 * self.settings.max_in_flight;
        if self.work.drain_until().is_none() && !backed_up {
            self.calls
                .begin_lease(self.work.free(), self.settings.max_in_flight, now);
        }
    }

    fn next_wake(&self) -> Instant {
        let now = Instant::now();
        let over = self.work.drain_until().map(|until| {
            if until > now {
                until
            } else {
                until + self.settings.lease_trust
            }
        });
        let times = [self.work.next_look(), self.calls.next_try(now), over];
        times.into_iter().flatten().min().unwrap_or(now + IDLE)
    }

    fn look(&mut self) {
        let now = Instant::now();
        if self.work.next_look().is_some_and(|time| time <= now) {
            self.work.look(now);
            if self.calls.renew.is_ready(now) {
                let held = self.work.to_renew(now);
                if !held.is_empty() {
                    self.calls.begin_renew(held);
                }
            }
        }
    }

    fn finished(&mut self, arrived: &mut Vec<Completion>) {
        let now = Instant::now();
        for completion in arrived.drain(..) {
            self.work.finished(completion, now);
        }
        self.work.gauge();
    }

    fn leased(&mut self, answer: Result<Vec<Lease>, SourceError>) {
        match answer {
            Ok(leases) => {
                let now = Instant::now();
                self.calls.leased(leases.len(), now);
                self.work.accept(leases, now);
            }
            Err(_) => self.counters.lease_errors.one(),
        }
    }

    fn renewed(&mut self, answer: Result<Renewed, SourceError>) {
        match answer {
            Ok(renewed) => self
                .work
                .renewed(renewed, self.calls.renew.begun, Instant::now()),
            Err(_) => self.counters.renew_errors.one(),
        }
    }

    fn revoked(&mut self, answer: Result<(Held, Revoked), SourceError>) {
        if let Ok(revoked) = answer {
            let now = Instant::now();
            let renewed = Renewed {
                kept: Vec::new(),
                revoked: vec![revoked],
            };
            self.work.renewed(renewed, now, now);
        }
    }

    fn completed(&mut self, answer: Result<Vec<bool>, SourceError>) {
        let batch = self.calls.take_completed();
        match answer {
            Ok(accepted) => self.work.recorded(&batch, &accepted),
            Err(_) => {
                self.counters.complete_errors.one();
                self.work.unrecorded(batch);
            }
        }
    }
}

#[cfg(test)]
mod tests;
