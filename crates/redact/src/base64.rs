//! A value inside base64 text, at each of the three places its first byte can have in a group of three. Nothing here
//! decodes a text: it says which characters stand there, and compares.

use std::ops::Range;

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const NONE: u8 = 0xff;

/// The six bits of every character of either alphabet.
static SEXTETS: [u8; 256] = {
    let mut table = [NONE; 256];
    let mut bits = 0;
    while bits < 64 {
        table[STANDARD[bits] as usize] = bits as u8;
        bits += 1;
    }
    table[b'-' as usize] = 62;
    table[b'_' as usize] = 63;
    table
};

/// Whether the byte is a character of either alphabet.
pub(crate) fn is_character(byte: u8) -> bool {
    SEXTETS[byte as usize] != NONE
}

/// The character in the URL alphabet for one in the standard alphabet.
pub(crate) fn to_url(byte: u8) -> u8 {
    match byte {
        b'+' => b'-',
        b'/' => b'_',
        same => same,
    }
}

/// A value whose first byte is byte `offset` (0, 1 or 2) of a group.
///
/// Characters are counted from the group's start. The *core* are those that hold bits of the value alone; the edge
/// characters beside it, where there are any, share theirs with the neighbours.
#[derive(Clone, Copy)]
pub(crate) struct Aligned<'v> {
    pub(crate) value: &'v [u8],
    pub(crate) offset: usize,
}

/// An edge character: which of its bits are the value's, and what they are.
struct Edge {
    mask: u8,
    bits: u8,
}

impl Edge {
    fn fits(&self, byte: u8) -> bool {
        let sextet = SEXTETS[byte as usize];
        sextet != NONE && sextet & self.mask == self.bits
    }
}

impl Aligned<'_> {
    fn core(&self) -> Range<usize> {
        (8 * self.offset).div_ceil(6)..8 * (self.offset + self.value.len()) / 6
    }

    pub(crate) fn core_len(&self) -> usize {
        self.core().len()
    }

    /// The core from its `from`-th character on, in the standard alphabet.
    pub(crate) fn fill(&self, from: usize, out: &mut [u8]) {
        let first = self.core().start + from;
        for (index, byte) in out.iter_mut().enumerate() {
            *byte = STANDARD[usize::from(self.sextet(first + index))];
        }
    }

    fn sextet(&self, character: usize) -> u8 {
        let bit = 6 * character - 8 * self.offset;
        let high = u16::from(self.value[bit / 8]);
        let low = u16::from(self.value.get(bit / 8 + 1).copied().unwrap_or(0));
        (((high << 8 | low) >> (10 - bit % 8)) & 63) as u8
    }

    fn left_edge(&self) -> Option<Edge> {
        let own = [0, 4, 2][self.offset];
        (own > 0).then(|| Edge {
            mask: (1 << own) - 1,
            bits: self.value[0] >> (8 - own),
        })
    }

    fn right_edge(&self) -> Option<Edge> {
        let own = 8 * (self.offset + self.value.len()) % 6;
        let last = self.value[self.value.len() - 1];
        (own > 0).then(|| {
            let mask = 63 >> own ^ 63;
            Edge {
                mask,
                bits: last << (6 - own) & mask,
            }
        })
    }

    /// The `=` that follow when the encoded text ends with the value.
    fn padding(&self) -> &'static [u8] {
        [b"".as_slice(), b"==", b"="][(self.offset + self.value.len()) % 3]
    }

    /// Where the value stands when its core begins at `at`: with the edge characters that hold bits of it, and the padding.
    pub(crate) fn find_at(&self, text: &[u8], at: usize) -> Option<Range<usize>> {
        let core = text.get(at..at + self.core_len())?;
        let (mut standard, mut url) = (false, false);
        for (character, byte) in self.core().zip(core) {
            standard |= matches!(byte, b'+' | b'/');
            url |= matches!(byte, b'-' | b'_');
            if SEXTETS[*byte as usize] != self.sextet(character) {
                return None;
            }
        }
        // One encoder uses one alphabet. Taking both would make the find depend on which characters were sampled.
        (!(standard && url)).then(|| self.with_edges(text, at, at + core.len()))
    }

    fn with_edges(&self, text: &[u8], start: usize, end: usize) -> Range<usize> {
        let left = start > 0
            && self
                .left_edge()
                .is_some_and(|edge| edge.fits(text[start - 1]));
        let mut end = end;
        let mut whole = true;
        if let Some(edge) = self.right_edge() {
            whole = text.get(end).is_some_and(|byte| edge.fits(*byte));
            end += usize::from(whole);
        }
        if whole && text[end..].starts_with(self.padding()) {
            end += self.padding().len();
        }
        start - usize::from(left)..end
    }

    /// Whether these characters (breaks taken out) may be the beginning of a find that has not ended yet.
    pub(crate) fn may_begin(&self, text: &[u8]) -> bool {
        let left = self
            .left_edge()
            .filter(|edge| text.first().is_some_and(|byte| edge.fits(*byte)));
        self.core_may_begin(text) || left.is_some() && self.core_may_begin(&text[1..])
    }

    fn core_may_begin(&self, text: &[u8]) -> bool {
        let open = text.len() <= self.core_len() + 1 + self.padding().len();
        open && self
            .core()
            .zip(text)
            .all(|(character, byte)| SEXTETS[*byte as usize] == self.sextet(character))
    }
}

#[cfg(test)]
mod tests;
