//! What every handler shares.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use padclock_store::Store;
use padclock_worker::Cidr;
use tokio::sync::Notify;

use crate::keys::Keyrings;
use crate::limits::Failures;
use crate::metrics::Metrics;
use crate::uses::Uses;

/// The node's parts, as handlers reach them.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) store: Arc<Store>,
    pub(crate) keyrings: Arc<Keyrings>,
    /// Told when there may be work: the worker's claim wakes.
    pub(crate) work: Arc<Notify>,
    /// Told when someone may have asked for the end of an execution.
    pub(crate) ends: Arc<Notify>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) failures: Arc<Failures>,
    pub(crate) stopping: Arc<AtomicBool>,
    pub(crate) uses: Arc<Uses>,
    pub(crate) front: Arc<Front>,
}

/// What stands between this node and its callers.
#[derive(Debug, Default)]
pub(crate) struct Front {
    /// TLS ends there.
    pub(crate) behind_proxy: bool,
    /// Whose `X-Forwarded-For` is believed.
    pub(crate) trusted_proxies: Vec<Cidr>,
}
