//! The HTTP client: connection pool, TLS, and what its errors mean. Redirects, proxies and retries are not known here.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tower::Service;

use crate::connect::{ConnectError, GuardedConnector};
use crate::failure::Failure;
use crate::resolve::Resolve;
use crate::settings::Settings;

/// Servers often close idle connections after 60 s; ours go first, so that few requests meet a closing one.
const IDLE: Duration = Duration::from_secs(30);
/// A response's header block may have so many bytes.
const HEADER_BLOCK: u32 = 64 * 1024;
/// And so many fields.
const HEADER_FIELDS: usize = 256;
/// TLS sessions kept for resumption: one per target, of many targets.
const SESSIONS: usize = 1024;

/// The client could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The file of extra certificates can't be used.
    #[error(
        "the certificates in {path} can't be read: {reason}; give a PEM file with at least one certificate"
    )]
    ExtraCa {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// The TLS library refused its settings.
    #[error("TLS can't be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// Sends requests over pooled, checked connections.
#[derive(Clone)]
pub(crate) struct HttpClient {
    inner: Client<Connector, Full<Bytes>>,
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpClient")
    }
}

impl HttpClient {
    pub(crate) fn new(settings: &Settings, resolver: Arc<dyn Resolve>) -> Result<Self, SetupError> {
        let tls = tls_config(settings.extra_ca.as_deref())?;
        let tcp = GuardedConnector::new(resolver, settings.egress_allow.clone());
        let secure = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .wrap_connector(tcp);
        let inner = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(settings.per_host)
            .http1_max_buf_size(HEADER_BLOCK as usize)
            .http1_max_headers(HEADER_FIELDS)
            .http2_max_header_list_size(HEADER_BLOCK)
            .build(Connector {
                secure,
                limit: settings.connect_timeout,
            });
        Ok(Self { inner })
    }

    /// Sends a request and waits for the answer's head.
    pub(crate) async fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Failure> {
        let response = self
            .inner
            .request(request)
            .await
            .map_err(|error| explain(&error))?;
        // The library's own limit lets up to twice as much through, depending on how the bytes arrive.
        let lines = response
            .headers()
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + 4);
        if lines.sum::<usize>() > HEADER_BLOCK as usize {
            return Err(Failure::large_headers());
        }
        Ok(response)
    }
}

/// TCP and TLS within one time limit, errors told apart.
#[derive(Clone)]
struct Connector {
    secure: HttpsConnector<GuardedConnector>,
    limit: Duration,
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        let host = target.host().unwrap_or_default().to_owned();
        let limit = self.limit;
        let connecting = self.secure.call(target);
        Box::pin(async move {
            match tokio::time::timeout(limit, connecting).await {
                Ok(Ok(stream)) => Ok(stream),
                Ok(Err(error)) => Err(connect_error(host, error)),
                Err(_) => Err(ConnectError::TimedOut { host, limit }),
            }
        })
    }
}

/// What went wrong below: our own error as it is, anything else came from the TLS handshake.
fn connect_error(host: String, error: Box<dyn StdError + Send + Sync>) -> ConnectError {
    match error.downcast::<ConnectError>() {
        Ok(ours) => *ours,
        Err(other) => ConnectError::Tls {
            host,
            reason: root_cause(other.as_ref()).to_string(),
        },
    }
}

fn root_cause<'e>(error: &'e (dyn StdError + 'static)) -> &'e (dyn StdError + 'static) {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause
}

fn causes<'e>(
    error: &'e (dyn StdError + 'static),
) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// What a failed request means. The library's own text is not passed on.
fn explain(error: &ClientError) -> Failure {
    if let Some(connect) = causes(error).find_map(|cause| cause.downcast_ref::<ConnectError>()) {
        return Failure::connect(connect);
    }
    match causes(error).find_map(|cause| cause.downcast_ref::<hyper::Error>()) {
        Some(error) => Failure::exchange(error),
        None => Failure::closed("the connection was closed before the answer"),
    }
}

fn tls_config(extra: Option<&Path>) -> Result<ClientConfig, SetupError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots(extra)?)
        .with_no_client_auth();
    config.resumption = rustls::client::Resumption::in_memory_sessions(SESSIONS);
    Ok(config)
}

/// The platform's roots, and those of the extra file.
fn roots(extra: Option<&Path>) -> Result<RootCertStore, SetupError> {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    let (usable, _) = roots.add_parsable_certificates(native.certs);
    if let Some(path) = extra {
        add_extra(&mut roots, path).map_err(|reason| SetupError::ExtraCa {
            path: path.display().to_string(),
            reason,
        })?;
    } else if usable == 0 {
        tracing::warn!("the platform has no root certificates: every https target will be refused");
    }
    Ok(roots)
}

fn add_extra(roots: &mut RootCertStore, path: &Path) -> Result<(), String> {
    let before = roots.len();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| error.to_string())? {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    if roots.len() == before {
        Err("there is none in it".to_owned())
    } else {
        Ok(())
    }
}
