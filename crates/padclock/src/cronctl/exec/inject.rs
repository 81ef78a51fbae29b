//! The one place of `cronctl` that reads the bytes of values: into the environment of the command that is about to start, and
//! into what redacts its output. The values are wiped when they are dropped, which is right after the start.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::process::Command;

use padclock_redact::Redactor;
use padclock_vault::Value;

use crate::cronctl::failure::Failure;

/// Values that were read back, and the variables that they go to.
#[derive(Default)]
pub(super) struct Values {
    /// Each once, with its secret's name.
    values: Vec<(String, Value)>,
    /// Variables, and which value goes there.
    variables: Vec<(String, usize)>,
}

impl Values {
    /// Takes a value over and gives its number.
    pub(super) fn add(&mut self, name: &str, value: Value) -> Result<usize, Failure> {
        #[expect(
            clippy::disallowed_methods,
            reason = "an environment can't hold a NUL: the value would be cut"
        )]
        let cut = value.expose().contains(&0);
        if cut {
            return Err(Failure::Error(format!(
                "the value of {name} holds a NUL, which no environment can"
            )));
        }
        self.values.push((name.to_owned(), value));
        Ok(self.values.len() - 1)
    }

    /// Says that a value goes to this variable.
    pub(super) fn name(&mut self, variable: String, index: usize) {
        self.variables.push((variable, index));
    }

    /// Puts the values into a command's environment.
    pub(super) fn fill(&self, command: &mut Command) {
        for (variable, index) in &self.variables {
            if let Some((_, value)) = self.values.get(*index) {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "the environment of the command is what the value was read for"
                )]
                let bytes = value.expose();
                command.env(variable, OsString::from_vec(bytes.to_vec()));
            }
        }
    }

    /// What finds them in the command's output.
    pub(super) fn redactor(&self) -> Redactor {
        #[expect(
            clippy::disallowed_methods,
            reason = "the needles of the redactor, which wipes them"
        )]
        let pairs = self
            .values
            .iter()
            .map(|(name, value)| (name.as_str(), value.expose()));
        Redactor::new(pairs)
    }
}
