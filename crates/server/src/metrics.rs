//! What the node counts, in Prometheus' text form. No label holds anything that a user wrote.

use std::sync::{Arc, Mutex, PoisonError};

use padclock_worker::{Counters, FailureKind};
use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
};

/// The node's counters.
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) requests: HistogramVec,
    /// Secrets of all workspaces whose new value is due, by the last look.
    pub(crate) due_secrets: IntGauge,
    attempts: IntCounterVec,
    in_flight: IntGauge,
    worker: Mutex<Option<Arc<Counters>>>,
    failing: Mutex<Option<String>>,
    pub(crate) audit: crate::audit::State,
}

fn registered<C: prometheus::core::Collector + Clone + 'static>(
    registry: &Registry,
    made: prometheus::Result<C>,
) -> prometheus::Result<C> {
    let collector = made?;
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}

impl Metrics {
    pub(crate) fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let buckets = vec![
            0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0,
        ];
        let requests = HistogramOpts::new(
            "padclock_http_request_seconds",
            "API calls by route, method and status.",
        )
        .buckets(buckets);
        let attempts = Opts::new(
            "padclock_attempts_total",
            "Attempts of this node by how they ended.",
        );
        let in_flight = IntGauge::new(
            "padclock_attempts_in_flight",
            "Attempts that this node carries out now.",
        );
        let due_secrets = IntGauge::new(
            "padclock_secrets_rotation_due",
            "Secrets whose new value is due.",
        );
        Ok(Self {
            due_secrets: registered(&registry, due_secrets)?,
            requests: registered(
                &registry,
                HistogramVec::new(requests, &["route", "method", "status"]),
            )?,
            attempts: registered(&registry, IntCounterVec::new(attempts, &["end"]))?,
            in_flight: registered(&registry, in_flight)?,
            worker: Mutex::default(),
            failing: Mutex::default(),
            audit: crate::audit::State::new(&registry)?,
            registry,
        })
    }

    /// Takes the worker's counters in.
    pub(crate) fn watch(&self, counters: Arc<Counters>) {
        *self.worker.lock().unwrap_or_else(PoisonError::into_inner) = Some(counters);
    }

    /// Notes whether claims fail, and why.
    pub(crate) fn claims(&self, why: Option<String>) {
        *self.failing.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    /// Why no execution can be started now.
    pub(crate) fn claims_failing(&self) -> Option<String> {
        self.failing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Everything, as text.
    pub(crate) fn text(&self) -> String {
        if let Some(counters) = &*self.worker.lock().unwrap_or_else(PoisonError::into_inner) {
            self.take(counters);
        }
        let mut text = Vec::new();
        if TextEncoder::new()
            .encode(&self.registry.gather(), &mut text)
            .is_err()
        {
            tracing::error!("the metrics can't be written as text");
        }
        String::from_utf8(text).unwrap_or_default()
    }

    fn take(&self, counters: &Counters) {
        let counted = counters.read();
        self.in_flight
            .set(i64::try_from(counted.in_flight).unwrap_or(i64::MAX));
        let set = |end: &str, count: u64| {
            let counter = self.attempts.with_label_values(&[end]);
            counter.inc_by(count.saturating_sub(counter.get()));
        };
        set("succeeded", counted.succeeded);
        set("canceled", counted.canceled);
        set("lost", counted.lost);
        set("handed_back", counted.handed_back);
        for kind in FailureKind::ALL {
            set(kind.word(), counted.failed_by(kind));
        }
    }
}
