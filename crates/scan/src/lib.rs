//! Finds credentials that stand in plain text (the security contract, "Finding plain-text secrets"): by vendors' published
//! prefixes and shapes, and by names and entropy. Knows no files, no API and no jobs, only text, JSON and the names of fields;
//! and a finding never holds the text that was found.
//!
//! Work is linear in the text whatever it holds: one automaton finds the words where a credential may begin, and each check that a
//! word starts looks at a bounded number of bytes around it.

mod address;
mod alphabet;
mod assignment;
mod command;
mod document;
mod engine;
mod field;
mod finding;
mod header;
mod key;
mod placeholder;
mod rule;
mod special;
mod strength;
mod vendor;

pub use document::{InDocument, Step, scan_document};
pub use field::{Context, scan_field};
pub use finding::Finding;
pub use rule::{Rule, rules};

/// The credentials in a text: a file, a crontab, a script. In the order of the text, none overlapping another.
#[must_use]
pub fn scan_text(text: &str) -> Vec<Finding> {
    finding::told(text, engine::candidates(text))
}
