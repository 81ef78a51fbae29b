//! A browser without eyes: it keeps cookies, finds the fields of a form, and sends them back as one does.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::client::{Answer, Client};

/// One visitor of one server.
pub struct Browser {
    client: Client,
    origin: String,
    cookies: RefCell<BTreeMap<String, String>>,
}

/// Text as a form's field carries it.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// The value of a hidden field.
pub fn hidden(page: &str, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    let rest = page
        .split_once(&start)
        .unwrap_or_else(|| panic!("no field {name} in {page}"))
        .1;
    rest.split('"').next().unwrap().to_owned()
}

impl Browser {
    pub fn of(address: &str) -> Self {
        let origin = format!("http://{address}");
        Self {
            client: Client::new(origin.clone(), None),
            origin,
            cookies: RefCell::default(),
        }
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.borrow().get(name).cloned()
    }

    pub fn set_cookie(&self, name: &str, value: &str) {
        let mut cookies = self.cookies.borrow_mut();
        cookies.insert(name.to_owned(), value.to_owned());
    }

    fn jar(&self) -> String {
        let cookies = self.cookies.borrow();
        let pairs: Vec<_> = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }

    fn keep(&self, answer: &Answer) {
        for line in answer.headers.get_all("set-cookie") {
            let pair = line.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.borrow_mut().remove(name);
            } else {
                self.set_cookie(name, value);
            }
        }
    }

    pub async fn open(&self, path: &str) -> Answer {
        let call = self.client.call("GET", path).header("cookie", &self.jar());
        let answer = call.send().await;
        self.keep(&answer);
        answer
    }

    /// Sends a form as if from this origin.
    pub async fn send_from(&self, origin: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let pairs: Vec<_> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        let call = self
            .client
            .call("POST", path)
            .header("cookie", &self.jar())
            .header("origin", origin)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(pairs.join("&"));
        let answer = call.send().await;
        self.keep(&answer);
        answer
    }

    /// Opens a form's page and sends it, filled in.
    pub async fn fill(&self, page: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let shown = self.open(page).await.expect(200).text();
        let csrf = hidden(&shown, "csrf");
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend_from_slice(fields);
        self.send_from(&self.origin, path, &all).await
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> Answer {
        let fields = [("email", email), ("password", password)];
        self.fill("/sign-in", "/sign-in", &fields).await
    }
}
