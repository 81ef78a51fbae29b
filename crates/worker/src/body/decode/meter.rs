//! What stands before and behind each decoder: counts the bytes that pass, and gives the thread up now and then. Without it
//! a coding that decodes to nothing (empty gzip members, say) keeps one poll busy for as long as the sender likes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

use crate::body::Broken;

pub(crate) type Reader<'r> = Pin<Box<dyn AsyncBufRead + Send + 'r>>;

/// The most bytes a decoder gets at a time, and so the most it can work on in one step.
const STEP: usize = 4 * 1024;
/// Steps until other tasks get a turn.
const TURN: u32 = 8;

/// A reader that counts and yields.
pub(super) struct Meter<'r> {
    inner: Reader<'r>,
    /// Bytes that may still pass.
    left: u64,
    /// Steps left in this turn.
    steps: u32,
}

impl<'r> Meter<'r> {
    /// This reader with a meter that lets `limit` bytes pass.
    pub(super) fn put_on(inner: Reader<'r>, limit: u64) -> Reader<'r> {
        Box::pin(Meter {
            inner,
            left: limit,
            steps: TURN,
        })
    }
}

impl AsyncBufRead for Meter<'_> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        if this.steps == 0 {
            this.steps = TURN;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let bytes = ready!(this.inner.as_mut().poll_fill_buf(cx))?;
        if !bytes.is_empty() && this.left == 0 {
            return Poll::Ready(Err(io::Error::other(Broken::Limit)));
        }
        let room = usize::try_from(this.left).unwrap_or(usize::MAX);
        Poll::Ready(Ok(&bytes[..bytes.len().min(room).min(STEP)]))
    }

    fn consume(self: Pin<&mut Self>, count: usize) {
        let this = self.get_mut();
        // A piece is often looked at once more before it is used up: what counts is that it was used.
        this.steps = this.steps.saturating_sub(1);
        this.left = this.left.saturating_sub(count as u64);
        this.inner.as_mut().consume(count);
    }
}

impl AsyncRead for Meter<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let bytes = ready!(self.as_mut().poll_fill_buf(cx))?;
        let count = bytes.len().min(out.remaining());
        out.put_slice(&bytes[..count]);
        self.consume(count);
        Poll::Ready(Ok(()))
    }
}
