//! What every handler shares.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use padclock_store::Store;
use padclock_worker::Cidr;
use tokio::sync::Notify;

use crate::audit::strangers::Tries;
use crate::keyrings::Keyrings;
use crate::limits::Failures;
use crate::metrics::Metrics;
use crate::token_uses::TokenUses;

/// The node's parts, as handlers reach them: cloned for each call, so one pointer.
#[derive(Clone)]
pub(crate) struct App(Arc<Parts>);

impl App {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// See [`App`].
pub(crate) struct Parts {
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
    pub(crate) token_uses: Arc<TokenUses>,
    /// Proxies in front whose `X-Forwarded-For` is believed.
    pub(crate) trusted_proxies: Arc<[Cidr]>,
}

impl App {
    /// Takes back what was counted before it was known to be right.
    pub(crate) fn forgive(&self, from: IpAddr, account: &str) {
        self.failures.forgive(&from);
        self.logins.forgive(account);
    }

    /// Counts a failed attempt to be let in, against the address and, if one was named, the account.
    pub(crate) fn count_failure(&self, from: IpAddr, account: &str) {
        let now = std::time::Instant::now();
        self.failures.count(from, now);
        if !account.is_empty() {
            self.logins.count(account.to_owned(), now);
        }
    }
}
