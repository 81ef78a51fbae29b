//! Names to addresses. Which of them may be connected to is decided by the connector, on exactly what came from here.

use std::io;
use std::net::{IpAddr, Ipv6Addr};

use async_trait::async_trait;

/// Resolves names. The connector asks once for each connection, and connects to nothing but what it was told then.
#[async_trait]
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of a host that is not an address itself, best first.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The operating system's resolver.
#[derive(Debug, Clone, Copy)]
pub struct SystemResolver;

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let found = tokio::net::lookup_host((host, 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    }
}

/// The address that a URL's host is, brackets or none; `None` for a name.
pub(crate) fn literal(host: &str) -> Option<IpAddr> {
    let inner = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    match inner {
        Some(inner) => inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse().ok(),
    }
}
