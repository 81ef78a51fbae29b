//! A sampled q-gram filter: finds where fixed byte strings may stand while looking at few of a text's bytes.
//!
//! A needle of `n` bytes has `n - gram + 1` grams. When `stride` consecutive ones of them (its window) are in the table, and the
//! text is looked at every `stride` bytes, then exactly one look falls into the window of every occurrence, wherever it
//! stands. What the filter reports is a candidate; comparing it is the caller's part.

use zeroize::Zeroize;

use crate::base64::to_url;
use crate::form::Form;
use crate::rarity::Rarity;
use crate::values::Values;

/// A form of a value: value index and [`Form::code`].
#[derive(Clone, Copy)]
pub(crate) struct Needle(u32);

impl Needle {
    pub(crate) fn new(value: usize, form: Form) -> Needle {
        Needle((value * 8 + form.code()) as u32)
    }

    pub(crate) fn value(self) -> usize {
        self.0 as usize / 8
    }

    pub(crate) fn form(self) -> Form {
        Form::ALL[self.0 as usize % 8]
    }
}

/// No window is longer, whatever the needles would allow: longer ones cost table space and save little.
const LONGEST_STRIDE: usize = 32;
/// Grams are at most this long.
const LONGEST_GRAM: usize = 8;
/// From this many other values with the same gram on, a hit is dear to check, and smaller windows are tried.
const CROWD: usize = 16;
/// With fewer others than this, the first window will do.
const FEW: usize = 3;
/// No longer chain is followed while the table is built: whoever chooses the values could make the chains as long as they like.
const LONGEST_CHAIN: usize = 256;
/// About how many grams the table should hold at most, to stay in the processor's nearer caches.
const ROOM: usize = 1 << 15;

#[derive(Clone, Copy, Default)]
struct Entry {
    /// The middle of the hash.
    tag: u32,
    needle: u32,
    /// Where in the needle the gram is.
    offset: u32,
    /// The next entry of the chain, plus one.
    next: u32,
}

/// The table and how to look into it.
pub(crate) struct Filter {
    gram: usize,
    stride: usize,
    mask: u64,
    /// Two bits for each hash that has an entry; small enough to stay close.
    bits: Vec<u64>,
    word_shift: u32,
    /// First entry of the chain for each hash, plus one.
    heads: Vec<u32>,
    head_shift: u32,
    entries: Vec<Entry>,
}

impl Drop for Filter {
    fn drop(&mut self) {
        // The grams' hashes could be turned back into grams.
        self.bits.zeroize();
        self.heads.zeroize();
        self.entries.fill(Entry::default());
        std::hint::black_box(&self.entries);
    }
}

impl Filter {
    /// A filter for these needles, of which `shortest` is the length of the shortest.
    pub(crate) fn new(values: &Values, needles: &[Needle], shortest: usize) -> Filter {
        let gram = match shortest {
            0..12 => 4,
            12..16 => 6,
            _ => LONGEST_GRAM,
        };
        let fitting = (ROOM / needles.len()).clamp(8, LONGEST_STRIDE);
        let stride = (shortest + 1 - gram).min(fitting);
        let mut filter = Filter::sized(gram, stride, needles.len());
        if needles
            .iter()
            .all(|needle| filter.insert_near_end(values, *needle))
        {
            return filter;
        }
        Filter::of_rarest(values, needles, gram, stride)
    }

    /// For needles that share many of their bytes: takes the grams that tell them apart, with a smaller stride if it must be.
    fn of_rarest(values: &Values, needles: &[Needle], gram: usize, widest: usize) -> Filter {
        let rarity = Rarity::new(values, needles, gram);
        let mut stride = widest;
        loop {
            let mut filter = Filter::sized(gram, stride, needles.len());
            let mut crowd = 0;
            for needle in needles {
                let mut window = Window::default();
                let start = rarity.best_window(values, *needle, stride);
                window.fill(&filter, needle.form(), values.get(needle.value()), start);
                crowd = crowd.max(filter.crowd(*needle, &window));
                if crowd >= CROWD && stride > 1 {
                    break;
                }
                filter.insert(*needle, &mut window);
            }
            if crowd < CROWD || stride == 1 {
                return filter;
            }
            stride /= 2;
        }
    }

