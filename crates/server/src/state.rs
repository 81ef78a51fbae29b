//! What every handler shares.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use padclock_store::Store;
use tokio::sync::Notify;

use crate::audit::strangers::Tries;
use crate::keys::Keyrings;
use crate::limits::Failures;
use crate::metrics::Metrics;

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
    /// Wrong tokens, to be told to the audit.
    pub(crate) tries: Arc<Tries>,
    pub(crate) stopping: Arc<AtomicBool>,
}
