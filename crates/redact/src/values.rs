//! The byte strings that count as a secret's value before any encoding: raw, trimmed, its lines, its line-end and
//! white-space variants, and the string leaves of a JSON value. Encodings are `form` and `walk`; nothing here looks at a text.

use std::cmp::Reverse;
use std::collections::HashSet;

use zeroize::{Zeroize, Zeroizing};

use crate::json;

/// Values under this many bytes are not masked at all (the redaction contract).
pub(crate) const SHORTEST: usize = 4;
/// Values from this many bytes on are masked in every encoding, and lines count from here on.
pub(crate) const ENCODED_FROM: usize = 8;

/// Up to this many lines and JSON leaves of one secret each count as a value; a PEM file of 64 KiB has fewer lines. Of more,
/// the longest do.
pub(crate) const MOST_PARTS: usize = 1024;
/// The blocks of lines that count as values when not every line does.
const BLOCKS: usize = 32;

/// The ways a line may end.
const LINE_ENDS: [&[u8]; 3] = [b"\n", b"\r\n", b"\r\r\n"];

/// One value: where its bytes lie and whose it is.
#[derive(Clone, Copy)]
pub(crate) struct Span {
    start: usize,
    end: usize,
    /// Index into [`Values::names`].
    pub(crate) name: usize,
}

/// All values of a redactor, in one buffer that is wiped on drop.
#[derive(Default)]
pub(crate) struct Values {
    names: Vec<Box<str>>,
    bytes: Wiped,
    spans: Vec<Span>,
}

impl Values {
    /// The values that come from these names and secrets, without duplicates; the first name wins.
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Values {
        let mut values = Values::default();
        for (name, secret) in secrets {
            if secret.len() >= SHORTEST {
                values.names.push(name.into());
                values.add_secret(secret);
            }
        }
        values.drop_duplicates();
        values
    }

    pub(crate) fn len(&self) -> usize {
        self.spans.len()
    }

    pub(crate) fn get(&self, index: usize) -> &[u8] {
        self.of(self.spans[index])
    }

    pub(crate) fn name(&self, index: usize) -> &str {
        &self.names[self.spans[index].name]
    }

    /// Every value with its index, in the order of the secrets.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &[u8])> {
        self.spans
            .iter()
            .enumerate()
            .map(|(index, span)| (index, self.of(*span)))
    }

    fn of(&self, span: Span) -> &[u8] {
        &self.bytes.0[span.start..span.end]
    }

    fn add_secret(&mut self, secret: &[u8]) {
        let leaves = json::string_leaves(secret);
        let mut parts = Parts::of(secret, &leaves);
        self.add_text(secret, &mut parts);
        for leaf in leaves.iter().filter(|leaf| leaf.len() >= SHORTEST) {
            if parts.takes(leaf.len()) {
                self.add_text(leaf, &mut parts);
            }
        }
    }

    /// One text as it is, trimmed, folded, and by lines.
    fn add_text(&mut self, text: &[u8], parts: &mut Parts) {
        self.add(text);
        let trimmed = text.trim_ascii();
        if trimmed.len() != text.len() {
            self.add(trimmed);
        }
        if trimmed.iter().any(u8::is_ascii_whitespace) {
            self.add(&folded(trimmed));
        }
        if trimmed.contains(&b'\n') {
            self.add_joined(trimmed);
            self.add_lines(trimmed, parts);
        }
    }

    fn add_joined(&mut self, text: &[u8]) {
        for line_end in LINE_ENDS {
            self.add(&joined(text, line_end));
        }
    }

    fn add_lines(&mut self, text: &[u8], parts: &mut Parts) {
        let mut all = true;
        for line in long_lines(text) {
            if !parts.takes(line.len()) {
                all = false;
                continue;
            }
            for form in [line, line.trim_ascii()] {
                if form.len() >= ENCODED_FROM {
                    self.add(form);
                }
            }
        }
        if !all {
            blocks(text).for_each(|block| self.add_joined(block));
        }
    }

    fn add(&mut self, value: &[u8]) {
        let last = self.spans.last().map(|span| self.of(*span));
        if value.len() < SHORTEST || last == Some(value) {
            return;
        }
        let start = self.bytes.0.len();
        self.bytes.append(value);
        self.spans.push(Span {
            start,
            end: start + value.len(),
            name: self.names.len() - 1,
        });
    }

    fn drop_duplicates(&mut self) {
        if self.spans.len() < 2 {
            return;
        }
        let mut spans = std::mem::take(&mut self.spans);
        let mut seen = HashSet::with_capacity(spans.len());
        spans.retain(|span| seen.insert(self.of(*span)));
        drop(seen);
        self.spans = spans;
    }
}

