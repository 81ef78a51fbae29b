//! Questions, and who is asked them.

use padclock_vault::Value;

use super::Session;
use crate::cronctl::keyboard::Keyboard;
use crate::cronctl::output::tests::{Paper, output};

/// A person who types these lines, or no one.
pub(crate) struct Person {
    pub(crate) lines: Vec<&'static str>,
    pub(crate) terminal: bool,
}

impl Person {
    pub(crate) fn types(lines: &[&'static str]) -> Self {
        Self {
            lines: lines.iter().rev().copied().collect(),
            terminal: true,
        }
    }

    pub(crate) fn pipes(text: &'static str) -> Self {
        Self {
            lines: vec![text],
            terminal: false,
        }
    }
}

impl Keyboard for Person {
    fn is_terminal(&self) -> bool {
        self.terminal
    }

    fn line(&mut self) -> std::io::Result<String> {
        Ok(self.lines.pop().unwrap_or_default().to_owned())
    }

    fn hidden(&mut self, _: &str) -> std::io::Result<Value> {
        self.line().map(Value::new)
    }

    fn piped(&mut self, most: usize) -> std::io::Result<Vec<u8>> {
        let text = self.line()?;
        Ok(text.as_bytes()[..text.len().min(most)].to_vec())
    }
}

fn session(person: Person, yes: bool, paper: &Paper) -> Session {
    let url = "http://127.0.0.1:7464".parse().unwrap();
    let client = padclock_api::client::Client::new(url, &Value::new("token")).unwrap();
    Session {
        client,
        output: output(paper, true, false),
        keyboard: Box::new(person),
        yes,
    }
}

#[test]
fn only_a_yes_is_a_yes() {
    for (typed, goes_on) in [
        ("y", true),
        ("Yes", true),
        (" YES ", true),
        ("", false),
        ("n", false),
        ("yep", false),
        ("no", false),
    ] {
        let paper = Paper::default();
        let outcome = session(Person::types(&[typed]), false, &paper).confirm("Delete it?");
        assert_eq!(outcome.is_ok(), goes_on, "{typed:?}");
        assert_eq!(paper.notes(), "Delete it? [y/N] ");
        assert_eq!(paper.data(), "");
    }
}

#[test]
fn no_one_is_asked_when_yes_was_said_or_no_one_is_there() {
    for (person, yes) in [(Person::types(&["n"]), true), (Person::pipes("n"), false)] {
        let paper = Paper::default();
        assert!(session(person, yes, &paper).confirm("Delete it?").is_ok());
        assert_eq!(paper.notes(), "");
    }
}
