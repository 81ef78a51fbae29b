//! Canonical bytes: a list of fields, each with its length in front, so that no two different lists give
//! the same bytes. Used for everything that is authenticated or hashed. Nothing here is secret.

/// Bytes kept without the heap; what is sealed for one secret needs about 150.
const INLINE: usize = 240;

/// A list under construction. Written in place: it is too big to be moved about.
pub(crate) struct Canonical {
    inline: [u8; INLINE],
    len: usize,
    spill: Vec<u8>,
}

impl Canonical {
    /// Starts a list with its domain (use and format version) as the first field.
    #[inline]
    pub(crate) fn new(domain: &str) -> Self {
        let mut list = Self {
            inline: [0; INLINE],
            len: 0,
            spill: Vec::new(),
        };
        list.field(domain.as_bytes());
        list
    }

    /// Appends one field: its length as a big-endian `u64`, then its bytes.
    #[inline]
    pub(crate) fn field(&mut self, bytes: &[u8]) -> &mut Self {
        self.push(&(bytes.len() as u64).to_be_bytes());
        self.push(bytes);
        self
    }

    /// Appends a nested list: how many fields it has, then each.
    pub(crate) fn list<'a>(&mut self, items: impl ExactSizeIterator<Item = &'a [u8]>) -> &mut Self {
        self.field(&(items.len() as u64).to_be_bytes());
        items.fold(self, Self::field)
    }

    /// All bytes so far.
    #[inline]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        if self.spill.is_empty() {
            &self.inline[..self.len]
        } else {
            &self.spill
        }
    }

    #[inline]
    fn push(&mut self, bytes: &[u8]) {
        let end = self.len + bytes.len();
        match self.inline.get_mut(self.len..end) {
            Some(room) => room.copy_from_slice(bytes),
            None => self.push_to_heap(bytes),
        }
        self.len = end;
    }

    /// Once over, always over: `len` only grows.
    #[cold]
    fn push_to_heap(&mut self, bytes: &[u8]) {
        if self.spill.is_empty() {
            self.spill.extend_from_slice(&self.inline[..self.len]);
        }
        self.spill.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests;
