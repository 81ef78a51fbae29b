//! Removes secret values, in all their encodings, from bytes that leave Padclock (the redaction contract).
//!
//! A [`Redactor`] is made from the secrets of one attempt and then used on every text that leaves it, whole
//! ([`Redactor::redact`]) or in pieces ([`Redactor::stream`]). Only values and texts are known here: nothing of jobs, requests
//! or templates, no clock and no I/O.
//!
//! # What is a find
//!
//! First `values` turns each secret into the byte strings that count as its value. A *find* is a piece of text that is one
//! of these in one of its forms, and whether a piece is one depends on the bytes of that piece alone. Three searches
//! together see every find:
//!
//! - **Fixed forms** (raw, hex, base64 at three offsets in two alphabets) are strings known beforehand. `filter` looks at one
//!   gram of the text in every *stride* bytes, and `form` compares where that hits, computing the form from the value. For two
//!   or three short raw values a vectorised search each is faster.
//! - **Fixed forms broken into lines**: `breaks` joins every run of base64 characters over its line ends, and the first
//!   search is applied to the joined run. So any line length is found, at any phase.
//! - **Escaped forms** (percent, JSON, entities, shell and quoted literals) are far too many to list, for an encoder may
//!   escape any subset of the bytes. `anchors` scans for the few characters that begin an escape, and `walk` steps through value
//!   and text together from there. Readings that are ambiguous are all followed. Mixed styles are found as well.
//!
//! Values of 4 to 7 bytes are sought raw only. Everything is computed from the values when it is needed, so the values
//! and the filter's table are all there is to wipe; an automaton over all forms would be slower, and would keep thousands of
//! partial copies that can't be wiped. Needle sets that share their bytes get a table of the grams that tell them apart, at a
//! smaller stride.
//!
//! # Why pieces make no difference
//!
//! Finds that overlap or touch become one placeholder with the name of the one that starts first (the longest, when several
//! start there). A find is at most twelve times as long as its value (`unit::LONGEST`), so a byte that lies that far behind the
//! end of what has come can be given out: all that can ever begin there has been seen.

use std::borrow::Cow;
use std::fmt;

use finder::{Find, Finder};
use values::Values;

mod anchors;
mod base64;
mod breaks;
#[cfg(any(test, feature = "check"))]
#[doc(hidden)]
pub mod check;
mod entity;
mod filter;
mod finder;
mod form;
mod json;
mod rarity;
mod stream;
mod unit;
mod values;
mod walk;

pub use stream::Stream;

/// Finds the values it was made from and puts `[REDACTED:NAME]` in their place. Immutable, and wiped when dropped.
pub struct Redactor {
    /// Nothing when there is nothing to find.
    finder: Option<Box<Finder>>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = self.finder.as_ref().map_or(0, |finder| finder.values.len());
        f.debug_struct("Redactor")
            .field("values", &values)
            .finish_non_exhaustive()
    }
}

impl Redactor {
    /// A redactor for these secrets, each a name and its value. Values under 4 bytes are skipped, those of 4 to 7 bytes are
    /// found raw only, longer ones in every form of the redaction contract.
    ///
    /// Lines and JSON leaves count as values of their own, up to 1,024 of one secret: more than the lines of any 64 KiB file of
    /// the usual line lengths, a PEM file for one. Of more, the longest count; beyond them the whole is found still, and each
    /// of the 32 blocks of lines it consists of. Building takes time and space in proportion to the bytes of the secrets.
    pub fn new<'a>(secrets: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Redactor {
        let values = Values::new(secrets);
        Redactor {
            finder: (values.len() > 0).then(|| Box::new(Finder::new(values))),
        }
    }

    /// A redactor that finds nothing.
    pub fn none() -> Redactor {
        Redactor { finder: None }
    }

    /// Whether there is nothing to find.
    pub fn is_empty(&self) -> bool {
        self.finder.is_none()
    }

    /// The text with a placeholder for each value; borrowed, byte for byte, when it holds none.
    pub fn redact<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        let mut finds = Vec::new();
        if let Some(finder) = &self.finder {
            finder.search(text, 0, &mut finds);
        }
        if finds.is_empty() {
            Cow::Borrowed(text)
        } else {
            Cow::Owned(self.replaced(text, &finds))
        }
    }

    /// The same for a string. Should a value that is not UTF-8 end inside a character, the rest of that becomes U+FFFD.
    pub fn redact_str<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.redact(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            Cow::Owned(bytes) => Cow::Owned(match String::from_utf8(bytes) {
                Ok(text) => text,
                Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
            }),
        }
    }

    /// Redacts a text that comes in pieces; the output is what [`redact`](Redactor::redact) gives for the whole.
    pub fn stream(&self) -> Stream<'_> {
        Stream::new(self)
    }

    fn replaced(&self, text: &[u8], finds: &[Find]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len() + 32);
        let mut at = None;
        for find in finds {
            if at.is_none_or(|end| end < find.start) {
                out.extend_from_slice(&text[at.unwrap_or(0)..find.start]);
                self.placeholder(find.value, &mut out);
            }
            at = at.max(Some(find.end));
        }
        out.extend_from_slice(&text[at.unwrap_or(0)..]);
        out
    }

    fn placeholder(&self, value: usize, out: &mut Vec<u8>) {
        if let Some(finder) = &self.finder {
            out.extend_from_slice(b"[REDACTED:");
            out.extend_from_slice(finder.values.name(value).as_bytes());
            out.push(b']');
        }
    }
}

#[cfg(test)]
mod tests;
