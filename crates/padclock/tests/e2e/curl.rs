//! Calls as documents print them, run in a shell: host, token and ids put in, nothing else changed.

use std::process::Command;

use serde_json::Value;

use crate::server::{Server, TOKEN};

/// What came back.
#[derive(Debug)]
pub struct Said {
    pub status: u16,
    pub body: String,
    pub headers: String,
}

impl Said {
    /// The body as JSON, of an answer that must have this status.
    pub fn json(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// Runs a printed call; `changes` are what stands in it and what to put there.
pub fn run(server: &Server, call: &str, changes: &[(&str, &str)]) -> Said {
    let mut call = call.to_owned();
    for (old, new) in changes {
        call = call.replace(old, new);
    }
    let settings = "silent\nshow-error\nnoproxy = \"*\"\nwrite-out = \"\\n%{http_code}\"\ndump-header = \"headers\"\n";
    std::fs::write(server.home.folder.join(".curlrc"), settings).unwrap();
    let output = Command::new("sh")
        .args(["-c", &call])
        .current_dir(&server.home.folder)
        .env("TOKEN", TOKEN)
        .env("CURL_HOME", &server.home.folder)
        .output()
        .unwrap();
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{call}: {problem}");
    let text = String::from_utf8(output.stdout).unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap();
    let headers = std::fs::read_to_string(server.home.folder.join("headers")).unwrap();
    Said {
        status: status.parse().unwrap(),
        body: body.to_owned(),
        headers: headers.to_ascii_lowercase(),
    }
}
