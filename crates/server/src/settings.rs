//! What a node is told at start, already parsed: the binary reads flags, environment and file into it.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use padclock_store::Retention;
use padclock_vault::Value;
use padclock_worker::Cidr;

use crate::audit::AuditCopy;
use crate::root_key::RootKeySource;
use crate::tls::TlsFiles;

/// Everything that a node is told.
pub struct Settings {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The folder of the embedded database, the root key it makes, and the owner's first token.
    pub data: PathBuf,
    /// The database's URL; none: the embedded one in `data`.
    pub database: Option<String>,
    /// Where the root key comes from.
    pub root_key: RootKeySource,
    /// The owner's token, set from outside instead of made.
    pub bootstrap_token: Option<Value>,
    /// Where people reach this server, such as `https://cron.example.com`; none: where it listens.
    pub public_url: Option<String>,
    /// Whether TLS ends in front of this process, so that it may listen beyond loopback without it.
    pub behind_proxy: bool,
    /// Proxies in front whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Cidr>,
    /// The certificate that this process itself serves TLS with; none: plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Loopback and private ranges that jobs may reach.
    pub egress_allow: Vec<Cidr>,
    /// Certificates that jobs' targets may present, beside the platform's.
    pub extra_ca: Option<PathBuf>,
    /// The node's name in executions and audit; none: made up at start.
    pub node: Option<String>,
    /// Attempts at once.
    pub max_in_flight: usize,
    /// Attempts at once at one target host.
    pub per_host: usize,
    /// How long running attempts may take to finish at shutdown.
    pub drain_timeout: Duration,
    /// How long a lease holds without being renewed.
    pub lease_ttl: Duration,
    /// Where each committed audit record is copied to.
    pub audit_copy: Option<AuditCopy>,
    /// How much history is kept.
    pub retention: Retention,
    /// After how many seals a key term is followed by a new one; below 2^32.
    pub seals_per_term: u64,
}

impl fmt::Debug for Settings {
    /// A database's URL may hold its password, so it is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("listen", &self.listen)
            .field("data", &self.data)
            .field("node", &self.node)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Whether tokens and values would cross a network in the clear.
    pub(crate) fn in_the_clear(&self) -> bool {
        !self.listen.ip().is_loopback() && !self.behind_proxy && self.tls.is_none()
    }

    /// How this process itself is spoken to.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// What links begin with, of a node that listens here.
    pub(crate) fn public_url_at(&self, address: SocketAddr) -> String {
        let own = || format!("{}://{address}", self.scheme());
        self.public_url.clone().unwrap_or_else(own)
    }

    /// The documented defaults, with data in this folder.
    #[must_use]
    pub fn new(data: PathBuf) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7464)),
            root_key: RootKeySource::Kept(data.join("root.key")),
            data,
            database: None,
            bootstrap_token: None,
            public_url: None,
            behind_proxy: false,
            trusted_proxies: Vec::new(),
            tls: None,
            egress_allow: Vec::new(),
            extra_ca: None,
            node: None,
            max_in_flight: 512,
            per_host: 64,
            drain_timeout: Duration::from_secs(30),
            lease_ttl: Duration::from_secs(30),
            audit_copy: None,
            retention: Retention::default(),
            seals_per_term: 1 << 31,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_listened_to_without_tls() {
        let files = TlsFiles {
            certificate: "cert.pem".into(),
            key: "key.pem".into(),
        };
        for (listen, behind_proxy, tls, clear) in [
            ("127.0.0.1:1", false, None, false),
            ("[::1]:1", false, None, false),
            ("192.0.2.1:1", false, None, true),
            ("0.0.0.0:1", false, None, true),
            ("192.0.2.1:1", true, None, false),
            ("192.0.2.1:1", false, Some(files), false),
        ] {
            let settings = Settings {
                listen: listen.parse().unwrap(),
                behind_proxy,
                tls,
                ..Settings::new(PathBuf::new())
            };
            assert_eq!(settings.in_the_clear(), clear, "{listen}");
        }
    }
}
