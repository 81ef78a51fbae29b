//! Plays a case: starts the server, runs the program, writes down what came of it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::case::{Case, words};
use crate::fake::{Fake, TOKEN};

/// What begins every value and every token in the cases: none may be printed.
const MARKS: [&str; 4] = ["sk_live", "hunter", "pck_", "TESTTOKEN"];

/// A folder of the test's own, gone when it is dropped.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "cronctl-test-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The program in an empty environment.
pub(crate) fn cronctl(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cronctl"));
    command.env_clear().env("HOME", home).current_dir(home);
    command
}

/// Runs a case; its outcome is written into it.
pub(crate) fn play(mut case: Case) -> Case {
    let fake = Fake::start(case.replies.clone());
    let folder = Folder::new();
    let port = fake.url.rsplit(':').next().unwrap().to_owned();
    let place = |text: &str| {
        text.replace("$SERVER", &fake.url)
            .replace("$PORT", &port)
            .replace("$HOME", &folder.0.display().to_string())
    };
    let mut command = cronctl(&folder.0);
    command
        .env("CRONCTL_URL", &fake.url)
        .env("CRONCTL_TOKEN", TOKEN);
    let mut stdin = String::new();
    for line in &case.scene {
        let (word, rest) = line.split_once(' ').unwrap();
        match word {
            "stdin" => stdin = serde_json::from_str(rest).unwrap(),
            "file" => write(&folder.0, &place(rest)),
            _ => match place(rest).split_once('=').unwrap() {
                (name, "(unset)") => drop(command.env_remove(name)),
                (name, text) => drop(command.env(name, text)),
            },
        }
    }
    command.args(words(&place(&case.command)).into_iter().skip(1));
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that does not read it ends first, and that is fine.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let output = child.wait_with_output().unwrap();
    let shown = |bytes: Vec<u8>| {
        let text = String::from_utf8(bytes).unwrap();
        for mark in MARKS {
            assert!(
                !text.contains(mark),
                "a value or a token was printed by `{}`",
                case.command
            );
        }
        text.replace(&fake.url, "$SERVER")
            .replace(&format!("localhost:{port}"), "localhost:$PORT")
            .replace('\u{1b}', "^[")
            .replace(&folder.0.display().to_string(), "$HOME")
    };
    case.stdout = shown(output.stdout);
    case.stderr = shown(output.stderr);
    case.code = output.status.code().unwrap();
    case.requests = fake.requests();
    case
}

/// `NAME "TEXT"`, readable by its owner alone unless the name ends in `.open`.
fn write(folder: &Path, rest: &str) {
    use std::os::unix::fs::PermissionsExt;
    let (name, text) = rest.split_once(' ').unwrap();
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let text: String = serde_json::from_str(text).unwrap();
    fs::write(&path, text.replace("TOKEN", TOKEN)).unwrap();
    let mode = if name.ends_with(".open") {
        0o644
    } else {
        0o600
    };
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
}
