//! Reading a response's body: bounded in bytes and time, decoded, redacted, then cut. Nothing here knows what the
//! answer means.

pub(crate) mod decode;
pub(crate) mod kept;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use padclock_redact::Redactor;
use tokio::io::AsyncBufReadExt;
use tokio::time::{Instant, timeout_at};
use tokio_util::io::StreamReader;

use crate::failure::Failure;
use decode::{Coding, Refused, undo};
use kept::{Kept, KeptText, whole};

/// How much of a body is read and kept, and until when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Bytes read, before and after decoding.
    pub(crate) read: u64,
    /// Bytes kept after redaction.
    pub(crate) kept: usize,
    pub(crate) deadline: Instant,
}

/// What is stored of a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct StoredBody {
    /// The redacted text; `None` when it can't be stored.
    pub(crate) text: Option<String>,
    /// Bytes read, after decoding.
    pub(crate) bytes: u64,
    /// Whether something is missing.
    pub(crate) truncated: bool,
    pub(crate) note: Option<String>,
}

const UNDECODABLE: &str = "the body is not stored: its Content-Encoding could not be undone";
const STACKED: &str = "the body is not stored: it has more than two content codings";
const LOSSY: &str = "bytes that are not UTF-8 are shown as U+FFFD";

/// How the reading ended.
enum End {
    Whole,
    /// At the read limit.
    Limit,
    Undecodable,
    Failed(Failure),
}

/// Reads a body to its end or a limit. What came before a failure is kept too.
pub(crate) async fn read(
    body: Incoming,
    codings: Result<Vec<Coding>, Refused>,
    redactor: &Redactor,
    limits: Limits,
) -> (StoredBody, Option<Failure>) {
    if body.is_end_stream() {
        return (stored(whole(Vec::new()), 0, false), None);
    }
    match codings {
        Ok(codings) if codings.is_empty() => read_plain(body, redactor, limits).await,
        Ok(codings) => read_encoded(body, &codings, redactor, limits).await,
        Err(Refused::Unknown) => read_coded(body, UNDECODABLE, limits).await,
        Err(Refused::TooMany) => read_coded(body, STACKED, limits).await,
    }
}

async fn read_plain(
    body: Incoming,
    redactor: &Redactor,
    limits: Limits,
) -> (StoredBody, Option<Failure>) {
    let mut source = Source::new(body, limits);
    // Nearly every answer is one small piece: redacted in one go, without the stream's copies.
    let first = match source.next().await {
        Ok(Some(first)) if source.at_end() && first.len() as u64 <= limits.read => {
            let bytes = first.len() as u64;
            return (
                keep_whole(&redactor.redact(&first), bytes, limits.kept),
                None,
            );
        }
        first => first,
    };
    let mut sink = Sink::new(redactor, limits);
    let mut next = first;
    let end = loop {
        match next {
            Ok(Some(bytes)) if !sink.push(&bytes) => break End::Limit,
            Ok(Some(_)) => next = source.next().await,
            Ok(None) => break End::Whole,
            Err(failure) => break End::Failed(failure),
        }
    };
    sink.end(end)
}

async fn read_encoded(
    body: Incoming,
    codings: &[Coding],
    redactor: &Redactor,
    limits: Limits,
) -> (StoredBody, Option<Failure>) {
    let mut sink = Sink::new(redactor, limits);
    let end = match timeout_at(
        limits.deadline,
        decode_into(body, codings, &mut sink, limits),
    )
    .await
    {
        Ok(end) => end,
        Err(_) => End::Failed(too_slow()),
    };
    sink.end(end)
}

async fn decode_into(
    body: Incoming,
    codings: &[Coding],
    sink: &mut Sink<'_>,
    limits: Limits,
) -> End {
    let mut raw: decode::Reader<'_> = Box::pin(StreamReader::new(Source::new(body, limits)));
    match raw.fill_buf().await {
        // Some answers, those to HEAD for one, name a coding and have no body.
        Ok([]) => return End::Whole,
        Ok(_) => {}
        Err(error) => return read_error(&error),
    }
    let mut reader = match undo(codings, raw, limits.read).await {
        Ok(reader) => reader,
        Err(error) => return read_error(&error),
    };
    loop {
        let length = match reader.fill_buf().await {
            Ok([]) => return End::Whole,
            Ok(bytes) if !sink.push(bytes) => return End::Limit,
            Ok(bytes) => bytes.len(),
            Err(error) => return read_error(&error),
        };
        reader.consume(length);
    }
}

/// Tells what the connection did from what the decoder found.
fn read_error(error: &io::Error) -> End {
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Broken>())
    {
        Some(Broken::Limit) => End::Limit,
        Some(Broken::Failed(failure)) => End::Failed(failure.clone()),
        None => End::Undecodable,
    }
}

