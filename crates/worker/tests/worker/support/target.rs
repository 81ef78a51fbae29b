//! A target on loopback that speaks HTTP/1.1 byte by byte, so that it can do what a proper server would not.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
    /// Which connection it came on, from 1.
    pub connection: usize,
}

impl Seen {
    /// A header's value as text; empty when there is none.
    pub fn header(&self, name: &str) -> String {
        let found = self
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
            .unwrap_or_default()
    }
}

/// What the target does with a request.
pub enum Reply {
    /// These bytes; the connection stays open.
    Bytes(Vec<u8>),
    /// These bytes, then the connection is closed.
    Close(Vec<u8>),
    /// These bytes, and then nothing, with the connection open.
    Hang(Vec<u8>),
    /// A head, and then these bytes over and over, until so many were written or the other side has gone.
    Flood {
        head: Vec<u8>,
        chunk: Vec<u8>,
        total: u64,
    },
}

impl Reply {
    /// A response with this status, header lines and body.
    pub fn response(status: u16, headers: &str, body: &[u8]) -> Self {
        Self::Bytes(response(status, headers, body))
    }

    pub fn ok(body: impl AsRef<[u8]>) -> Self {
        Self::response(200, "", body.as_ref())
    }
}

pub fn response(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status} Words\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

pub struct Target {
    pub address: SocketAddr,
    pub seen: UnboundedReceiver<Seen>,
    /// For each flood: how many bytes were written when the other side went.
    pub flooded: UnboundedReceiver<u64>,
}

impl Target {
    /// A target that answers each request by `answer`.
    pub async fn new(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (seen_in, seen) = unbounded_channel();
        let (flooded_in, flooded) = unbounded_channel();
        let (answer, connections) = (Arc::new(answer), AtomicUsize::new(0));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = connections.fetch_add(1, Ordering::SeqCst) + 1;
                let (answer, seen, flooded) =
                    (Arc::clone(&answer), seen_in.clone(), flooded_in.clone());
                tokio::spawn(async move { serve(stream, number, &*answer, &seen, &flooded).await });
            }
        });
        Self {
            address,
            seen,
            flooded,
        }
    }

    /// A target that always answers the same.
    pub async fn fixed(bytes: Vec<u8>) -> Self {
        Self::new(move |_| Reply::Bytes(bytes.clone())).await
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub async fn request(&mut self) -> Seen {
        self.seen.recv().await.unwrap()
    }
}

async fn serve(
    mut stream: TcpStream,
    connection: usize,
    answer: &(dyn Fn(&Seen) -> Reply + Send + Sync),
    seen: &UnboundedSender<Seen>,
    flooded: &UnboundedSender<u64>,
) {
    let mut buffer = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut buffer, connection).await {
        let reply = answer(&request);
        let _ = seen.send(request);
        match reply {
            Reply::Bytes(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            Reply::Close(bytes) => {
                let _ = stream.write_all(&bytes).await;
                return;
            }
            Reply::Hang(bytes) => {
                let _ = stream.write_all(&bytes).await;
                let _ = stream.read(&mut [0; 16]).await;
                return;
            }
            Reply::Flood { head, chunk, total } => {
                let _ = flooded.send(flood(&mut stream, &head, &chunk, total).await);
                return;
            }
        }
    }
}

async fn flood(stream: &mut TcpStream, head: &[u8], chunk: &[u8], total: u64) -> u64 {
    let mut written = 0;
    if stream.write_all(head).await.is_err() {
        return written;
    }
    while written < total && stream.write_all(chunk).await.is_ok() {
        written += chunk.len() as u64;
    }
    written
}

async fn read_request(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
    connection: usize,
) -> Option<Seen> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|part| part == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = buffer[..end].to_vec();
    let mut lines = head
        .split(|&byte| byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let first = String::from_utf8_lossy(lines.next()?).into_owned();
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let split = |line: &[u8]| {
        let colon = line.iter().position(|&byte| byte == b':').unwrap();
        (
            String::from_utf8_lossy(&line[..colon]).into_owned(),
            line[colon + 1..].trim_ascii().to_vec(),
        )
    };
    let headers: Vec<_> = lines.map(split).collect();
    let mut request = Seen {
        method,
        path,
        headers,
        body: Vec::new(),
        connection,
    };
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
