//! What is kept of a body: its head and its tail, the bytes between them counted. What comes in is redacted already.

/// Collects a text of any length in a bounded space.
#[derive(Debug)]
pub(crate) struct Kept {
    half: usize,
    head: Vec<u8>,
    tail: Vec<u8>,
    dropped: u64,
}

/// A kept text, ready to be stored.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct KeptText {
    pub(crate) text: String,
    /// Bytes of the redacted text that are not in it.
    pub(crate) dropped: u64,
    /// Whether bytes that are not UTF-8 were replaced.
    pub(crate) lossy: bool,
}

impl Kept {
    /// Room for `limit` bytes, half of them for the head.
    pub(crate) const fn new(limit: usize) -> Self {
        Self {
            half: limit / 2,
            head: Vec::new(),
            tail: Vec::new(),
            dropped: 0,
        }
    }

    /// Takes the next bytes.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let to_head = bytes.len().min(self.half - self.head.len());
        self.head.extend_from_slice(&bytes[..to_head]);
        self.tail.extend_from_slice(&bytes[to_head..]);
        // Trimmed only when twice too long, so that each byte is moved once on average.
        if self.tail.len() > 2 * self.half {
            self.trim();
        }
    }

    fn trim(&mut self) {
        let surplus = self.tail.len().saturating_sub(self.half);
        self.tail.drain(..surplus);
        self.dropped += surplus as u64;
    }

    /// The text, cut on character borders, with a line in the gap that says how much is missing.
    pub(crate) fn into_text(mut self) -> KeptText {
        self.trim();
        if self.dropped == 0 {
            self.head.append(&mut self.tail);
            return whole(self.head);
        }
        let head = &self.head[..complete_end(&self.head)];
        let tail = &self.tail[border(&self.tail)..];
        let edges = (self.head.len() - head.len()) + (self.tail.len() - tail.len());
        let dropped = self.dropped + edges as u64;
        let (head, tail) = (String::from_utf8_lossy(head), String::from_utf8_lossy(tail));
        let lossy = matches!(head, std::borrow::Cow::Owned(_))
            || matches!(tail, std::borrow::Cow::Owned(_));
        KeptText {
            text: format!("{head}\n[… {dropped} bytes dropped …]\n{tail}"),
            dropped,
            lossy,
        }
    }
}

/// A text that is kept as a whole.
pub(crate) fn whole(bytes: Vec<u8>) -> KeptText {
    match String::from_utf8(bytes) {
        Ok(text) => KeptText {
            text,
            dropped: 0,
            lossy: false,
        },
        Err(error) => KeptText {
            text: String::from_utf8_lossy(error.as_bytes()).into_owned(),
            dropped: 0,
            lossy: true,
        },
    }
}

/// The first character border of a text that may begin inside a character.
fn border(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .take(3)
        .take_while(|&&byte| byte & 0xC0 == 0x80)
        .count()
}

/// The end of the last complete character of a text that may end inside one.
fn complete_end(bytes: &[u8]) -> usize {
    let looked_at = bytes.len().saturating_sub(3);
    match bytes[looked_at..].iter().rposition(|&byte| byte >= 0xC0) {
        Some(lead) => {
            let start = looked_at + lead;
            let needs = match bytes[start] {
                0xC0..=0xDF => 2,
                0xE0..=0xEF => 3,
                _ => 4,
            };
            if bytes.len() - start < needs {
                start
            } else {
                bytes.len()
            }
        }
        None => bytes.len(),
    }
}

#[cfg(test)]
mod tests;
