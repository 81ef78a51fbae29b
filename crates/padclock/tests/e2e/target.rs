//! A target on loopback that a test programs by path. It speaks HTTP/1.1 byte by byte, so that it can do what a proper
//! server would not, and it remembers what it was sent.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::net;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

/// A request as it came.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub method: String,
    /// Path and query.
    pub path: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

impl Seen {
    /// A header's value as bytes; empty when there is none.
    pub fn raw_header(&self, name: &str) -> &[u8] {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map_or(&[], |(_, value)| value)
    }

    pub fn header(&self, name: &str) -> String {
        String::from_utf8_lossy(self.raw_header(name)).into_owned()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// What the target does with a request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// These bytes; the connection stays open.
    Bytes(Vec<u8>),
    /// These bytes, then the connection is closed.
    Close(Vec<u8>),
    /// These bytes, and then nothing, with the connection open.
    Hang(Vec<u8>),
    /// The bytes once the gate lets one through.
    Gate(Gate, Vec<u8>),
    /// A head, then this piece over and over, until so many bytes were written or the other side has gone.
    Flood {
        head: Vec<u8>,
        piece: Vec<u8>,
        total: u64,
    },
}

impl Reply {
    /// A response with this status, header lines (each with its CR LF) and body.
    pub fn response(status: u16, headers: &str, body: &[u8]) -> Self {
        Self::Bytes(response(status, headers, body))
    }

    pub fn ok(body: impl AsRef<[u8]>) -> Self {
        Self::response(200, "Content-Type: text/plain\r\n", body.as_ref())
    }
}

pub fn response(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status} Words\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Holds answers back until a test opens it.
#[derive(Debug, Clone)]
pub struct Gate(Arc<Semaphore>);

impl Gate {
    pub fn closed() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    /// Lets so many answers through.
    pub fn let_through(&self, count: usize) {
        self.0.add_permits(count);
    }

    async fn pass(&self) {
        self.0.acquire().await.unwrap().forget();
    }
}

type Program = dyn Fn(&Seen) -> Reply + Send + Sync;

struct State {
    program: Box<Program>,
    seen: Mutex<Vec<Seen>>,
    count: watch::Sender<usize>,
    flooded: watch::Sender<Option<u64>>,
}

/// See the module.
#[derive(Clone)]
pub struct Target {
    pub address: SocketAddr,
    state: Arc<State>,
}

impl Target {
    /// A target that answers each request by `program`.
    pub async fn new(program: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = State {
            program: Box::new(program),
            seen: Mutex::default(),
            count: watch::Sender::new(0),
            flooded: watch::Sender::new(None),
        };
        let state = Arc::new(state);
        let for_all = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                tokio::spawn(serve(stream, Arc::clone(&for_all)));
            }
        });
        Self { address, state }
    }

    /// A target that answers 200 to everything.
    pub async fn agreeable() -> Self {
        Self::new(|_| Reply::ok("fine")).await
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.state
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The requests of one execution, by its idempotency key.
    pub fn seen_of(&self, execution: &str) -> Vec<Seen> {
        self.seen()
            .into_iter()
            .filter(|seen| seen.header("idempotency-key") == execution)
            .collect()
    }

    /// The only request of one execution.
    pub fn one_of(&self, execution: &str) -> Seen {
        let mut seen = self.seen_of(execution);
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen.remove(0)
    }

    /// Waits until so many requests have come.
    pub async fn wait_for(&self, count: usize) {
        let mut counts = self.state.count.subscribe();
        let came = tokio::time::timeout(
            crate::client::PATIENCE,
            counts.wait_for(|seen| *seen >= count),
        )
        .await;
        assert!(
            came.is_ok(),
            "{count} requests never came; {} did",
            self.seen().len()
        );
    }

    /// How many bytes of a flood were written before the other side went.
    pub async fn flooded(&self) -> u64 {
        let mut flooded = self.state.flooded.subscribe();
        let ended =
            tokio::time::timeout(crate::client::PATIENCE, flooded.wait_for(Option::is_some)).await;
        ended.expect("the flood goes on").unwrap().unwrap()
    }
}

async fn serve(mut stream: TcpStream, state: Arc<State>) {
    let mut buffer = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut buffer).await {
        let reply = (state.program)(&request);
        state
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(request);
        state.count.send_modify(|count| *count += 1);
        if !answer(&mut stream, reply, &state).await {
            return;
        }
    }
}

