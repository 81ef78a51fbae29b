//! Base64 text that is broken into lines: takes the line ends out, so that it can be searched like any other, and says where
//! in the text a find lies. Which finds count is `finder`'s matter.
//!
//! Every log line ends somewhere, so a table of what may stand around a line end turns nearly all of them away. It knows
//! the four characters on one side, so between two line ends inside a find there must be four or more.

use std::ops::Range;
use std::sync::OnceLock;

use memchr::memchr_iter;
use zeroize::{Zeroize, Zeroizing};

use crate::base64;
use crate::form::Form;
use crate::values::{ENCODED_FROM, Values};

/// Fewest characters between two line ends inside a find.
pub(crate) const LEAST_LINE: usize = 4;

/// Finds the runs of base64 characters over line ends that may hold a value.
#[derive(Default)]
pub(crate) struct Breaks {
    /// Built at the first line end between two base64 characters.
    table: OnceLock<Table>,
}

impl Breaks {
    /// Calls `found` with every run that has a value's line end at or after `from`, and maybe with others.
    pub(crate) fn each_run(
        &self,
        values: &Values,
        text: &[u8],
        from: usize,
        mut found: impl FnMut(&Joined),
    ) {
        let mut done = 0;
        let mut joined = Joined::default();
        for newline in memchr_iter(b'\n', &text[from..]).map(|at| from + at) {
            if newline >= done && self.may_break(values, text, newline) {
                done = joined.read(text, done, newline);
                found(&joined);
            }
        }
    }

    fn may_break(&self, values: &Values, text: &[u8], newline: usize) -> bool {
        let end = newline - returns_before(text, newline);
        let between = end > 0
            && inside(text[end - 1])
            && text.get(newline + 1).is_some_and(|byte| inside(*byte));
        between
            && self
                .table
                .get_or_init(|| Table::new(values))
                .may_break(&text[..end], &text[newline + 1..])
    }
}

/// Which characters may stand around a line end inside a value's base64 form: two bits of a word for each.
struct Table {
    words: Vec<u64>,
    shift: u32,
}

impl Drop for Table {
    fn drop(&mut self) {
        self.words.zeroize();
    }
}

impl Table {
    fn new(values: &Values) -> Table {
        let cores = || {
            let long = values
                .iter()
                .filter(|(_, value)| value.len() >= ENCODED_FROM);
            long.flat_map(|(_, value)| Form::BASE64.map(|form| (form, value)))
        };
        let places: usize = cores().map(|(form, value)| form.len(value) + 1).sum();
        let words = (places / 4).max(2).next_power_of_two();
        let mut table = Table {
            words: vec![0; words],
            shift: 64 - words.trailing_zeros(),
        };
        let mut core = Zeroizing::new(Vec::new());
        for (form, value) in cores() {
            core.clear();
            core.resize(form.len(value), 0);
            form.fill(value, 0, &mut core);
            table.add(&core);
            if core.iter().any(|byte| base64::to_url(*byte) != *byte) {
                core.iter_mut()
                    .for_each(|byte| *byte = base64::to_url(*byte));
                table.add(&core);
            }
        }
        table
    }

    /// Every place of the core where a line end may be, those beside its edge characters included.
    fn add(&mut self, core: &[u8]) {
        for place in 0..=core.len() {
            let (before, after) = core.split_at(place);
            let key = match after.first_chunk() {
                Some(after) => key(before.last(), after, true),
                None => before
                    .last_chunk()
                    .map_or(0, |before| key(after.first(), before, false)),
            };
            let (word, bits) = self.place(key);
            self.words[word] |= bits;
        }
    }

    fn may_break(&self, before: &[u8], after: &[u8]) -> bool {
        let has = |key| {
            let (word, bits) = self.place(key);
            self.words[word] & bits == bits
        };
        let next = |after| has(key(before.last(), after, true)) || has(key(None, after, true));
        let last = |before| has(key(after.first(), before, false)) || has(key(None, before, false));
        after.first_chunk().is_some_and(next) || before.last_chunk().is_some_and(last)
    }

