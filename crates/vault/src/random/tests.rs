//! Bytes drawn ahead are given out once, in order, and don't stay behind.

use proptest::prelude::*;

use super::{AHEAD, Buffered, Randomness};

/// Counts up, so that each byte given out can be told from the one before; notes the calls.
struct Counting {
    next: u32,
    calls: Vec<usize>,
}

impl Randomness for Counting {
    fn fill(&mut self, out: &mut [u8]) {
        self.calls.push(out.len());
        for pair in out.chunks_mut(2) {
            self.next += 1;
            pair.copy_from_slice(&self.next.to_be_bytes()[4 - pair.len()..]);
        }
    }
}

fn buffered() -> Buffered<Counting> {
    Buffered::new(Counting {
        next: 0,
        calls: vec![],
    })
}

#[test]
fn many_small_draws_are_one_call() {
    let mut rng = buffered();
    let mut all = vec![];
    for _ in 0..AHEAD / 64 {
        let mut out = [0; 64];
        rng.fill(&mut out);
        all.extend(out);
    }
    let mut expected = vec![0; AHEAD];
    Counting {
        next: 0,
        calls: vec![],
    }
    .fill(&mut expected);
    assert_eq!(all, expected);
    assert_eq!(rng.source.calls, [AHEAD]);
    assert_eq!(rng.ahead[..], [0; AHEAD], "nothing given out stays behind");
}

#[test]
fn a_draw_longer_than_the_buffer_passes_through() {
    let mut rng = buffered();
    rng.fill(&mut [0; AHEAD + 1]);
    assert_eq!(rng.source.calls, [AHEAD + 1]);
}

#[test]
fn nothing_is_drawn_before_the_first_use() {
    assert_eq!(buffered().source.calls, [0; 0]);
    assert_eq!(format!("{:?}", buffered()), "Buffered([REDACTED])");
}

proptest! {
    #[test]
    fn no_byte_is_given_out_twice(lengths in prop::collection::vec(0..300_usize, 1..40)) {
        let mut rng = buffered();
        let mut seen = vec![];
        for length in lengths {
            // Whole pairs, so that each is one number.
            let mut out = vec![0; length * 2];
            rng.fill(&mut out);
            seen.extend(out.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])));
        }
        prop_assert!(seen.is_sorted_by(|a, b| a < b), "numbers only go up");
    }
}
