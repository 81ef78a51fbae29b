//! Steps through a text and a value at once, taking each byte of the value as it is or in any escape. So every subset of
//! escaped bytes, either hex case and mixed styles are found without listing them. Where to start is `anchors`' matter.

use std::collections::BTreeSet;

use crate::unit;

/// How far a walk came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    /// The furthest end of the whole value.
    pub(crate) end: Option<usize>,
    /// Whether some way ran out of text, so that more text could still make it longer.
    pub(crate) open: bool,
}

/// Walks from byte `i` of the value and byte `at` of the text. All ways are followed, each pair of places once: a backslash
/// may be itself or begin an escape, and both may lead to the end.
pub(crate) fn walk(value: &[u8], i: usize, text: &[u8], at: usize) -> Reach {
    let mut reach = Reach {
        end: None,
        open: false,
    };
    let mut others = BTreeSet::new();
    let mut place = Some((i, at));
    while let Some((i, at)) = place {
        let mut next = None;
        if i == value.len() {
            reach.end = reach.end.max(Some(at));
        } else if let Some(byte) = text.get(at) {
            next = (*byte == value[i]).then_some((i + 1, at + 1));
            if unit::begins(*byte) {
                let rest = &text[at..];
                unit::each(rest, |unit| {
                    if value[i..].starts_with(unit.bytes()) {
                        others.insert((i + unit.bytes().len(), at + unit.len));
                    }
                });
                reach.open |= unit::may_begin(rest);
            }
        } else {
            reach.open = true;
        }
        place = match next {
            Some(next) if others.is_empty() => Some(next),
            next => {
                others.extend(next);
                others.pop_first()
            }
        };
    }
    reach
}

#[cfg(test)]
mod tests;