    fn place(&self, key: u64) -> (usize, u64) {
        let hash = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let below = hash >> (self.shift - 12);
        (
            (hash >> self.shift) as usize,
            1 << (below & 63) | 1 << (below >> 6 & 63),
        )
    }
}

/// Four characters on one side of a line end, and the nearest on the other where that belongs to the core too.
fn key(nearest: Option<&u8>, four: &[u8; LEAST_LINE], four_after: bool) -> u64 {
    let nearest = nearest.map_or(0, |byte| u64::from(*byte));
    u64::from(u32::from_le_bytes(*four)) | nearest << 32 | u64::from(four_after) << 40
}

/// A run of base64 characters that goes on over at least one line end, without the line ends.
#[derive(Default)]
pub(crate) struct Joined {
    pub(crate) text: Vec<u8>,
    /// Where each line begins: in `text`, and in the whole.
    lines: Vec<(usize, usize)>,
}

impl Joined {
    /// A range of the joined text as a range of the whole.
    pub(crate) fn origin(&self, range: &Range<usize>) -> Range<usize> {
        self.place(range.start)..self.place(range.end - 1) + 1
    }

    fn place(&self, at: usize) -> usize {
        let line = self.lines.partition_point(|line| line.0 <= at) - 1;
        let (joined, whole) = self.lines[line];
        whole + at - joined
    }

    /// Whether no two line ends inside this range of the joined text are too close together.
    pub(crate) fn lines_are_long(&self, range: &Range<usize>) -> bool {
        let first = self.lines.partition_point(|line| line.0 <= range.start);
        let last = self.lines.partition_point(|line| line.0 < range.end);
        let inner = self.lines.get(first..last).unwrap_or(&[]);
        inner
            .windows(2)
            .all(|ends| ends[1].0 - ends[0].0 >= LEAST_LINE)
    }

    /// Joins the run over this line end; answers where it ends.
    fn read(&mut self, text: &[u8], floor: usize, newline: usize) -> usize {
        self.text.clear();
        self.lines.clear();
        let mut at = run_start(text, floor, newline);
        loop {
            let end = at + text[at..].iter().take_while(|byte| inside(**byte)).count();
            let next = end + text[end..].iter().take(2).take_while(is_return).count() + 1;
            let goes_on = text.get(next - 1) == Some(&b'\n');
            if !goes_on || !text.get(next).is_some_and(|byte| inside(*byte)) {
                let padding = text[end..]
                    .iter()
                    .take(2)
                    .take_while(|byte| **byte == b'=')
                    .count();
                self.push(text, at..end + padding);
                return end;
            }
            self.push(text, at..end);
            at = next;
        }
    }

    fn push(&mut self, text: &[u8], line: Range<usize>) {
        self.lines.push((self.text.len(), line.start));
        self.text.extend_from_slice(&text[line]);
    }
}

fn inside(byte: u8) -> bool {
    base64::is_character(byte)
}

fn is_return(byte: &&u8) -> bool {
    **byte == b'\r'
}

/// How much of a line end (LF, CR LF or CR CR LF) stands before its LF.
fn returns_before(text: &[u8], newline: usize) -> usize {
    text[..newline]
        .iter()
        .rev()
        .take(2)
        .take_while(is_return)
        .count()
}

/// Where the run over this line end begins.
fn run_start(text: &[u8], floor: usize, newline: usize) -> usize {
    let mut newline = newline;
    loop {
        let end = newline - returns_before(text, newline);
        let line = text.get(floor..end).unwrap_or(&[]);
        let start = end - line.iter().rev().take_while(|byte| inside(**byte)).count();
        if start == end {
            // Nothing before this line end: the run begins after it.
            return newline + 1;
        }
        if start <= floor || text[start - 1] != b'\n' {
            return start;
        }
        newline = start - 1;
    }
}

#[cfg(test)]
mod tests;
