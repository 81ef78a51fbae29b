//! How many values share each gram: for sets of needles that have much in common, to find the windows that tell them apart.
//! Only such sets pay for it; `filter` decides when.

use zeroize::{Zeroize, Zeroizing};

use crate::filter::{Needle, hashed_gram};
use crate::values::Values;

/// For the hash of each gram, the last value counted and how many there were. Grams that meet in one place count together,
/// which only makes them seem less rare.
pub(crate) struct Rarity {
    seen: Vec<(u32, u32)>,
    shift: u32,
    gram: usize,
}

impl Drop for Rarity {
    fn drop(&mut self) {
        self.seen.zeroize();
    }
}

impl Rarity {
    pub(crate) fn new(values: &Values, needles: &[Needle], gram: usize) -> Rarity {
        let grams: usize = needles
            .iter()
            .map(|needle| needle.form().len(values.get(needle.value())))
            .sum();
        let places = (4 * grams).next_power_of_two();
        let mut rarity = Rarity {
            seen: vec![(0, 0); places],
            shift: 64 - places.trailing_zeros(),
            gram,
        };
        for needle in needles {
            let value = needle.value() as u32 + 1;
            for hash in rarity.hashes(values, *needle).iter() {
                let (last, count) = &mut rarity.seen[(*hash >> rarity.shift) as usize];
                *count += u32::from(*last != value);
                *last = value;
            }
        }
        rarity
    }

    /// Where the needle's window of `stride` grams should begin, so that its commonest gram is as rare as can be.
    pub(crate) fn best_window(&self, values: &Values, needle: Needle, stride: usize) -> usize {
        let hashes = self.hashes(values, needle);
        let counts: Vec<u32> = hashes
            .iter()
            .map(|hash| self.seen[(hash >> self.shift) as usize].1)
            .collect();
        let last = counts.len() - stride;
        let starts = (0..=last).rev().step_by(stride.div_ceil(2));
        starts
            .min_by_key(|start| counts[*start..start + stride].iter().max())
            .unwrap_or(0)
    }

    fn hashes(&self, values: &Values, needle: Needle) -> Zeroizing<Vec<u64>> {
        let (value, form) = (values.get(needle.value()), needle.form());
        let mut bytes = Zeroizing::new(vec![0; form.len(value)]);
        form.fill(value, 0, &mut bytes);
        Zeroizing::new(bytes.windows(self.gram).map(hashed_gram).collect())
    }
}
