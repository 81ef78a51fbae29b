//! What every handler shares.

use std::net::IpAddr;
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
    pub(crate) failures: Arc<Failures<IpAddr>>,
    /// Wrong passwords, by account.
    pub(crate) logins: Arc<Failures<String>>,
    /// Where people reach this server.
    pub(crate) public_url: Arc<str>,
    /// Whether browsers reach it by TLS only.
    pub(crate) secure_cookies: bool,
    /// Wrong tokens, to be told to the audit.
    pub(crate) tries: Arc<Tries>,
    pub(crate) stopping: Arc<AtomicBool>,
}

impl App {
    /// Counts a failed attempt to be let in, against the address and, if one was named, the account.
    pub(crate) fn count_failure(&self, from: IpAddr, account: &str) {
        let now = std::time::Instant::now();
        self.failures.count(from, now);
        if !account.is_empty() {
            self.logins.count(account.to_owned(), now);
        }
    }
}
