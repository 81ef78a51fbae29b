//! What the worker counts, for whoever shows metrics. Words and exposition formats are theirs.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::failure::FailureKind;

/// Counts since the worker was made.
#[derive(Debug, Default)]
pub struct Counters {
    pub(crate) started: Count,
    pub(crate) succeeded: Count,
    pub(crate) failed: [Count; FailureKind::ALL.len()],
    pub(crate) retried: Count,
    pub(crate) canceled: Count,
    pub(crate) lost: Count,
    pub(crate) handed_back: Count,
    pub(crate) in_flight: Count,
    pub(crate) waiting: Count,
    pub(crate) lease_errors: Count,
    pub(crate) renew_errors: Count,
    pub(crate) complete_errors: Count,
}

/// One count.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn one(&self) {
        self.add(1);
    }

    pub(crate) fn set(&self, to: usize) {
        self.0.store(to as u64, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// All counts at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Attempts that began.
    pub started: u64,
    /// Attempts that succeeded.
    pub succeeded: u64,
    /// Attempts that failed, by kind.
    pub failed: [(FailureKind, u64); FailureKind::ALL.len()],
    /// Failed attempts that are tried again.
    pub retried: u64,
    /// Attempts that someone stopped.
    pub canceled: u64,
    /// Leases that were lost.
    pub lost: u64,
    /// Leases that were handed back unstarted.
    pub handed_back: u64,
    /// Attempts under way now.
    pub in_flight: u64,
    /// Leases that wait for their host or workspace now.
    pub waiting: u64,
    /// Lease calls that the source did not answer.
    pub lease_errors: u64,
    /// Renew calls that the source did not answer.
    pub renew_errors: u64,
    /// Complete calls that the source did not answer.
    pub complete_errors: u64,
}

impl Counters {
    pub(crate) fn fail(&self, kind: FailureKind) {
        self.failed[kind as usize].one();
    }

    /// The counts now.
    #[must_use]
    pub fn read(&self) -> Counted {
        Counted {
            started: self.started.get(),
            succeeded: self.succeeded.get(),
            failed: FailureKind::ALL.map(|kind| (kind, self.failed[kind as usize].get())),
            retried: self.retried.get(),
            canceled: self.canceled.get(),
            lost: self.lost.get(),
            handed_back: self.handed_back.get(),
            in_flight: self.in_flight.get(),
            waiting: self.waiting.get(),
            lease_errors: self.lease_errors.get(),
            renew_errors: self.renew_errors.get(),
            complete_errors: self.complete_errors.get(),
        }
    }
}

impl Counted {
    /// How many attempts failed in this way.
    #[must_use]
    pub fn failed_by(&self, kind: FailureKind) -> u64 {
        self.failed[kind as usize].1
    }
}
