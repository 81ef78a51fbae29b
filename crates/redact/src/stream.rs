//! Redacts a text that comes in pieces. The output depends on the text alone, never on the pieces: a byte is given out only
//! when every find that begins at or before it is known in full.

use std::fmt;

use crate::Redactor;
use crate::finder::Find;

/// New bytes that are collected before a search, so that a text that comes byte by byte is not searched at each.
const COLLECT: usize = 256;

/// One text in pieces; made by [`Redactor::stream`].
///
/// Call [`push`](Stream::push) for each piece and [`finish`](Stream::finish) at the end; both append to the caller's buffer.
pub struct Stream<'r> {
    redactor: &'r Redactor,
    /// What has not been given out, and sometimes a little that has.
    text: Vec<u8>,
    /// How much of it has been searched.
    known: usize,
    /// Finds that begin in it, sorted.
    finds: Vec<Find>,
    /// Up to where it is covered by the last placeholder given out; nothing when plain text came after that.
    covered: Option<usize>,
}

impl fmt::Debug for Stream<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("held", &self.text.len())
            .finish_non_exhaustive()
    }
}

impl<'r> Stream<'r> {
    pub(crate) fn new(redactor: &'r Redactor) -> Stream<'r> {
        Stream {
            redactor,
            text: Vec::new(),
            known: 0,
            finds: Vec::new(),
            covered: None,
        }
    }

    /// Takes the next piece and appends to `out` what is certain. The last bytes are held back: at most the longest possible
    /// find less one byte, and a few more while a search is not worth its cost.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        let Some(finder) = &self.redactor.finder else {
            out.extend_from_slice(chunk);
            return;
        };
        self.text.extend_from_slice(chunk);
        if self.text.len() - self.known >= COLLECT {
            self.search();
            self.release((self.text.len() + 1).saturating_sub(finder.longest), out);
        }
    }

    /// Appends to `out` what can no longer be part of a find, whatever comes: for when a source has gone quiet. The output as
    /// a whole stays the same.
    pub fn idle_flush(&mut self, out: &mut Vec<u8>) {
        if let Some(finder) = &self.redactor.finder {
            self.search();
            self.release(finder.first_open(&self.text), out);
        }
    }

    /// Appends the rest: there is no more text.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        self.search();
        self.release(self.text.len(), out);
    }

    fn search(&mut self) {
        if let Some(finder) = &self.redactor.finder {
            finder.search(&self.text, self.known, &mut self.finds);
            self.known = self.text.len();
        }
    }

    /// Gives out the first `limit` bytes; all finds that begin there are known in full.
    fn release(&mut self, limit: usize, out: &mut Vec<u8>) {
        let mut at = self.covered.unwrap_or(0);
        let mut used = 0;
        for find in &self.finds {
            let touches = self.covered.is_some_and(|end| find.start <= end);
            if touches {
                at = at.max(find.end);
            } else if find.start < limit {
                out.extend_from_slice(&self.text[at..find.start]);
                self.redactor.placeholder(find.value, out);
                at = find.end;
            } else {
                break;
            }
            self.covered = Some(at);
            used += 1;
        }
        self.finds.drain(..used);
        if at < limit {
            out.extend_from_slice(&self.text[at..limit]);
            self.covered = None;
        }
        self.forget(limit);
    }

    /// Drops the first bytes. What a placeholder covers beyond them stays: another find may begin there.
    fn forget(&mut self, limit: usize) {
        self.text.drain(..limit);
        self.known -= limit;
        self.covered = self.covered.and_then(|end| end.checked_sub(limit));
        for find in &mut self.finds {
            find.start -= limit;
            find.end -= limit;
        }
    }
}
