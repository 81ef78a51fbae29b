//! How many values share each gram: for sets of needles that have much in common, to find the windows that tell them apart.
//! Only such sets pay for it; `filter` decides when.

use std::ops::Range;

use zeroize::{Zeroize, Zeroizing};

use crate::filter::{Needle, hashed_gram};
use crate::values::Values;

/// About how many grams are looked at in all, so that the work and the space don't grow with the length of the values.
const ALL_GRAMS: usize = 1 << 18;
/// The most grams of one needle, and the fewest if it has them; of a longer form only samples are looked at.
const MOST_GRAMS: usize = 512;
const LEAST_GRAMS: usize = 32;
/// Grams of one sample at most.
const SAMPLE: usize = 64;

/// For the hash of each gram, the last value counted and how many there were. Grams that meet in one place count together,
/// which only makes them seem less rare. Only grams that a window may have are counted, for no others get into the table.
pub(crate) struct Rarity {
    seen: Vec<(u32, u32)>,
    shift: u32,
    gram: usize,
    /// Grams of one needle that are looked at; half of it is still longer than any window the filter will ask for.
    most: usize,
}

impl Drop for Rarity {
    fn drop(&mut self) {
        self.seen.zeroize();
    }
}

impl Rarity {
    pub(crate) fn new(values: &Values, needles: &[Needle], gram: usize) -> Rarity {
        let most = (ALL_GRAMS / needles.len().max(1)).clamp(LEAST_GRAMS, MOST_GRAMS);
        let grams = |needle: &Needle| {
            let len = needle.form().len(values.get(needle.value()));
            (len + 1 - gram).min(most)
        };
        let grams: usize = needles.iter().map(grams).sum();
        let places = (2 * grams).max(64).next_power_of_two();
        let mut rarity = Rarity {
            seen: vec![(0, 0); places],
            shift: 64 - places.trailing_zeros(),
            gram,
            most,
        };
        for needle in needles {
            let value = needle.value() as u32 + 1;
            for sample in rarity.samples(values, *needle) {
                for hash in rarity.hashes(values, *needle, sample).iter() {
                    let (last, count) = &mut rarity.seen[(*hash >> rarity.shift) as usize];
                    *count += u32::from(*last != value);
                    *last = value;
                }
            }
        }
        rarity
    }

    /// Where the needle's window of `stride` grams should begin, so that its commonest gram is as rare as can be.
    pub(crate) fn best_window(&self, values: &Values, needle: Needle, stride: usize) -> usize {
        let mut best = (u32::MAX, 0);
        for sample in self.samples(values, needle).rev() {
            let from = sample.start;
            let hashes = self.hashes(values, needle, sample);
            let counts: Vec<u32> = hashes
                .iter()
                .map(|hash| self.seen[(hash >> self.shift) as usize].1)
                .collect();
            let last = counts.len() - stride;
            for start in (0..=last).rev().step_by(stride.div_ceil(2)) {
                let commonest = counts[start..start + stride].iter().max();
                if commonest.is_some_and(|count| *count < best.0) {
                    best = (commonest.copied().unwrap_or(0), from + start);
                }
            }
        }
        best.1
    }

    /// The grams of the needle that are looked at: all, or samples from end to end.
    fn samples(
        &self,
        values: &Values,
        needle: Needle,
    ) -> impl DoubleEndedIterator<Item = Range<usize>> + use<> {
        let grams = needle.form().len(values.get(needle.value())) + 1 - self.gram;
        let (count, len) = if grams <= self.most {
            (1, grams)
        } else {
            let len = SAMPLE.min(self.most / 2);
            (self.most / len, len)
        };
        (0..count).map(move |index| {
            let start = index * (grams - len) / (count - 1).max(1);
            start..start + len
        })
    }

    /// The hashes of these grams of the needle.
    fn hashes(&self, values: &Values, needle: Needle, grams: Range<usize>) -> Zeroizing<Vec<u64>> {
        let (value, form) = (values.get(needle.value()), needle.form());
        let mut bytes = Zeroizing::new(vec![0; grams.len() + self.gram - 1]);
        form.fill(value, grams.start, &mut bytes);
        Zeroizing::new(bytes.windows(self.gram).map(hashed_gram).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::Form;

    #[test]
    fn a_long_value_is_sampled_from_end_to_end() {
        let long: Vec<u8> = (0..60_000_u32)
            .flat_map(|number| number.to_le_bytes())
            .collect();
        for (len, samples) in [(8, 1), (519, 1), (520, 8), (240_000, 8)] {
            let values = Values::new([("LONG", &long[..len])]);
            let needle = Needle::new(0, Form::Raw);
            let rarity = Rarity::new(&values, &[needle], 8);
            let sampled: Vec<_> = rarity.samples(&values, needle).collect();
            assert_eq!(sampled.len(), samples, "{len}");
            assert_eq!(sampled[0].start, 0);
            assert_eq!(sampled[samples - 1].end, len + 1 - 8);
            assert!(rarity.seen.len() <= 8 * MOST_GRAMS, "{}", rarity.seen.len());
            assert!(
                sampled
                    .iter()
                    .map(|sample| rarity.hashes(&values, needle, sample.clone()).len())
                    .sum::<usize>()
                    <= MOST_GRAMS
            );
        }
    }
}
