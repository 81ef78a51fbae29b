//! What a node does for the audit in the background: signed heads, the live copy, strangers' tries; and whether records can
//! be written now. No record is made here but for strangers' tries: the store writes each with what it reports.

pub(crate) mod copy;
pub(crate) mod heads;
mod lines;
mod offline;
pub(crate) mod strangers;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use padclock_store::{Store, StoreError};
use prometheus::{IntCounter, IntGauge, Registry};

pub use copy::Target as AuditCopy;
pub use offline::{Auditor, CheckedHeads, check_heads};

/// How long an answer about whether records can be written holds.
const FRESH: Duration = Duration::from_secs(1);

/// What is known of the audit's health on this node.
pub(crate) struct State {
    /// Why records can't be written, if so, and when that was asked.
    unwritable: tokio::sync::Mutex<Option<(Instant, Option<String>)>>,
    copy: Mutex<Option<String>>,
    heads: Mutex<Option<String>>,
    failing: IntGauge,
    copy_failing: IntGauge,
    pub(crate) copied: IntCounter,
    heads_failing: IntGauge,
}

impl State {
    /// With its counters in this registry.
    pub(crate) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok::<_, prometheus::Error>(gauge)
        };
        let copied = IntCounter::new(
            "padclock_audit_copied_total",
            "Audit records that this node's live copy has written.",
        )?;
        registry.register(Box::new(copied.clone()))?;
        Ok(Self {
            unwritable: tokio::sync::Mutex::default(),
            copy: Mutex::default(),
            heads: Mutex::default(),
            failing: gauge(
                "padclock_audit_failing",
                "1 when audit records could not be written at the last look, so that nothing is released.",
            )?,
            copy_failing: gauge(
                "padclock_audit_copy_failing",
                "1 while the live copy of the audit can't be written.",
            )?,
            copied,
            heads_failing: gauge(
                "padclock_audit_heads_failing",
                "1 while heads of the audit can't be signed or kept, or a chain is shorter than what was signed of it.",
            )?,
        })
    }

    /// Why records can't be written now: tried, at most once a second.
    pub(crate) async fn unwritable(&self, store: &Store) -> Option<String> {
        let mut known = self.unwritable.lock().await;
        if let Some((at, answer)) = &*known
            && at.elapsed() < FRESH
        {
            return answer.clone();
        }
        let why = store.try_audit().await.err().map(|error| match error {
            StoreError::Unavailable(why) => why,
            other => other.to_string(),
        });
        self.failing.set(why.is_some().into());
        *known = Some((Instant::now(), why.clone()));
        why
    }

    fn note(place: &Mutex<Option<String>>, gauge: &IntGauge, what: &str, why: Option<String>) {
        gauge.set(why.is_some().into());
        let mut known = place.lock().unwrap_or_else(PoisonError::into_inner);
        if *known != why {
            match &why {
                Some(why) => tracing::error!(why, "{what} fails"),
                None => tracing::info!("{what} works again"),
            }
        }
        *known = why;
    }

    pub(crate) fn note_copy(&self, why: Option<String>) {
        Self::note(
            &self.copy,
            &self.copy_failing,
            "the live copy of the audit",
            why,
        );
    }

    pub(crate) fn note_heads(&self, why: Option<String>) {
        Self::note(
            &self.heads,
            &self.heads_failing,
            "keeping the audit's heads",
            why,
        );
    }

    /// What does not stop the node, and someone should see to.
    pub(crate) fn worries(&self) -> Vec<String> {
        let of = |place: &Mutex<Option<String>>, what: &str| {
            let known = place.lock().unwrap_or_else(PoisonError::into_inner);
            known.as_ref().map(|why| format!("{what}: {why}"))
        };
        let copy = of(&self.copy, "the live copy of the audit fails");
        let heads = of(&self.heads, "the audit's heads can't be kept");
        copy.into_iter().chain(heads).collect()
    }
}
