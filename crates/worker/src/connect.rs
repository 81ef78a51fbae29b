//! The guarded connector: it resolves by itself, checks each address, and connects to checked ones only. It is the
//! one place that opens a connection to a job's target; no proxy setting is read. TLS is around it, in `client`.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::Service;

use crate::address::{Cidr, RefusedAddress, check};
use crate::resolve::{Resolve, literal};

/// Later addresses of a name are tried when earlier ones have not answered for so long (RFC 8305 calls it 250 ms).
const STAGGER: Duration = Duration::from_millis(250);
/// No name needs more addresses tried.
const MOST_ADDRESSES: usize = 8;

/// Why there is no connection. Holds the host, never a path, query or value.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    /// Every address of the host is one that may not be reached.
    #[error("{host} is not connected to: {refused}")]
    Address {
        host: String,
        refused: RefusedAddress,
    },
    /// The name has no address.
    #[error("{host} could not be resolved{}", because(.cause))]
    Resolve {
        host: String,
        cause: Option<io::ErrorKind>,
    },
    /// No address answered.
    #[error("no connection to {host}: {kind}")]
    Refused { host: String, kind: io::ErrorKind },
    /// The TLS handshake failed.
    #[error("no TLS connection to {host}: {reason}")]
    Tls { host: String, reason: String },
    /// It took too long.
    #[error("no connection to {host} within {} s", .limit.as_secs())]
    TimedOut { host: String, limit: Duration },
}

fn because(cause: &Option<io::ErrorKind>) -> String {
    cause.map_or_else(
        || ": it has no address".to_owned(),
        |kind| format!(" ({kind})"),
    )
}

/// Connects over TCP to checked addresses.
#[derive(Clone)]
pub(crate) struct GuardedConnector {
    guard: Arc<Guard>,
}

struct Guard {
    resolver: Arc<dyn Resolve>,
    allowed: Vec<Cidr>,
}

impl GuardedConnector {
    pub(crate) fn new(resolver: Arc<dyn Resolve>, allowed: Vec<Cidr>) -> Self {
        Self {
            guard: Arc::new(Guard { resolver, allowed }),
        }
    }
}

impl Service<Uri> for GuardedConnector {
    type Response = TokioIo<TcpStream>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        let guard = Arc::clone(&self.guard);
        Box::pin(async move {
            let host = target.host().unwrap_or_default();
            let port = target
                .port_u16()
                .unwrap_or(if target.scheme_str() == Some("https") {
                    443
                } else {
                    80
                });
            let addresses = guard.checked(host).await?;
            let stream = first_to_answer(host, port, &addresses).await?;
            // Small requests must not wait for an acknowledgement; where this fails the connection still works.
            let _ = stream.set_nodelay(true);
            Ok(TokioIo::new(stream))
        })
    }
}

impl Guard {
    /// The addresses of `host` that may be reached: at least one.
    async fn checked(&self, host: &str) -> Result<Vec<IpAddr>, ConnectError> {
        let mut found = match literal(host) {
            Some(address) => vec![address],
            None => self
                .resolver
                .resolve(host)
                .await
                .map_err(|error| unresolved(host, Some(error.kind())))?,
        };
        let mut refused = None;
        found.retain(|&address| match check(address, &self.allowed) {
            Ok(()) => true,
            Err(reason) => {
                refused.get_or_insert(reason);
                false
            }
        });
        match refused {
            Some(refused) if found.is_empty() => Err(ConnectError::Address {
                host: host.to_owned(),
                refused,
            }),
            None if found.is_empty() => Err(unresolved(host, None)),
            _ => Ok(found),
        }
    }
}

fn unresolved(host: &str, cause: Option<io::ErrorKind>) -> ConnectError {
    ConnectError::Resolve {
        host: host.to_owned(),
        cause,
    }
}

/// The first connection that comes about; further addresses start a little later each.
async fn first_to_answer(
    host: &str,
    port: u16,
    addresses: &[IpAddr],
) -> Result<TcpStream, ConnectError> {
    let mut tries: FuturesUnordered<_> = (0u32..)
        .zip(addresses.iter().take(MOST_ADDRESSES))
        .map(|(place, &address)| async move {
            if place > 0 {
                tokio::time::sleep(STAGGER * place).await;
            }
            TcpStream::connect(SocketAddr::new(address, port)).await
        })
        .collect();
    let mut kind = io::ErrorKind::AddrNotAvailable;
    while let Some(tried) = tries.next().await {
        match tried {
            Ok(stream) => return Ok(stream),
            Err(error) => kind = error.kind(),
        }
    }
    Err(ConnectError::Refused {
        host: host.to_owned(),
        kind,
    })
}