    fn sized(gram: usize, stride: usize, needles: usize) -> Filter {
        let expected = (needles * stride).max(32);
        let heads = expected.next_power_of_two();
        let words = heads / 4;
        Filter {
            gram,
            stride,
            mask: u64::MAX >> (64 - 8 * gram),
            bits: vec![0; words],
            word_shift: 64 - words.trailing_zeros(),
            heads: vec![0; heads],
            head_shift: 64 - heads.trailing_zeros(),
            entries: Vec::with_capacity(expected + expected / 4),
        }
    }

    /// Puts a window into the table that few others share, if there is one at hand; answers whether there was. It is heads
    /// that needles share, so the end comes first.
    fn insert_near_end(&mut self, values: &Values, needle: Needle) -> bool {
        let (value, form) = (values.get(needle.value()), needle.form());
        let last = form.len(value) + 1 - self.gram - self.stride;
        let mut window = Window::default();
        for start in [last, last / 2, 0] {
            window.fill(self, form, value, start);
            if self.crowd(needle, &window) < FEW {
                self.insert(needle, &mut window);
                return true;
            }
        }
        false
    }

    fn insert(&mut self, needle: Needle, window: &mut Window) {
        self.add(needle, window);
        if matches!(needle.form(), Form::Base64(_)) && window.turn_to_url(self) {
            self.add_changed(needle, window);
        }
        window.bytes.zeroize();
    }

    /// The most entries of other values that one gram of the window meets, at most [`CROWD`]: counting on would make the
    /// building quadratic.
    fn crowd(&self, needle: Needle, window: &Window) -> usize {
        let mut most = 0;
        for hash in window.hashes[..self.stride].iter() {
            if most < CROWD && self.has(*hash) {
                most = most.max(self.others(needle, *hash));
            }
        }
        most
    }

    /// Entries of other values with this hash, at most [`CROWD`]; a chain that is too long to follow counts as a crowd.
    fn others(&self, needle: Needle, hash: u64) -> usize {
        let mut count = 0;
        for (step, entry) in self.links(hash).enumerate() {
            let other = Needle(entry.needle).value() != needle.value();
            count += usize::from(other && entry.tag == tag(hash));
            if count == CROWD || step == LONGEST_CHAIN {
                return CROWD;
            }
        }
        count
    }

    fn add(&mut self, needle: Needle, window: &Window) {
        for (index, hash) in window.hashes[..self.stride].iter().enumerate() {
            self.add_one(needle, *hash, window.start + index);
        }
    }

    fn add_changed(&mut self, needle: Needle, window: &Window) {
        for index in 0..self.stride {
            if window.hashes[index] != window.before[index] {
                self.add_one(needle, window.hashes[index], window.start + index);
            }
        }
    }

    fn add_one(&mut self, needle: Needle, hash: u64, offset: usize) {
        let word = (hash >> self.word_shift) as usize;
        self.bits[word] |= self.two_bits(hash);
        let head = &mut self.heads[(hash >> self.head_shift) as usize];
        self.entries.push(Entry {
            tag: tag(hash),
            needle: needle.0,
            offset: offset as u32,
            next: *head,
        });
        *head = self.entries.len() as u32;
    }

    #[inline(always)]
    fn has(&self, hash: u64) -> bool {
        let bits = self.two_bits(hash);
        self.bits[(hash >> self.word_shift) as usize] & bits == bits
    }

    /// Two bits in one word: hardly more work than one, and far fewer false hits.
    #[inline(always)]
    fn two_bits(&self, hash: u64) -> u64 {
        let below = hash >> (self.word_shift - 12);
        1 << (below & 63) | 1 << (below >> 6 & 63)
    }

