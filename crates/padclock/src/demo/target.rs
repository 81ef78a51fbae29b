//! The target: a server on loopback that answers with what it was sent, gzipped, and keeps nothing of it but SHA-256 sums.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode;
use tokio::net::{TcpListener, TcpStream};

use super::echo::{self, Heard};
use super::sabotage::Sabotage;
use super::value::sum;

/// The three places in which the job sends the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Header,
    Query,
    Body,
}

impl Place {
    pub(super) const ALL: [Self; 3] = [Self::Header, Self::Query, Self::Body];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Query => "query",
            Self::Body => "body",
        }
    }
}

/// How often each sum arrived in each place.
pub(super) type Sums = BTreeMap<(Place, [u8; 32]), usize>;

#[derive(Default)]
struct Kept {
    sums: Sums,
    requests: usize,
}

/// The target while it listens: as long as the process.
pub(super) struct Target {
    pub(super) address: SocketAddr,
    kept: Arc<Mutex<Kept>>,
}

impl Target {
    /// Starts it on a free port. Spoilt, it loses the last byte of all it hears, or answers with what
    /// no redaction can know.
    pub(super) async fn start(spoilt: Option<Sabotage>) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .context("the target can't listen on loopback")?;
        let address = listener.local_addr()?;
        let kept = Arc::<Mutex<Kept>>::default();
        tokio::spawn(accept(listener, Arc::clone(&kept), spoilt));
        Ok(Self { address, kept })
    }

    /// What has arrived so far.
    pub(super) fn sums(&self) -> Sums {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .sums
            .clone()
    }
}

async fn accept(listener: TcpListener, kept: Arc<Mutex<Kept>>, spoilt: Option<Sabotage>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, Arc::clone(&kept), spoilt));
    }
}

async fn serve(stream: TcpStream, kept: Arc<Mutex<Kept>>, spoilt: Option<Sabotage>) {
    let service = service_fn(move |request| respond(request, Arc::clone(&kept), spoilt));
    // A client that goes away ends its connection, and that is all.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn respond(
    request: Request<Incoming>,
    kept: Arc<Mutex<Kept>>,
    spoilt: Option<Sabotage>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await.map(|body| body.to_bytes()) else {
        return Ok(status(400));
    };
    let query = head.uri.query().unwrap_or_default();
    let heard = Heard {
        authorization: bearer(&head.headers),
        query: query.as_bytes(),
        body: &body,
    };
    let number = keep(&kept, &heard, spoilt);
    Ok(echoed(&heard, number, spoilt).unwrap_or_else(|_| status(500)))
}

fn status(code: u16) -> Response<Full<Bytes>> {
    let mut response = Response::default();
    *response.status_mut() = http::StatusCode::from_u16(code).unwrap_or_default();
    response
}

fn bearer(headers: &HeaderMap) -> &[u8] {
    let given = headers
        .get(AUTHORIZATION)
        .map(HeaderValue::as_bytes)
        .unwrap_or_default();
    given.strip_prefix(b"Bearer ").unwrap_or(given)
}

/// Counts the sums of what arrived, and gives the number of the request, from 0.
fn keep(kept: &Mutex<Kept>, heard: &Heard<'_>, spoilt: Option<Sabotage>) -> usize {
    let from_body = serde_json::from_slice::<serde_json::Value>(heard.body).unwrap_or_default();
    let arrived = [
        (Place::Header, heard.authorization.to_vec()),
        (Place::Query, from_query(heard.query)),
        (
            Place::Body,
            from_body["key"]
                .as_str()
                .unwrap_or_default()
                .as_bytes()
                .to_vec(),
        ),
    ];
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    for (place, bytes) in arrived {
        let end = bytes
            .len()
            .saturating_sub(usize::from(spoilt == Some(Sabotage::Target)));
        *kept.sums.entry((place, sum(&bytes[..end]))).or_default() += 1;
    }
    kept.requests += 1;
    kept.requests - 1
}

/// The field `key`, decoded as a form's.
fn from_query(query: &[u8]) -> Vec<u8> {
    let field = query
        .split(|&byte| byte == b'&')
        .find_map(|pair| pair.strip_prefix(b"key="));
    let spaced: Vec<u8> = field
        .unwrap_or_default()
        .iter()
        .map(|&byte| if byte == b'+' { b' ' } else { byte })
        .collect();
    percent_decode(&spaced).collect()
}

fn echoed(
    heard: &Heard<'_>,
    number: usize,
    spoilt: Option<Sabotage>,
) -> Result<Response<Full<Bytes>>> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(&echo::answer(heard, number))?;
    if spoilt == Some(Sabotage::Echo) {
        gzip.write_all(
            String::from_utf8_lossy(heard.authorization)
                .chars()
                .rev()
                .collect::<String>()
                .as_bytes(),
        )?;
    }
    let mut response = Response::new(Full::new(Bytes::from(gzip.finish()?)));
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    headers.insert("x-echo", HeaderValue::from_bytes(heard.authorization)?);
    Ok(response)
}
