//! What jobs call: a hyper server in this process that answers a small JSON text, counts, and looks whether the secret
//! arrived.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::Result;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedSender;

/// The header that carries the secret.
pub const HEADER: &str = "x-api-key";
/// The secret's value: of a usual length and form.
pub const KEY: &str = "bk_live_7Qm2ZtW9xVb4KcR8sLfH3nDgY6pJ1aEu";
/// How large its answer is.
pub const ANSWER: usize = 1024;

/// A server that runs as long as its runtime.
#[derive(Clone, Debug)]
pub struct Target {
    pub address: SocketAddr,
    seen: Arc<Seen>,
}

#[derive(Debug)]
struct Seen {
    right: AtomicUsize,
    wrong: AtomicUsize,
    arrivals: Option<UnboundedSender<Instant>>,
    answer: Bytes,
}

impl Target {
    /// Starts one; each arrival is told to `arrivals`.
    ///
    /// # Errors
    /// When it can't listen.
    pub async fn start(arrivals: Option<UnboundedSender<Instant>>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let seen = Seen {
            right: AtomicUsize::new(0),
            wrong: AtomicUsize::new(0),
            arrivals,
            answer: answer().into(),
        };
        let seen = Arc::new(seen);
        tokio::spawn(accept(listener, Arc::clone(&seen)));
        Ok(Self { address, seen })
    }

    /// The URL that jobs call.
    pub fn url(&self) -> String {
        format!("http://{}/v1/items", self.address)
    }

    /// How many requests came with the secret, since the last reset.
    pub fn right(&self) -> usize {
        self.seen.right.load(Ordering::Relaxed)
    }

    /// How many came without it.
    pub fn wrong(&self) -> usize {
        self.seen.wrong.load(Ordering::Relaxed)
    }

    /// Counts from zero.
    pub fn reset(&self) {
        self.seen.right.store(0, Ordering::Relaxed);
        self.seen.wrong.store(0, Ordering::Relaxed);
    }
}

async fn accept(listener: TcpListener, seen: Arc<Seen>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, Arc::clone(&seen)));
    }
}

async fn serve(stream: TcpStream, seen: Arc<Seen>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request: Request<Incoming>| {
        let response = seen.answer(&request);
        async move { Ok::<_, Infallible>(response) }
    });
    // A caller that goes away is its own matter: what it did not send is not counted.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

impl Seen {
    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if let Some(arrivals) = &self.arrivals {
            let _ = arrivals.send(Instant::now());
        }
        let right = request
            .headers()
            .get(HEADER)
            .is_some_and(|value| value.as_bytes() == KEY.as_bytes());
        let count = if right { &self.right } else { &self.wrong };
        count.fetch_add(1, Ordering::Relaxed);
        let mut response = Response::new(Full::new(self.answer.clone()));
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}

/// 1 KiB of JSON, as an interface answers it.
pub fn answer() -> String {
    let mut text = "{\"items\":[".to_owned();
    let mut id = 4_711;
    while text.len() < ANSWER - 160 {
        text.push_str(&format!("{{\"id\":{id},\"name\":\"item {id}\",\"url\":\"https://api.example.com/v1/items/{id}\",\"ok\":true}},"));
        id += 13;
    }
    text.push_str("{\"id\":0}],\"note\":\"");
    let rest = ANSWER - text.len() - 2;
    text.push_str(&"x".repeat(rest));
    text.push_str("\"}");
    text
}

#[cfg(test)]
mod tests;
