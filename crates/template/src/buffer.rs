//! A byte buffer for text that holds secrets: what it leaves behind, when it grows or is dropped, is wiped.

use padclock_vault::Value;
use zeroize::Zeroize;

/// Bytes under construction.
#[derive(Default)]
pub(crate) struct Buffer(Vec<u8>);

impl Buffer {
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// Makes room for `more` bytes. A plain `Vec` would free its old block with the secret still in it.
    pub fn reserve(&mut self, more: usize) {
        let needed = self.0.len() + more;
        if needed <= self.0.capacity() {
            return;
        }
        let mut larger = Vec::with_capacity(needed.max(self.0.capacity() * 2));
        larger.extend_from_slice(&self.0);
        std::mem::replace(&mut self.0, larger).zeroize();
    }

    pub fn push(&mut self, byte: u8) {
        self.reserve(1);
        self.0.push(byte);
    }

    pub fn extend(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    /// Appends zeros and answers them, to be overwritten.
    pub fn grow(&mut self, more: usize) -> &mut [u8] {
        self.reserve(more);
        let from = self.0.len();
        self.0.resize(from + more, 0);
        &mut self.0[from..]
    }

    /// Drops what lies behind so many bytes.
    pub fn shorten(&mut self, length: usize) {
        if let Some(rest) = self.0.get_mut(length..) {
            rest.zeroize();
        }
        self.0.truncate(length);
    }

    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Hands the bytes over, without a copy.
    pub fn into_value(mut self) -> Value {
        Value::new(std::mem::take(&mut self.0))
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