    fn chain(&self, hash: u64) -> impl Iterator<Item = &Entry> {
        self.links(hash).filter(move |entry| entry.tag == tag(hash))
    }

    /// All entries in the place of this hash, those of other hashes included.
    fn links(&self, hash: u64) -> impl Iterator<Item = &Entry> {
        let mut next = self.heads[(hash >> self.head_shift) as usize];
        std::iter::from_fn(move || {
            let entry = self.entries.get((next as usize).checked_sub(1)?)?;
            next = entry.next;
            Some(entry)
        })
    }

    /// Reports where a needle may begin, for every occurrence that begins at or after `from` (and maybe some before).
    pub(crate) fn search(
        &self,
        text: &[u8],
        from: usize,
        mut candidate: impl FnMut(Needle, usize),
    ) {
        let mut at = from;
        while let Some(eight) = text.get(at..).and_then(|rest| rest.first_chunk()) {
            let hash = hashed(u64::from_le_bytes(*eight) & self.mask);
            if self.has(hash) {
                self.report(hash, at, &mut candidate);
            }
            at += self.stride;
        }
        while at + self.gram <= text.len() {
            let hash = hashed(short_gram(&text[at..]) & self.mask);
            if self.has(hash) {
                self.report(hash, at, &mut candidate);
            }
            at += self.stride;
        }
    }

    #[inline(never)]
    fn report(&self, hash: u64, at: usize, candidate: &mut impl FnMut(Needle, usize)) {
        for entry in self.chain(hash) {
            if let Some(start) = at.checked_sub(entry.offset as usize) {
                candidate(Needle(entry.needle), start);
            }
        }
    }
}

/// Multiplication carries upwards, so the upper bits depend on all bytes; only these choose places in the table.
#[inline(always)]
fn hashed(gram: u64) -> u64 {
    gram.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The hash of a whole gram.
pub(crate) fn hashed_gram(gram: &[u8]) -> u64 {
    hashed(short_gram(gram))
}

fn tag(hash: u64) -> u32 {
    (hash >> 8) as u32
}

/// The last bytes of a text, filled up with zeros.
fn short_gram(rest: &[u8]) -> u64 {
    let mut eight = [0; 8];
    let len = rest.len().min(8);
    eight[..len].copy_from_slice(&rest[..len]);
    u64::from_le_bytes(eight)
}

/// The grams of one window of one needle.
struct Window {
    start: usize,
    bytes: [u8; LONGEST_STRIDE + 2 * LONGEST_GRAM],
    hashes: [u64; LONGEST_STRIDE],
    /// The hashes in the standard alphabet, once turned to the URL alphabet.
    before: [u64; LONGEST_STRIDE],
}

impl Default for Window {
    fn default() -> Window {
        Window {
            start: usize::MAX,
            bytes: [0; LONGEST_STRIDE + 2 * LONGEST_GRAM],
            hashes: [0; LONGEST_STRIDE],
            before: [0; LONGEST_STRIDE],
        }
    }
}

impl Window {
    fn fill(&mut self, filter: &Filter, form: Form, value: &[u8], start: usize) {
        self.start = start;
        form.fill(
            value,
            start,
            &mut self.bytes[..filter.stride + filter.gram - 1],
        );
        self.hash(filter);
    }

    fn hash(&mut self, filter: &Filter) {
        for (eight, hash) in self.bytes.windows(8).zip(&mut self.hashes[..filter.stride]) {
            *hash = hashed(short_gram(eight) & filter.mask);
        }
    }

    /// Turns to the URL alphabet; answers whether that changes anything.
    fn turn_to_url(&mut self, filter: &Filter) -> bool {
        let used = &mut self.bytes[..filter.stride + filter.gram - 1];
        if !used.iter().any(|byte| matches!(byte, b'+' | b'/')) {
            return false;
        }
        used.iter_mut().for_each(|byte| *byte = to_url(*byte));
        self.before = self.hashes;
        self.hash(filter);
        true
    }
}

#[cfg(test)]
mod tests;