/// A buffer that leaves nothing behind, neither when it grows nor when it goes.
#[derive(Default)]
struct Wiped(Vec<u8>);

impl Wiped {
    fn append(&mut self, bytes: &[u8]) {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            let mut larger = Vec::with_capacity(needed.max(2 * self.0.capacity()));
            larger.extend_from_slice(&self.0);
            self.0.zeroize();
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Which lines and leaves of one secret count as values.
struct Parts {
    /// Those longer than this,
    above: usize,
    /// and so many of this length.
    of_it: usize,
}

impl Parts {
    fn of(secret: &[u8], leaves: &[Zeroizing<Vec<u8>>]) -> Parts {
        let all = Parts { above: 0, of_it: 0 };
        // A line and the leaves in it take at least so many bytes each.
        const LEAST: usize = 4;
        if secret.len() / LEAST <= MOST_PARTS {
            return all;
        }
        let lines = |text| {
            let trimmed = <[u8]>::trim_ascii(text);
            let by_lines = trimmed.contains(&b'\n').then(|| long_lines(trimmed));
            by_lines.into_iter().flatten().map(<[u8]>::len)
        };
        let whole = leaves.iter().map(|leaf| leaf.len());
        let inner = leaves.iter().flat_map(|leaf| lines(leaf));
        let found = lines(secret).chain(whole.filter(|len| *len >= SHORTEST));
        let mut lens: Vec<usize> = found.chain(inner).collect();
        if lens.len() <= MOST_PARTS {
            return all;
        }
        lens.sort_unstable_by_key(|len| Reverse(*len));
        let above = lens[MOST_PARTS];
        let longer = lens.partition_point(|len| *len > above);
        Parts {
            above,
            of_it: MOST_PARTS - longer,
        }
    }

    /// Whether a part of this length counts.
    fn takes(&mut self, len: usize) -> bool {
        if len == self.above && self.of_it > 0 {
            self.of_it -= 1;
            return true;
        }
        len > self.above
    }
}

/// Lines that are long enough to count. One that is so only with its margins does as well.
fn long_lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    lines(text).filter(|line| line.len() >= ENCODED_FROM)
}

/// The text in [`BLOCKS`] pieces of whole lines, or fewer.
fn blocks(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let least = text.len().div_ceil(BLOCKS);
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let from = least.min(rest.len());
        let end = memchr::memchr(b'\n', &rest[from..]).map_or(rest.len(), |at| from + at + 1);
        let block;
        (block, rest) = rest.split_at(end);
        Some(block.trim_ascii_end())
    })
}

/// Lines without their ends, which may be LF, CR LF or CR CR LF.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').map(|line| {
        let kept = line
            .iter()
            .rposition(|byte| *byte != b'\r')
            .map_or(0, |last| last + 1);
        &line[..kept]
    })
}

fn joined(text: &[u8], line_end: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(text.len() * 3));
    for (index, line) in lines(text).enumerate() {
        if index > 0 {
            out.extend_from_slice(line_end);
        }
        out.extend_from_slice(line);
    }
    out
}

/// Every run of white space as one space.
fn folded(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(text.len()));
    for word in text
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
    {
        if !out.is_empty() {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
    out
}

#[cfg(test)]
mod tests;
