//! The worker's settings, parsed once by whoever starts it. Nothing here reads the environment.

use std::path::PathBuf;
use std::time::Duration;

use crate::address::Cidr;

/// How the worker behaves. The defaults are the documented ones.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The node's or agent's name, for log lines.
    pub node: String,
    /// Leases held at once, attempts that wait for their host or workspace included.
    pub max_in_flight: usize,
    /// Attempts at once at one target host and port.
    pub per_host: usize,
    /// Attempts at once for one workspace.
    pub max_per_workspace: usize,
    /// How long a lease waits for its host or workspace before it is handed back.
    pub longest_wait: Duration,
    /// Loopback and private ranges that may be connected to (`--egress-allow`).
    pub egress_allow: Vec<Cidr>,
    /// PEM certificates trusted beside the platform's own.
    pub extra_ca: Option<PathBuf>,
    /// The time to resolve, connect and agree on TLS.
    pub connect_timeout: Duration,
    /// How long, at shutdown, running attempts may take to finish.
    pub drain_timeout: Duration,
    /// Bytes of a body that are kept, head and tail together.
    pub body_kept: usize,
    /// Bytes of a response's body that are read, before and after decoding; then the connection is dropped.
    pub body_read: u64,
    /// A lease older than this is renewed.
    pub renew_after: Duration,
    /// How long a renewed lease is trusted, from the start of the renewing: the lease's time less a margin.
    pub lease_trust: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            node: "node".to_owned(),
            max_in_flight: 512,
            per_host: 64,
            max_per_workspace: 384,
            longest_wait: Duration::from_secs(2),
            egress_allow: Vec::new(),
            extra_ca: None,
            connect_timeout: Duration::from_secs(10),
            drain_timeout: Duration::from_secs(30),
            body_kept: 64 * 1024,
            body_read: 8 * 1024 * 1024,
            renew_after: Duration::from_secs(10),
            lease_trust: Duration::from_secs(25),
        }
    }
}
