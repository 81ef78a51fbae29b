//! The one way to the terminal for `padclock`: data on standard output, everything else on standard error.

use std::io::Write;

/// Writes lines; a reader that has gone away is no error.
#[derive(Debug, Default)]
pub(crate) struct Say;

impl Say {
    /// What the command was asked for.
    pub(crate) fn data(&self, text: &str) {
        let _ = writeln!(std::io::stdout().lock(), "{text}");
    }

    /// What a person may like to know.
    pub(crate) fn note(&self, text: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }
}
