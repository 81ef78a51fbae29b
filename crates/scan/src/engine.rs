//! One pass over a text: an automaton finds the words where a credential may begin, and each starts its check.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use crate::finding::Candidate;
use crate::vendor::{self, VENDORS, Vendor};
use crate::{address, assignment, command, header, special};

/// A check: the text, and the start and end of the word that was found.
pub(crate) type Check = fn(&str, usize, usize) -> Option<Candidate>;

enum Trigger {
    Vendor(&'static Vendor),
    Check(Check),
}

struct Engine {
    words: AhoCorasick,
    triggers: Vec<Trigger>,
}

static ENGINE: LazyLock<Engine> = LazyLock::new(Engine::new);

impl Engine {
    #[expect(
        clippy::expect_used,
        reason = "the words are constants: a test builds the automaton"
    )]
    fn new() -> Self {
        let mut words: Vec<&'static str> = Vec::new();
        let mut triggers = Vec::new();
        for vendor in VENDORS {
            for prefix in vendor.prefixes {
                words.push(prefix);
                triggers.push(Trigger::Vendor(vendor));
            }
        }
        let checks = [
            special::CHECKS,
            address::CHECKS,
            header::CHECKS,
            command::CHECKS,
            assignment::CHECKS,
        ];
        for (word, check) in checks.into_iter().flatten() {
            words.push(word);
            triggers.push(Trigger::Check(*check));
        }
        let words = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::DFA))
            .build(words)
            .expect("some hundred short words make an automaton");
        Self { words, triggers }
    }
}

/// Everything that a check takes for a credential; some may overlap.
pub(crate) fn candidates(text: &str) -> Vec<Candidate> {
    let engine = &*ENGINE;
    let hits = engine.words.find_overlapping_iter(text);
    hits.filter_map(|hit| match &engine.triggers[hit.pattern().as_usize()] {
        Trigger::Vendor(vendor) => vendor::check(text, hit.start(), hit.end(), vendor),
        Trigger::Check(check) => check(text, hit.start(), hit.end()),
    })
    .collect()
}
