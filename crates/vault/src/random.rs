//! Where randomness comes in. This crate has none of its own.

use std::fmt;

use crate::wipe::Wiped;

/// A cryptographically secure source of random bytes, given from outside.
///
/// An implementation must fill all of `out` or not return: a source that fails silently would repeat keys
/// and nonces.
pub trait Randomness {
    /// Fills all of `out` with fresh random bytes.
    fn fill(&mut self, out: &mut [u8]);
}

impl<R: Randomness + ?Sized> Randomness for &mut R {
    #[inline]
    fn fill(&mut self, out: &mut [u8]) {
        (**self).fill(out);
    }
}

/// How many bytes are drawn ahead.
const AHEAD: usize = 1024;

/// A source that draws ahead, for where much is sealed: a call of the system's generator costs as much as a
/// seal, whether for 50 bytes or for many more. Each byte is given out once and wiped here as it goes.
///
/// Not for a process that forks and goes on: both would give out the same bytes.
pub struct Buffered<R> {
    source: R,
    ahead: Box<Wiped<AHEAD>>,
    used: usize,
}

impl<R: Randomness> Buffered<R> {
    /// Draws from `source`, from the first use on.
    pub fn new(source: R) -> Self {
        Self {
            source,
            ahead: Box::new(Wiped::zeros()),
            used: AHEAD,
        }
    }
}

impl<R: Randomness> Randomness for Buffered<R> {
    #[inline]
    fn fill(&mut self, out: &mut [u8]) {
        if out.len() > AHEAD {
            return self.source.fill(out);
        }
        if out.len() > AHEAD - self.used {
            self.source.fill(&mut self.ahead[..]);
            self.used = 0;
        }
        let given = &mut self.ahead[self.used..self.used + out.len()];
        out.copy_from_slice(given);
        given.fill(0);
        self.used += out.len();
    }
}

impl<R> fmt::Debug for Buffered<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Buffered([REDACTED])")
    }
}

#[cfg(test)]
mod tests;
