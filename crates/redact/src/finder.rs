//! Finds every place where a value stands in a text, in any form, by putting the three searches together: fixed forms
//! (`filter`), fixed forms broken into lines (`breaks`) and escaped forms (`anchors`). Replacing is not done here.

use std::cmp::Reverse;
use std::ops::Range;

use memchr::memmem;

use crate::anchors::Anchors;
use crate::breaks::{Breaks, Joined};
use crate::filter::{Filter, Needle};
use crate::form::Form;
use crate::unit;
use crate::values::{ENCODED_FROM, Values};
use crate::walk::walk;

/// A place in a text where a value stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Find {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Index of the value.
    pub(crate) value: usize,
}

/// All searches over one set of values.
pub(crate) struct Finder {
    pub(crate) values: Values,
    anchors: Anchors,
    fixed: Vec<Fixed>,
    /// Length of the shortest value: no shorter text can hold any.
    pub(crate) shortest: usize,
    breaks: Breaks,
    /// Whether any value is long enough to be found encoded.
    encoded: bool,
    /// No find is longer than this.
    pub(crate) longest: usize,
    /// No fixed form in one piece is longer than this.
    longest_fixed: usize,
}

/// A search for some of the fixed forms.
enum Fixed {
    /// One vectorised search for each; best for two or three short needles, which would make a filter look at every byte.
    Each(Vec<Needle>),
    Sampled(Filter),
}

/// Needles below this length get a search of their own, so that one short value doesn't slow the search for all others.
const SHORT: usize = 12;
/// Up to this many short needles are searched one by one.
const FEW: usize = 3;

impl Finder {
    pub(crate) fn new(values: Values) -> Finder {
        let lens = values.iter().map(|(_, value)| value.len());
        let (shortest, longest) = lens.fold((usize::MAX, 0), |(shortest, longest), len| {
            (len.min(shortest), len.max(longest))
        });
        Finder {
            anchors: Anchors::new(&values),
            fixed: fixed(&values),
            shortest,
            breaks: Breaks::default(),
            encoded: longest >= ENCODED_FROM,
            longest: longest_find(longest),
            // Two digits for each byte, or base64 with its edges and padding.
            longest_fixed: 2 * longest + 4,
            values,
        }
    }

    /// All finds that end after the first `known` bytes (and maybe others), sorted: first start first, then the longest.
    pub(crate) fn search(&self, text: &[u8], known: usize, finds: &mut Vec<Find>) {
        if text.len() < self.shortest {
            return;
        }
        let before = finds.len();
        let fixed_from = known.saturating_sub(self.longest_fixed);
        self.search_fixed(text, fixed_from, finds);
        if self.encoded {
            let from = known.saturating_sub(self.longest);
            self.breaks.each_run(&self.values, text, from, |run| {
                self.search_joined(run, finds)
            });
            let anchors = &self.anchors;
            anchors.search(&self.values, text, from, &mut |value, range| {
                finds.push(find(value, range))
            });
        }
        if finds.len() > before {
            finds.sort_unstable_by_key(|find| (find.start, Reverse(find.end), find.value));
            finds.dedup();
        }
    }

    fn search_joined(&self, joined: &Joined, finds: &mut Vec<Find>) {
        self.search_candidates(&joined.text, 0, |needle, at| {
            let (value, form) = (self.values.get(needle.value()), needle.form());
            if matches!(form, Form::Base64(_))
                && let Some(range) = form.find_at(value, &joined.text, at)
                && joined.lines_are_long(&(at..at + form.len(value)))
            {
                finds.push(find(needle.value(), joined.origin(&range)));
            }
        });
    }

    fn search_fixed(&self, text: &[u8], from: usize, finds: &mut Vec<Find>) {
        self.search_candidates(text, from, |needle, at| {
            let value = self.values.get(needle.value());
            if let Some(range) = needle.form().find_at(value, text, at) {
                finds.push(find(needle.value(), range));
            }
        });
    }

