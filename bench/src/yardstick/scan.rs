//! Bare passes over text: `memchr`, and an `aho-corasick` DFA stepped byte by byte.

use aho_corasick::automaton::{Automaton as _, StateID};
use aho_corasick::{Anchored, dfa};
use anyhow::Result;

/// A DFA of needles, and its start.
pub struct Dfa {
    dfa: dfa::DFA,
    start: StateID,
}

impl Dfa {
    /// Of the needles as they are: one pattern each.
    ///
    /// # Errors
    /// When they are too many for one.
    pub fn new(needles: &[Vec<u8>]) -> Result<Self> {
        let dfa = dfa::DFA::new(needles)?;
        let start = dfa.start_state(Anchored::No)?;
        Ok(Self { dfa, start })
    }

    /// How many patterns it looks for.
    pub fn patterns(&self) -> usize {
        self.dfa.patterns_len()
    }

    /// One pass: how many ends of matches it saw.
    pub fn pass(&self, text: &[u8]) -> usize {
        let (mut state, mut hits) = (self.start, 0);
        for &byte in text {
            state = self.dfa.next_state(Anchored::No, state, byte);
            hits += usize::from(self.dfa.is_special(state) && self.dfa.is_match(state));
        }
        hits
    }
}

/// One pass of `memchr` for a byte that no text has.
pub fn memchr_pass(text: &[u8]) -> bool {
    memchr::memchr(0, text).is_some()
}
