//! The secret of the demonstration: fresh and random, and made so that each encoding of it differs from each other.

use std::fs::File;
use std::io::Read;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

/// Given in the environment, this is the value; so that a test can look for it.
const VARIABLE: &str = "PADCLOCK_DEMO_VALUE";
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// What encoders treat differently; all of it may stand in a header.
const SPECIALS: [char; 13] = [
    '"', ' ', '&', '%', '+', '/', '\\', 'é', '\'', '<', '=', '>', 'ß',
];
/// Shorter values have forms that are too short to be told from other text.
const SHORTEST: usize = 24;

/// A value that the demonstration made. It has no `Debug`.
pub(super) struct Planted(String);

impl Planted {
    /// The value of this run.
    pub(super) fn of_this_run() -> Result<Self> {
        match std::env::var(VARIABLE) {
            Ok(given) if given.len() < SHORTEST => {
                bail!("{VARIABLE} must have at least {SHORTEST} bytes")
            }
            Ok(given) => Ok(Self(given)),
            // Sixteen letters on end, which no encoder of characters changes, so that one the search does not know is noticed too.
            Err(_) => Ok(Self(random_text(16)? + &mixed()?)),
        }
    }

    /// Another one, to be planted and found. It has no letters on end: it is found by the form it is written in or not at all.
    pub(super) fn control() -> Result<Self> {
        Ok(Self(mixed()?))
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    pub(super) fn sum(&self) -> [u8; 32] {
        sum(self.0.as_bytes())
    }
}

/// SHA-256.
pub(super) fn sum(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Three random letters around each special character.
fn mixed() -> Result<String> {
    let mut text = random_text(3)?;
    for special in SPECIALS {
        text.push(special);
        text.push_str(&random_text(3)?);
    }
    Ok(text)
}

/// So many random letters and digits.
pub(super) fn random_text(length: usize) -> Result<String> {
    let mut bytes = vec![0; length];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .context("the system gives no randomness")?;
    Ok(bytes
        .iter()
        .map(|byte| char::from(LETTERS[usize::from(byte % 64)]))
        .collect())
}
