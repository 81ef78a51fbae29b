//! A crontab: from a file, from standard input, or the caller's own.

use std::path::PathBuf;
use std::process::Command;

use super::files::{self, Found};
use crate::cronctl::failure::Failure;
use crate::cronctl::keyboard::Keyboard;

/// More than any crontab.
const MOST: usize = 5 * 1024 * 1024;

/// `given`: a file, `-`, or nothing for the caller's own.
pub(super) fn look(given: &str, keyboard: &mut dyn Keyboard) -> Result<Found, Failure> {
    let (name, bytes) = match given {
        "" => ("crontab", own()?),
        "-" => (
            "stdin",
            keyboard
                .piped(MOST)
                .map_err(|error| Failure::unread("standard input", &error))?,
        ),
        file => return files::look(&[PathBuf::from(file)]),
    };
    let mut found = Found::default();
    found.look_through(name, &String::from_utf8_lossy(&bytes));
    Ok(found)
}

fn own() -> Result<Vec<u8>, Failure> {
    let failed = |why: &str| {
        Failure::Error(format!(
            "`crontab -l` {why}; name a file instead: cronctl scan --crontab FILE"
        ))
    };
    let output = Command::new("crontab")
        .arg("-l")
        .output()
        .map_err(|_| failed("can't be run"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    // Who has none has nothing to hide in it.
    if String::from_utf8_lossy(&output.stderr).contains("no crontab") {
        return Ok(Vec::new());
    }
    Err(failed("has failed"))
}
