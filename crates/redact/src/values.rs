//! The byte strings that count as a secret's value before any encoding: raw, trimmed, its lines, its line-end and
//! white-space variants, and the string leaves of a JSON value. Encodings are `form` and `walk`; nothing here looks at a text.

use std::collections::HashSet;

use zeroize::{Zeroize, Zeroizing};

use crate::json;

/// Values under this many bytes are not masked at all (the redaction contract).
pub(crate) const SHORTEST: usize = 4;
/// Values from this many bytes on are masked in every encoding, and lines count from here on.
pub(crate) const ENCODED_FROM: usize = 8;

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
        self.add_text(secret);
        for leaf in json::string_leaves(secret) {
            self.add_text(&leaf);
        }
    }

    /// One text as it is, trimmed, folded, and by lines.
    fn add_text(&mut self, text: &[u8]) {
        self.add(text);
        let trimmed = text.trim_ascii();
        if trimmed.len() != text.len() {
            self.add(trimmed);
        }
        if trimmed.iter().any(u8::is_ascii_whitespace) {
            self.add(&folded(trimmed));
        }
        if trimmed.contains(&b'\n') {
            for line_end in [b"\n".as_slice(), b"\r\n", b"\r\r\n"] {
                self.add(&joined(trimmed, line_end));
            }
            self.add_lines(trimmed);
        }
    }

    fn add_lines(&mut self, text: &[u8]) {
        for line in lines(text) {
            for form in [line, line.trim_ascii()] {
                if form.len() >= ENCODED_FROM {
                    self.add(form);
                }
            }
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
