//! Where a secret's value comes from: a hidden prompt, a file, a pipe, or (with a warning) the command line.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use padclock_vault::Value;

use super::failure::Failure;
use super::keyboard::{Keyboard, read_at_most};
use super::output::Output;

/// The longest value, in bytes (the security contract, "Bad input").
const LONGEST: usize = 64 * 1024;

/// How a value is given. Without any of these: a hidden prompt on a terminal, else standard input.
#[derive(Debug, Args)]
pub(crate) struct ValueArgs {
    /// The value itself; it stays in the shell's history, where the other ways leave nothing
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true, value_parser = typed, conflicts_with_all = ["from_file", "stdin"])]
    value: Option<Typed>,
    /// Take the value from a file (- is standard input); one line end at its end is dropped
    #[arg(long, value_name = "FILE", conflicts_with = "stdin")]
    from_file: Option<PathBuf>,
    /// Take the value from standard input (as when it is piped); one line end at its end is dropped
    #[arg(long)]
    stdin: bool,
    /// Keep a line end at the end of what a file or standard input gives
    #[arg(long)]
    keep_newline: bool,
}

/// A value from the command line; shown to no one, `Debug` included.
#[derive(Debug, Clone)]
struct Typed(Arc<Value>);

fn typed(text: &str) -> Result<Typed, std::convert::Infallible> {
    Ok(Typed(Arc::new(Value::new(text))))
}

impl ValueArgs {
    /// The value, from where it was said to be.
    pub(crate) fn read(
        &self,
        keyboard: &mut dyn Keyboard,
        output: &mut Output,
    ) -> Result<Value, Failure> {
        let value = match (&self.value, &self.from_file) {
            (Some(Typed(value)), _) => {
                output.warning("--value stays in the shell's history and shows in the list of processes; leave it out to be asked, or use --from-file or a pipe");
                value.duplicate()
            }
            (None, Some(path)) if path.as_os_str() != "-" => self.of_file(path)?,
            (None, None) if keyboard.is_terminal() && !self.stdin => return asked(keyboard),
            _ => self.bounded(keyboard.piped(LONGEST + 3), "standard input")?,
        };
        if value.is_empty() {
            return Err(Failure::Usage(
                "the value is empty; type it at the prompt, or give it by --from-file or a pipe"
                    .to_owned(),
            ));
        }
        Ok(value)
    }

    fn of_file(&self, path: &std::path::Path) -> Result<Value, Failure> {
        let read = File::open(path).and_then(|mut file| read_at_most(&mut file, LONGEST + 3));
        self.bounded(read, &path.display().to_string())
    }

    fn bounded(&self, read: std::io::Result<Vec<u8>>, from: &str) -> Result<Value, Failure> {
        let mut bytes = read.map_err(|error| Failure::unread(from, &error))?;
        if !self.keep_newline {
            drop_line_end(&mut bytes);
        }
        let value = Value::new(bytes);
        if value.len() > LONGEST {
            return Err(Failure::Usage(format!(
                "{from} has more than {LONGEST} bytes, the most that a value may have"
            )));
        }
        Ok(value)
    }
}

/// Editors and `echo` put one there that is no part of the value.
fn drop_line_end(bytes: &mut Vec<u8>) {
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
}

fn asked(keyboard: &mut dyn Keyboard) -> Result<Value, Failure> {
    let mut ask = |question| {
        keyboard
            .hidden(question)
            .map_err(|error| Failure::unread("the terminal", &error))
    };
    let value = ask("Value (not shown): ")?;
    if value.is_empty() {
        return Err(Failure::Usage("no value was typed".to_owned()));
    }
    if value != ask("The same again: ")? {
        return Err(Failure::Usage(
            "the two are not the same; nothing was stored".to_owned(),
        ));
    }
    Ok(value)
}

#[cfg(test)]
mod tests;