/// A body whose codings are not undone: counted, so that the connection can be used again, and not stored.
async fn read_coded(body: Incoming, why: &str, limits: Limits) -> (StoredBody, Option<Failure>) {
    let mut source = Source::new(body, limits);
    let mut bytes = 0;
    let failure = loop {
        match source.next().await {
            Ok(Some(piece)) if bytes + (piece.len() as u64) < limits.read => {
                bytes += piece.len() as u64
            }
            Ok(_) => break None,
            Err(failure) => break Some(failure),
        }
    };
    (not_stored(bytes, why), failure)
}

fn too_slow() -> Failure {
    Failure::timeout("the answer was not complete within the job's time-out")
}

/// The redacting end of the reading.
struct Sink<'r> {
    stream: padclock_redact::Stream<'r>,
    kept: Kept,
    redacted: Vec<u8>,
    bytes: u64,
    limit: u64,
}

impl<'r> Sink<'r> {
    fn new(redactor: &'r Redactor, limits: Limits) -> Self {
        Self {
            stream: redactor.stream(),
            kept: Kept::new(limits.kept),
            redacted: Vec::new(),
            bytes: 0,
            limit: limits.read,
        }
    }

    /// Takes the next decoded bytes; false when the limit is reached.
    fn push(&mut self, bytes: &[u8]) -> bool {
        let room = self.limit - self.bytes;
        let taken = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        self.bytes += taken as u64;
        self.stream.push(&bytes[..taken], &mut self.redacted);
        self.move_on();
        taken == bytes.len()
    }

    fn move_on(&mut self) {
        self.kept.push(&self.redacted);
        self.redacted.clear();
    }

    fn end(mut self, end: End) -> (StoredBody, Option<Failure>) {
        match end {
            End::Undecodable => return (not_stored(self.bytes, UNDECODABLE), None),
            End::Whole => {
                self.stream.finish(&mut self.redacted);
                self.kept.push(&self.redacted);
                return (stored(self.kept.into_text(), self.bytes, false), None);
            }
            // Where the reading stopped, a value may have been cut in two: its first half must not be kept.
            End::Limit | End::Failed(_) => self.stream.idle_flush(&mut self.redacted),
        }
        self.kept.push(&self.redacted);
        let failure = if let End::Failed(failure) = end {
            Some(failure)
        } else {
            None
        };
        (stored(self.kept.into_text(), self.bytes, true), failure)
    }
}

/// A body that was redacted as a whole.
pub(crate) fn keep_whole(redacted: &[u8], bytes: u64, limit: usize) -> StoredBody {
    if redacted.len() <= limit {
        return stored(whole(redacted.to_vec()), bytes, false);
    }
    let mut kept = Kept::new(limit);
    kept.push(redacted);
    stored(kept.into_text(), bytes, false)
}

fn stored(kept: KeptText, bytes: u64, cut: bool) -> StoredBody {
    StoredBody {
        text: Some(kept.text),
        bytes,
        truncated: cut || kept.dropped > 0,
        note: kept.lossy.then(|| LOSSY.to_owned()),
    }
}

fn not_stored(bytes: u64, why: &str) -> StoredBody {
    StoredBody {
        text: None,
        bytes,
        truncated: bytes > 0,
        note: Some(why.to_owned()),
    }
}

/// Why the bytes stopped, carried through the decoders.
#[derive(Debug, Clone, thiserror::Error)]
enum Broken {
    #[error("the limit is reached")]
    Limit,
    #[error("the connection failed")]
    Failed(Failure),
}

/// The body's data frames, up to the limit, each awaited no longer than the deadline.
struct Source {
    body: Incoming,
    left: u64,
    deadline: Instant,
}

impl Source {
    fn new(body: Incoming, limits: Limits) -> Self {
        Self {
            body,
            left: limits.read,
            deadline: limits.deadline,
        }
    }

    fn at_end(&self) -> bool {
        self.body.is_end_stream()
    }

    /// The next piece; `None` at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            let frame = timeout_at(self.deadline, self.body.frame())
                .await
                .map_err(|_| too_slow())?;
            match frame
                .transpose()
                .map_err(|error| Failure::exchange(&error))?
                .map(hyper::body::Frame::into_data)
            {
                Some(Ok(data)) => return Ok(Some(data)),
                // Trailers are not kept.
                Some(Err(_)) => {}
                None => return Ok(None),
            }
        }
    }
}

impl Stream for Source {
    type Item = io::Result<Bytes>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Bytes>>> {
        loop {
            let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
            match frame
                .transpose()
                .map(|frame| frame.map(hyper::body::Frame::into_data))
            {
                Err(error) => {
                    let broken = Broken::Failed(Failure::exchange(&error));
                    return Poll::Ready(Some(Err(io::Error::other(broken))));
                }
                Ok(None) => return Poll::Ready(None),
                Ok(Some(Err(_))) => {}
                Ok(Some(Ok(data))) => {
                    let length = data.len() as u64;
                    if self.left < length {
                        return Poll::Ready(Some(Err(io::Error::other(Broken::Limit))));
                    }
                    self.left -= length;
                    return Poll::Ready(Some(Ok(data)));
                }
            }
        }
    }
}
