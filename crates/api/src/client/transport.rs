//! The wire: one call over HTTP or TLS, with limits on time and size. Knows nothing of what is sent.

use std::error::Error;
use std::future::{Ready, ready};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::client::legacy::{Builder, Client};
use hyper_util::rt::TokioExecutor;
use tower::util::ServiceFn;

use super::{BaseUrl, ClientError};

/// Longer than any answer takes but that of a call that waits, and those name their own.
const PATIENCE: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(10);
/// A page of the largest jobs is far below.
const LARGEST: usize = 32 * 1024 * 1024;

type Loopback = ServiceFn<fn(Name) -> Ready<io::Result<std::array::IntoIter<SocketAddr, 2>>>>;

/// One request, ready to be sent.
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Bytes,
}

/// One answer, read to its end.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// A pool of connections.
pub(super) enum Transport {
    /// To this machine alone, whatever its names resolve to.
    Plain(Client<HttpConnector<Loopback>, Full<Bytes>>),
    Tls(Client<HttpsConnector<HttpConnector>, Full<Bytes>>),
}

impl Transport {
    pub(super) fn new(tls: bool) -> Result<Self, ClientError> {
        let builder = Client::builder(TokioExecutor::new());
        if tls {
            secure(&builder)
        } else {
            Ok(plain(&builder))
        }
    }

    pub(super) async fn perform(&self, call: Call, to: &BaseUrl) -> Result<Reply, ClientError> {
        let request = request(call)?;
        match tokio::time::timeout(PATIENCE, self.exchange(request, to)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(ClientError::TimedOut {
                url: to.to_string(),
                seconds: PATIENCE.as_secs(),
            }),
        }
    }

    /// Sends a call whose answer may be of any length, and hands it on as it comes. An answer that is no success is read
    /// as a whole and told as every other.
    pub(super) async fn stream<E: From<ClientError>>(
        &self,
        call: Call,
        to: &BaseUrl,
        mut take: impl FnMut(Bytes) -> Result<(), E>,
    ) -> Result<(), E> {
        let late = || ClientError::TimedOut {
            url: to.to_string(),
            seconds: PATIENCE.as_secs(),
        };
        let opened = tokio::time::timeout(PATIENCE, self.open(request(call)?, to)).await;
        let response = opened.map_err(|_| late())??;
        if !response.status().is_success() {
            let reply = read(response, to).await?;
            return super::answer::success(reply).map(drop).map_err(E::from);
        }
        let mut body = response.into_body();
        while let Some(frame) = tokio::time::timeout(PATIENCE, body.frame())
            .await
            .map_err(|_| late())?
        {
            let frame = frame.map_err(|error| ClientError::Broken {
                url: to.to_string(),
                why: innermost(&error),
            })?;
            if let Ok(bytes) = frame.into_data() {
                take(bytes)?;
            }
        }
        Ok(())
    }

    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
        to: &BaseUrl,
    ) -> Result<Reply, ClientError> {
        read(self.open(request, to).await?, to).await
    }

    /// Sends a request and waits for the head of its answer.
    async fn open(
        &self,
        request: Request<Full<Bytes>>,
        to: &BaseUrl,
    ) -> Result<Response<Incoming>, ClientError> {
        let sent = match self {
            Self::Plain(client) => client.request(request),
            Self::Tls(client) => client.request(request),
        };
        sent.await.map_err(|error| {
            let (url, why) = (to.to_string(), innermost(&error));
            if error.is_connect() {
                ClientError::Unreachable { url, why }
            } else {
                ClientError::Broken { url, why }
            }
        })
    }
}

/// Reads an answer to its end.
async fn read(response: Response<Incoming>, to: &BaseUrl) -> Result<Reply, ClientError> {
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, LARGEST)
        .collect()
        .await
        .map_err(|error| {
            if error.is::<LengthLimitError>() {
                return ClientError::TooLarge(LARGEST);
            }
            ClientError::Broken {
                url: to.to_string(),
                why: innermost(error.as_ref()),
            }
        })?;
    Ok(Reply {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: body.to_bytes(),
    })
}

fn plain(builder: &Builder) -> Transport {
    // `http` is accepted for loopback names alone; a hosts file that sends `localhost` elsewhere must not change that.
    let names: fn(Name) -> _ = |_| {
        ready(Ok([
            SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            (Ipv6Addr::LOCALHOST, 0).into(),
        ]
        .into_iter()))
    };
    let mut connector = HttpConnector::new_with_resolver(tower::service_fn(names));
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(CONNECT));
    Transport::Plain(builder.build(connector))
}

fn secure(builder: &Builder) -> Result<Transport, ClientError> {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(CONNECT));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let trusted = HttpsConnectorBuilder::new().with_provider_and_native_roots(provider);
    let tls = trusted.map_err(|error| ClientError::Tls(error.to_string()))?;
    Ok(Transport::Tls(
        builder.build(
            tls.https_only()
                .enable_all_versions()
                .wrap_connector(connector),
        ),
    ))
}

fn request(call: Call) -> Result<Request<Full<Bytes>>, ClientError> {
    let mut request = Request::new(Full::new(call.body));
    *request.method_mut() = call.method;
    *request.uri_mut() = call.uri;
    let headers = request.headers_mut();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(
        USER_AGENT,
        HeaderValue::from_static(concat!("padclock-client/", env!("CARGO_PKG_VERSION"))),
    );
    headers.extend(call.headers);
    Ok(request)
}

/// What is at the bottom of an error, in the system's words; the layers above repeat each other.
fn innermost(error: &dyn Error) -> String {
    let mut at = error;
    while let Some(cause) = at.source() {
        at = cause;
    }
    let text = at.to_string();
    // What follows is a number that differs between systems, or a page for those who write such software.
    let ends = [" (os error ", ": https://"]
        .iter()
        .filter_map(|end| text.find(end));
    text[..ends.min().unwrap_or(text.len())].to_owned()
}
