//! Ways to spoil the demonstration on purpose. Each must make it fail, or its proof proves nothing.

use std::path::Path;

use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::forms::Form;
use super::screen::Screen;
use super::value::Planted;

/// What is done wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Sabotage {
    /// The value is logged, at the lowest level, as `Debug` writes it.
    Log,
    /// Half of the value is written to a file, percent-encoded.
    Store,
    /// The value is printed in base64, in the middle of something.
    Print,
    /// The target gets another value.
    Target,
    /// The target answers with the value reversed too, which redaction does not promise to notice.
    Echo,
    /// The search does not know base64.
    Search,
}

impl Sabotage {
    /// Lets the value out, where that is what is done wrong.
    pub(super) fn leak(self, value: &Planted, folder: &Path, screen: &mut Screen) -> Result<()> {
        let text = value.text();
        match self {
            Self::Log => tracing::trace!(?text, "left over from debugging"),
            Self::Store => {
                let half = text
                    .chars()
                    .skip(text.chars().count() / 2)
                    .collect::<String>();
                std::fs::write(
                    folder.join("left-over.txt"),
                    format!("key={}", utf8_percent_encode(&half, NON_ALPHANUMERIC)),
                )?;
            }
            Self::Print => screen.say(&STANDARD.encode(format!("user:{text}"))),
            Self::Target | Self::Echo | Self::Search => {}
        }
        Ok(())
    }
}

/// The forms that are looked for: all of them, unless that is what is done wrong.
pub(super) fn sought(sabotage: Option<Sabotage>, forms: &[Form]) -> Vec<Form> {
    let blind = sabotage == Some(Sabotage::Search);
    forms
        .iter()
        .filter(|form| !(blind && form.name.starts_with("base64")))
        .cloned()
        .collect()
}