/// Carries a reply out; false when the connection is over.
async fn answer(stream: &mut TcpStream, reply: Reply, state: &State) -> bool {
    match reply {
        Reply::Bytes(bytes) => stream.write_all(&bytes).await.is_ok(),
        Reply::Close(bytes) => {
            let _ = stream.write_all(&bytes).await;
            false
        }
        Reply::Hang(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.read(&mut [0; 16]).await;
            false
        }
        Reply::Gate(gate, bytes) => {
            gate.pass().await;
            stream.write_all(&bytes).await.is_ok()
        }
        Reply::Flood { head, piece, total } => {
            let mut written = 0;
            let mut alive = stream.write_all(&head).await.is_ok();
            while alive && written < total {
                alive = stream.write_all(&piece).await.is_ok();
                written += piece.len() as u64;
            }
            state.flooded.send_replace(Some(written));
            false
        }
    }
}

async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Seen> {
    let end = loop {
        if let Some(end) = memchr::memmem::find(buffer, b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let mut request = head(&buffer[..end])?;
    let length: usize = request.header("content-length").parse().unwrap_or(0);
    while buffer.len() < end + 4 + length {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    request.body = buffer[end + 4..end + 4 + length].to_vec();
    buffer.drain(..end + 4 + length);
    Some(request)
}

fn head(bytes: &[u8]) -> Option<Seen> {
    let mut lines = bytes
        .split(|&byte| byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let first = String::from_utf8_lossy(lines.next()?).into_owned();
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let split = |line: &[u8]| {
        let colon = line.iter().position(|&byte| byte == b':')?;
        Some((
            String::from_utf8_lossy(&line[..colon]).into_owned(),
            line[colon + 1..].trim_ascii().to_vec(),
        ))
    };
    Some(Seen {
        method,
        path,
        headers: lines.filter_map(split).collect(),
        body: Vec::new(),
    })
}

/// An address at which nobody listens, kept from others as long as this lives.
#[derive(Debug)]
pub struct ClosedPort {
    pub address: SocketAddr,
    _socket: OwnedFd,
}

impl ClosedPort {
    pub fn new() -> Self {
        let socket = net::socket(net::AddressFamily::INET, net::SocketType::STREAM, None).unwrap();
        net::bind(&socket, &SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = net::getsockname(&socket).unwrap().try_into().unwrap();
        Self {
            address,
            _socket: socket,
        }
    }
}

/// A target that only counts, for thousands of requests a second: how often each idempotency key came.
#[derive(Debug, Clone)]
pub struct Counter {
    pub address: SocketAddr,
    counts: Arc<Mutex<HashMap<String, u32>>>,
    total: Arc<AtomicUsize>,
    /// What `Authorization` must be, and how often it was not.
    credential: Arc<str>,
    without: Arc<AtomicUsize>,
}

impl Counter {
    pub async fn new(credential: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let counter = Self {
            address,
            counts: Arc::default(),
            total: Arc::default(),
            credential: credential.into(),
            without: Arc::default(),
        };
        let for_all = counter.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                tokio::spawn(for_all.clone().serve(stream));
            }
        });
        counter
    }

    async fn serve(self, mut stream: TcpStream) {
        let ok = response(200, "", b"ok");
        let mut buffer = Vec::new();
        while let Some(request) = read_request(&mut stream, &mut buffer).await {
            let authorised = request.raw_header("authorization") == self.credential.as_bytes();
            self.without
                .fetch_add(usize::from(!authorised), Ordering::Relaxed);
            self.count(request.header("idempotency-key"));
            if stream.write_all(&ok).await.is_err() {
                return;
            }
        }
    }

    fn count(&self, key: String) {
        *self
            .counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(key)
            .or_default() += 1;
        self.total.fetch_add(1, Ordering::Relaxed);
    }

    pub fn url(&self) -> String {
        format!("http://{}/count", self.address)
    }

    /// Requests that came without the right credential.
    pub fn without_credential(&self) -> usize {
        self.without.load(Ordering::Relaxed)
    }

    /// All requests, repeated ones too.
    pub fn total(&self) -> usize {
        self.total.load(Ordering::Relaxed)
    }

    pub fn counts(&self) -> HashMap<String, u32> {
        self.counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
