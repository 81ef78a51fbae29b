//! The listener: a bounded number of connections, each with a limit on how long it may take to say what it wants.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// Connections at once; more wait to be accepted.
const CONNECTIONS: usize = 4_096;
/// The longest that the head of a request may take, a connection's first byte included.
const SLOWEST_HEAD: Duration = Duration::from_secs(15);
/// How long open connections may take to finish at a stop.
const LAST_CALLS: Duration = Duration::from_secs(5);
/// After a failed accept: out of file descriptors, most likely.
const BREATHER: Duration = Duration::from_millis(50);

/// Serves until `closing`, then lets open calls finish.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    closing: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(SLOWEST_HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(30))
        .max_concurrent_streams(256);
    loop {
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            () = closing.cancelled() => break,
        };
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(BREATHER).await;
                    continue;
                }
            },
            () = closing.cancelled() => break,
        };
        // Small answers should not wait for more.
        let _ = stream.set_nodelay(true);
        let (builder, router, watcher) = (builder.clone(), router.clone(), graceful.watcher());
        let (tls, closing) = (tls.clone(), closing.clone());
        // A peer that breaks off is no event.
        tokio::spawn(async move {
            match tls {
                None => {
                    let _ = watcher
                        .watch(connection(&builder, stream, peer, router))
                        .await;
                }
                Some(tls) => {
                    let shaking = tokio::time::timeout(SLOWEST_HEAD, tls.accept(stream));
                    // Whoever has not even agreed on a key holds no stop up.
                    if let Some(Ok(Ok(stream))) = closing.run_until_cancelled(shaking).await {
                        let _ = watcher
                            .watch(connection(&builder, stream, peer, router))
                            .await;
                    }
                }
            }
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(LAST_CALLS, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some calls did not finish in time");
    }
}

fn connection<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    builder: &Builder<TokioExecutor>,
    stream: S,
    peer: SocketAddr,
    router: Router,
) -> impl hyper_util::server::graceful::GracefulConnection<
    Error = Box<dyn std::error::Error + Send + Sync>,
> + Send
+ use<S> {
    let service = router.map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.map(axum::body::Body::new)
    });
    builder
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
        .into_owned()
}
