//! A request as other programs write it, its texts still plain. It may hold credentials: it is wiped, and never printed.

use padclock_template::RequestSpec;
use zeroize::Zeroizing;

/// Begins and ends the name of a variable that stays one: private-use characters, which are refused in what is read.
const VARIABLE: (char, char) = ('\u{e000}', '\u{e001}');

/// Whether a text has none of these marks of its own.
pub(crate) fn is_clean(text: &str) -> bool {
    !text.contains([VARIABLE.0, VARIABLE.1])
}

/// A variable's mark in a plain text.
pub(crate) fn variable(name: &str) -> String {
    format!("{}{name}{}", VARIABLE.0, VARIABLE.1)
}

/// Plain text as a template has it: `{{` is doubled, a marked variable becomes its reference.
pub(crate) fn literal(text: &str) -> String {
    text.replace("{{", "{{{{")
        .replace(VARIABLE.0, "{{env.")
        .replace(VARIABLE.1, "}}")
        // Marks that went through an encoder.
        .replace("%EE%80%80", "{{env.")
        .replace("%EE%80%81", "}}")
}

/// Who the request is made as.
pub(crate) enum DraftAuth {
    Basic {
        user: Zeroizing<String>,
        password: Zeroizing<String>,
    },
    Bearer(Zeroizing<String>),
}

/// See the module.
#[derive(Default)]
pub(crate) struct Draft {
    pub(crate) url: Zeroizing<String>,
    pub(crate) method: Option<String>,
    pub(crate) headers: Vec<(String, Zeroizing<String>)>,
    pub(crate) body: Option<Zeroizing<String>>,
    pub(crate) auth: Option<DraftAuth>,
    pub(crate) timeout: Option<u32>,
    pub(crate) follow: bool,
    /// Attempts in all; nothing: the default of this method.
    pub(crate) attempts: Option<u32>,
    /// Seconds before the second.
    pub(crate) wait: Option<u32>,
    /// What is different from before.
    pub(crate) notes: Vec<String>,
}

impl Draft {
    pub(crate) fn note(&mut self, text: &str) {
        self.notes.push(text.to_owned());
    }

    /// The value of a header, whatever its case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Adds a header unless one of that name is there.
    pub(crate) fn default_header(&mut self, name: &str, value: &str) {
        if self.header(name).is_none() {
            self.headers
                .push((name.to_owned(), Zeroizing::new(value.to_owned())));
        }
    }

    /// Sets the time-out, within what a job can have.
    pub(crate) fn set_timeout(&mut self, seconds: f64) {
        let whole = seconds.ceil().clamp(1.0, 300.0);
        if seconds > 300.0 {
            self.note("the time-out is 300 seconds, the longest that a job can have");
        }
        self.timeout = Some(whole as u32);
    }

    /// A request with everything but texts.
    pub(crate) fn frame(&self, url: String, method: String) -> RequestSpec {
        let mut spec = RequestSpec::get(url);
        spec.method = method;
        spec.follow_redirects = self.follow;
        spec.timeout_seconds = self.timeout.unwrap_or(spec.timeout_seconds);
        spec
    }
}
