//! What is said about a command line that can't be read. A word that stands where none is expected may be a value that
//! lost its option: it is not repeated.

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

/// Stands where the word was.
const UNSAID: &str = "…";

/// Prints help, version or error where each belongs, and gives the exit code.
pub(crate) fn tell(mut error: Error) -> ExitCode {
    withhold(&mut error);
    // A closed pipe is all that can go wrong here, and no one is left to be told.
    let _ = error.print();
    if error.use_stderr() {
        ExitCode::from(2)
    } else {
        ExitCode::SUCCESS
    }
}

/// Takes out of an error what was typed, unless it can be nothing but a slip.
fn withhold(error: &mut Error) {
    let (at, may_be_said): (_, fn(&str) -> bool) = match error.kind() {
        ErrorKind::UnknownArgument => (ContextKind::InvalidArg, is_option),
        ErrorKind::InvalidSubcommand => (ContextKind::InvalidSubcommand, is_word),
        ErrorKind::InvalidValue => (ContextKind::InvalidValue, is_word),
        ErrorKind::ValueValidation | ErrorKind::TooManyValues => {
            (ContextKind::InvalidValue, |_| false)
        }
        _ => return,
    };
    if matches!(error.get(at), Some(ContextValue::String(text)) if may_be_said(text)) {
        return;
    }
    error.insert(at, ContextValue::String(UNSAID.to_owned()));
    // It would show the word again, in the right place.
    error.remove(ContextKind::Suggested);
}

/// `--word`, and not the first line of a key.
fn is_option(text: &str) -> bool {
    text.strip_prefix("--")
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()) && is_word(rest))
}

fn is_word(text: &str) -> bool {
    (1..=20).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}
