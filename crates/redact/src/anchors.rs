//! Finds values of which at least one byte is escaped. The anchor is the first escape of such a find: what precedes it in
//! the find is plain, so for each place in a value that the escape can stand for, the bytes before are compared and the
//! rest is walked. A text without escapes costs one vectorised scan.

use std::ops::Range;
use std::sync::OnceLock;

use memchr::{memchr2_iter, memchr3_iter};
use zeroize::Zeroize;

use crate::unit;
use crate::values::{ENCODED_FROM, Values};
use crate::walk::walk;

/// Which places of which values an escaped byte can be.
pub(crate) struct Anchors {
    /// Bytes that occur in the values that are masked in all forms.
    present: [bool; 256],
    /// Built at the first escape that matters: many texts have none, and small answers should not pay for it.
    places: OnceLock<Places>,
}

/// Places ordered so that those with a given byte, and a given byte before it, are one range.
struct Places {
    /// `byte, previous byte, value (24 bits), place in it (24 bits)`, sorted; places 1 and up.
    inner: Vec<u64>,
    /// `byte, value`, sorted; place 0.
    first: Vec<u64>,
}

impl Drop for Places {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.first.zeroize();
    }
}

const FIELD: u32 = 24;
const FIELD_MASK: u64 = (1 << FIELD) - 1;

impl Anchors {
    pub(crate) fn new(values: &Values) -> Anchors {
        let mut present = [false; 256];
        for (_, value) in encoded(values) {
            for byte in value {
                present[usize::from(*byte)] = true;
            }
        }
        Anchors {
            present,
            places: OnceLock::new(),
        }
    }

    /// Reports every find whose first escape begins at or after `from`: value and place. May report one more than once.
    pub(crate) fn search(
        &self,
        values: &Values,
        text: &[u8],
        from: usize,
        found: &mut impl FnMut(usize, Range<usize>),
    ) {
        let fresh = &text[from..];
        for at in memchr3_iter(b'%', b'\\', b'&', fresh) {
            self.at(values, text, from + at, found);
        }
        // `+` and `'` are common in texts and only matter to values with a space or a quote.
        match (self.has(b' '), self.has(b'\'')) {
            (false, false) => {}
            (true, true) => memchr2_iter(b'+', b'\'', fresh)
                .for_each(|at| self.at(values, text, from + at, found)),
            (space, _) => {
                let byte = if space { b'+' } else { b'\'' };
                memchr::memchr_iter(byte, fresh)
                    .for_each(|at| self.at(values, text, from + at, found));
            }
        }
    }

    fn has(&self, byte: u8) -> bool {
        self.present[usize::from(byte)]
    }

    fn at(
        &self,
        values: &Values,
        text: &[u8],
        at: usize,
        found: &mut impl FnMut(usize, Range<usize>),
    ) {
        unit::each(&text[at..], |unit| {
            let byte = unit.bytes()[0];
            if self.has(byte) {
                let places = self.places.get_or_init(|| Places::new(values));
                let before = at.checked_sub(1).map(|last| text[last]);
                places.each(byte, before, |index, place| {
                    let value = values.get(index);
                    if !text[..at].ends_with(&value[..place])
                        || !value[place..].starts_with(unit.bytes())
                    {
                        return;
                    }
                    if let Some(end) =
                        walk(value, place + unit.bytes().len(), text, at + unit.len).end
                    {
                        found(index, at - place..end);
                    }
                });
            }
        });
    }
}

impl Places {
    fn new(values: &Values) -> Places {
        let size = encoded(values).map(|(_, value)| value.len() - 1).sum();
        let mut places = Places {
            inner: Vec::with_capacity(size),
            first: Vec::with_capacity(values.len()),
        };
        for (index, value) in encoded(values) {
            let index = (index as u64) << FIELD;
            places.first.push(u64::from(value[0]) << 56 | index);
            let inner = value.windows(2).zip(1..);
            places
                .inner
                .extend(inner.map(|(pair, place)| key(pair[1], pair[0]) | index | place));
        }
        places.inner.sort_unstable();
        places.first.sort_unstable();
        places
    }

    fn each(&self, byte: u8, before: Option<u8>, mut found: impl FnMut(usize, usize)) {
        let lowest = u64::from(byte) << 56;
        for entry in run(&self.first, lowest, lowest | u64::MAX >> 8) {
            found(value_of(*entry), 0);
        }
        if let Some(before) = before {
            let lowest = key(byte, before);
            for entry in run(&self.inner, lowest, lowest | u64::MAX >> 16) {
                found(value_of(*entry), (entry & FIELD_MASK) as usize);
            }
        }
    }
}

fn key(byte: u8, before: u8) -> u64 {
    u64::from(byte) << 56 | u64::from(before) << 48
}

fn value_of(entry: u64) -> usize {
    (entry >> FIELD & FIELD_MASK) as usize
}

fn run(entries: &[u64], lowest: u64, highest: u64) -> &[u64] {
    let start = entries.partition_point(|entry| *entry < lowest);
    let len = entries[start..].partition_point(|entry| *entry <= highest);
    &entries[start..start + len]
}

/// The values that are masked in every encoding.
fn encoded(values: &Values) -> impl Iterator<Item = (usize, &[u8])> {
    values
        .iter()
        .filter(|(_, value)| value.len() >= ENCODED_FROM)
}
