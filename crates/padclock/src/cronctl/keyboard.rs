//! What comes in on this side: a person's answers, or what is piped. A trait, so that a person can be played in tests.

use std::io::{self, IsTerminal, Read};

use padclock_vault::Value;

/// Standard input and whoever may sit at it.
pub(crate) trait Keyboard {
    /// Whether a person can be asked.
    fn is_terminal(&self) -> bool;
    /// A line that a person types, without its end.
    fn line(&mut self) -> io::Result<String>;
    /// A line that is not shown while it is typed; the question is put to the terminal itself.
    fn hidden(&mut self, question: &str) -> io::Result<Value>;
    /// What is piped, to its end or to `most` bytes.
    fn piped(&mut self, most: usize) -> io::Result<Vec<u8>>;
}

/// This process' own.
pub(crate) struct Terminal;

impl Keyboard for Terminal {
    fn is_terminal(&self) -> bool {
        io::stdin().is_terminal()
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        io::stdin().read_line(&mut line)?;
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }

    fn hidden(&mut self, question: &str) -> io::Result<Value> {
        rpassword::prompt_password(question).map(Value::new)
    }

    fn piped(&mut self, most: usize) -> io::Result<Vec<u8>> {
        read_at_most(&mut io::stdin().lock(), most)
    }
}

/// Reads to the end or to `most` bytes. The memory does not grow, so that no copy of a value stays behind.
pub(crate) fn read_at_most(from: &mut dyn Read, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(most + 1);
    from.take(most as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}
