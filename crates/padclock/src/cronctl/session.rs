//! What a command works with: the server, the words it prints, and the person who may be asked.

use padclock_api::client::Client;
use serde_json::json;

use super::failure::Failure;
use super::keyboard::Keyboard;
use super::output::Output;

/// One command's surroundings.
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) output: Output,
    pub(crate) keyboard: Box<dyn Keyboard>,
    /// Questions are answered with yes.
    pub(crate) yes: bool,
}

impl Session {
    /// Whether there is someone to ask, who did not say yes before.
    pub(crate) fn asks(&self) -> bool {
        !self.yes && self.keyboard.is_terminal()
    }

    /// Asks before something is lost. Where no one sits at a terminal there is no question.
    pub(crate) fn confirm(&mut self, question: &str) -> Result<(), Failure> {
        if !self.asks() {
            return Ok(());
        }
        self.output.question(&format!("{question} [y/N]"));
        let answer = self
            .keyboard
            .line()
            .map_err(|error| Failure::unread("the terminal", &error))?;
        if matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
            return Ok(());
        }
        Err(Failure::Error(
            "not done: the answer was not yes".to_owned(),
        ))
    }

    /// Says that something is gone.
    pub(crate) fn deleted(&mut self, what: &str, name: &str, id: &str) -> Result<(), Failure> {
        self.output.note(&format!("The {what} {name} is deleted."));
        if self.output.look.json {
            self.output.json(&json!({ "id": id, "deleted": true }))
        } else {
            Ok(())
        }
    }

    /// Says that something lets nobody in any more.
    pub(crate) fn ended(&mut self, what: &str, name: &str, id: &str) -> Result<(), Failure> {
        self.output.note(&format!("The {what} {name} is ended."));
        if self.output.look.json {
            self.output.json(&json!({ "id": id, "revoked": true }))
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
