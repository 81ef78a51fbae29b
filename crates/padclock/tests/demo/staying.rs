//! Without `--once` the node stays, as the proof left it, and what is printed to try works; Ctrl-C ends it and removes all.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

struct Staying {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Staying {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_padclock"))
            .arg("demo")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// Reads on to the line that holds `text`, and gives what stands behind it there.
    fn after(&mut self, text: &str) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(
                self.lines.read_line(&mut line).unwrap() > 0,
                "the output ended before {text:?}"
            );
            if let Some((_, rest)) = line.split_once(text) {
                return rest.trim().to_owned();
            }
        }
    }

    /// Presses Ctrl-C, and gives the exit code.
    fn interrupt(mut self) -> Option<i32> {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap()).unwrap();
        kill_process(pid, Signal::INT).unwrap();
        let mut rest = String::new();
        self.lines.read_to_string(&mut rest).unwrap();
        self.child.wait().unwrap().code()
    }
}

fn cronctl(url: &str, token: &str, arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_cronctl"))
        .args(["--url", url, "--token-file", token])
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

#[test]
fn it_stays_until_it_is_interrupted() {
    let mut demo = Staying::start();
    let folder = demo.after("data in ");
    demo.after("Both hold");
    let token = demo.after("TOKEN=$(cat ");
    let token = token.trim_end_matches(')');
    let url = demo.after("URL=");
    demo.after("runs list");
    assert_eq!(Path::new(token), Path::new(&folder).join("owner.token"));
    let listed = cronctl(&url, token, &["runs", "list", "--json"]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(
        listed.contains("demo-sync") && listed.contains("succeeded"),
        "{listed}"
    );
    assert_eq!(demo.interrupt(), Some(0));
    assert!(!Path::new(&folder).exists(), "{folder}");
}

#[test]
fn an_interruption_before_the_proof_is_no_success_and_leaves_nothing() {
    let mut demo = Staying::start();
    let folder = demo.after("data in ");
    demo.after("What is stored");
    assert_eq!(demo.interrupt(), Some(130));
    assert!(!Path::new(&folder).exists(), "{folder}");
}
