//! What the demonstration prints. Each line is kept beside, for it is searched too.

use std::io::IsTerminal;

use crate::say::Say;

/// Standard output, in colours when a person looks at it and has not asked for none.
pub(super) struct Screen {
    color: bool,
    printed: Vec<u8>,
}

impl Screen {
    pub(super) fn new() -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            color: std::io::stdout().is_terminal() && !plain,
            printed: Vec::new(),
        }
    }

    /// Prints a text and a line end.
    pub(super) fn say(&mut self, text: &str) {
        self.printed.extend_from_slice(text.as_bytes());
        self.printed.push(b'\n');
        Say.data(text);
    }

    /// All that was printed.
    pub(super) fn printed(&self) -> &[u8] {
        &self.printed
    }

    pub(super) const fn style(&self) -> Style {
        Style { color: self.color }
    }
}

/// How words are set off.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    color: bool,
}

impl Style {
    #[cfg(test)]
    pub(super) const PLAIN: Self = Self { color: false };

    pub(super) fn head(self, text: &str) -> String {
        self.paint(text, "1")
    }

    pub(super) fn faint(self, text: &str) -> String {
        self.paint(text, "2")
    }

    pub(super) fn good(self, text: &str) -> String {
        self.paint(text, "32")
    }

    pub(super) fn bad(self, text: &str) -> String {
        self.paint(text, "1;31")
    }

    pub(super) fn mark(self, text: &str) -> String {
        self.paint(text, "36")
    }

    fn paint(self, text: &str, code: &str) -> String {
        if self.color {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

/// A number with a comma between thousands.
pub(super) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let comma = |at: usize| at > 0 && (digits.len() - at).is_multiple_of(3);
    let signs = digits
        .char_indices()
        .flat_map(|(at, digit)| comma(at).then_some(',').into_iter().chain([digit]));
    signs.collect()
}

#[cfg(test)]
mod tests;