    fn search_candidates(&self, text: &[u8], from: usize, mut check: impl FnMut(Needle, usize)) {
        for part in &self.fixed {
            match part {
                Fixed::Sampled(filter) => filter.search(text, from, &mut check),
                Fixed::Each(needles) => needles
                    .iter()
                    .for_each(|needle| self.each(text, from, *needle, &mut check)),
            }
        }
    }

    /// Every occurrence of a raw value, overlapping ones too.
    fn each(
        &self,
        text: &[u8],
        from: usize,
        needle: Needle,
        check: &mut impl FnMut(Needle, usize),
    ) {
        let finder = memmem::Finder::new(self.values.get(needle.value()));
        let mut at = from;
        while let Some(next) = text.get(at..).and_then(|rest| finder.find(rest)) {
            check(needle, at + next);
            at += next + 1;
        }
    }

    /// The first place where a find may begin of which the end has not been seen; the text's length if there is none.
    pub(crate) fn first_open(&self, text: &[u8]) -> usize {
        let joined: Vec<u8> = text
            .iter()
            .copied()
            .filter(|byte| !is_break(*byte))
            .collect();
        let mut breaks = 0;
        for (start, byte) in text.iter().enumerate() {
            let is_break = is_break(*byte);
            let rest = if is_break {
                &[]
            } else {
                &joined[start - breaks..]
            };
            breaks += usize::from(is_break);
            if self
                .values
                .iter()
                .any(|(_, value)| may_begin(value, text, start, rest))
            {
                return start;
            }
        }
        text.len()
    }
}

/// Whether a find of the value may begin at `start` and go on beyond the text; `joined` is the text from there on without
/// line ends, empty when there can be no broken form.
fn may_begin(value: &[u8], text: &[u8], start: usize, joined: &[u8]) -> bool {
    if text.len() - start >= longest_find(value.len()) {
        return false;
    }
    if value.len() < ENCODED_FROM {
        return Form::Raw.may_begin(value, &text[start..]);
    }
    let broken = !joined.is_empty() && Form::ALL.iter().any(|form| form.may_begin(value, joined));
    broken || walk(value, 0, text, start).open
}

fn is_break(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

fn find(value: usize, range: Range<usize>) -> Find {
    Find {
        start: range.start,
        end: range.end,
        value,
    }
}

/// The most bytes that a find of a value of this length can take. Escapes are longer than anything else, base64 with a
/// line end (up to three bytes) after every character included.
fn longest_find(len: usize) -> usize {
    if len < ENCODED_FROM {
        len
    } else {
        unit::LONGEST * len
    }
}

fn fixed(values: &Values) -> Vec<Fixed> {
    let mut classes = [Class::default(), Class::default()];
    for (index, value) in values.iter() {
        let forms = if value.len() < ENCODED_FROM {
            &Form::ALL[..1]
        } else {
            &Form::ALL
        };
        for form in forms {
            let len = form.len(value);
            let class = &mut classes[usize::from(len >= SHORT)];
            class.shortest = class.shortest.min(len);
            class.raw &= *form == Form::Raw;
            class.needles.push(Needle::new(index, *form));
        }
    }
    classes
        .into_iter()
        .filter(|class| !class.needles.is_empty())
        .map(|class| class.search(values))
        .collect()
}

/// Needles of like length.
struct Class {
    needles: Vec<Needle>,
    shortest: usize,
    /// Whether all are raw values.
    raw: bool,
}

impl Default for Class {
    fn default() -> Class {
        Class {
            needles: Vec::new(),
            shortest: usize::MAX,
            raw: true,
        }
    }
}

impl Class {
    fn search(self, values: &Values) -> Fixed {
        if self.raw && self.shortest < SHORT && self.needles.len() <= FEW {
            Fixed::Each(self.needles)
        } else {
            Fixed::Sampled(Filter::new(values, &self.needles, self.shortest))
        }
    }
}
