//! The search: any twelve bytes in a row of any form of a value, wherever they stand. Independent of the redactor.

use std::collections::HashMap;

use super::forms::Form;

/// How much of a form must stand together to be a find. Fresh random values share so much with nothing.
pub(super) const GRAM: usize = 12;
/// Bits of the quick look that passes over nearly all of a text.
const QUICK_BITS: u32 = 20;

/// Where something was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Find<'s> {
    /// The name of a form that has these bytes.
    pub(super) form: &'s str,
    /// The offset of the first of them.
    pub(super) at: usize,
}

/// Pieces of all forms of one value, ready to be looked for.
pub(super) struct Search {
    names: Vec<String>,
    grams: HashMap<[u8; GRAM], usize>,
    quick: Vec<bool>,
}

impl Search {
    /// A search for these forms.
    pub(super) fn new(forms: &[Form]) -> Self {
        let mut search = Self {
            names: Vec::new(),
            grams: HashMap::new(),
            quick: vec![false; 1 << QUICK_BITS],
        };
        for (number, form) in forms.iter().enumerate() {
            search.names.push(form.name.clone());
            for gram in form.bytes.array_windows::<GRAM>() {
                search.quick[slot(gram)] = true;
                search.grams.entry(*gram).or_insert(number);
            }
        }
        search
    }

    /// How many forms are looked for.
    pub(super) fn forms(&self) -> usize {
        self.names.len()
    }

    /// The first find in a text.
    pub(super) fn find(&self, text: &[u8]) -> Option<Find<'_>> {
        let known = |gram: &[u8; GRAM]| {
            if self.quick[slot(gram)] {
                self.grams.get(gram)
            } else {
                None
            }
        };
        let mut windows = text.array_windows::<GRAM>().enumerate();
        windows.find_map(|(at, gram)| {
            known(gram).map(|&number| Find {
                form: &self.names[number],
                at,
            })
        })
    }
}

/// A place for the first bytes of a gram in the quick look.
fn slot(gram: &[u8; GRAM]) -> usize {
    let head = u32::from_le_bytes([gram[0], gram[1], gram[2], gram[3]])
        ^ u32::from(gram[4]).rotate_left(20);
    (head.wrapping_mul(0x9E37_79B1) >> (32 - QUICK_BITS)) as usize
}

/// What came of looking for planted forms.
pub(super) struct Control {
    pub(super) planted: usize,
    /// The forms that were not found, or not where they stood.
    pub(super) missed: Vec<String>,
    /// Whether something was found where nothing had been planted.
    pub(super) false_alarm: bool,
}

impl Control {
    pub(super) fn passed(&self) -> bool {
        self.missed.is_empty() && !self.false_alarm && self.planted > 0
    }
}

/// Plants each form in filler text, alone, and sees whether the search finds it there.
pub(super) fn control(search: &Search, planted: &[Form], filler: &[u8]) -> Control {
    let middle = filler.len() / 2;
    let found = |form: &&Form| {
        let scratch = [&filler[..middle], &form.bytes, &filler[middle..]].concat();
        search.find(&scratch).is_some_and(|find| find.at == middle)
    };
    let missed = planted
        .iter()
        .filter(|form| !found(form))
        .map(|form| form.name.clone())
        .collect();
    Control {
        planted: planted.len(),
        missed,
        false_alarm: search.find(filler).is_some(),
    }
}

#[cfg(test)]
mod tests;
