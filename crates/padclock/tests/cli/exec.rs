//! `cronctl exec` where a case file can't show it: signals, pieces of a value over time, what other processes see, closed pipes.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::fake::{Fake, TOKEN};
use crate::play::Folder;

const VALUE: &str = "sk_live_0123456789abcdef";

/// Starts a script with the value in `$KEY`.
fn start(script: &str) -> (Child, Fake, Folder) {
    let revealed = format!(
        "200 {{\"id\":\"sec_01jpc8q0000000000000000001\",\"name\":\"api-key\",\"value\":\"{VALUE}\",\"decrypted_at\":\"2026-03-15T10:00:00.000Z\"}}"
    );
    let fake = Fake::start(vec!["200 @secrets".to_owned(), revealed]);
    let folder = Folder::new();
    // Core dumps are allowed where we begin, as they may be where it is used.
    let mut command = Command::new("/bin/sh");
    let allowed = r#"ulimit -S -c "$(ulimit -H -c)"; exec "$0" "$@""#;
    command
        .args(["-c", allowed, env!("CARGO_BIN_EXE_cronctl")])
        .env_clear()
        .env("HOME", &folder.0)
        .current_dir(&folder.0)
        .env("CRONCTL_URL", &fake.url)
        .env("CRONCTL_TOKEN", TOKEN)
        .env("PATH", "/usr/bin:/bin");
    command.args(["exec", "-s", "api-key=KEY", "--", "/bin/sh", "-c", script]);
    let child = piped(&mut command).spawn().unwrap();
    (child, fake, folder)
}

fn piped(command: &mut Command) -> &mut Command {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
}

fn line(from: &mut impl BufRead) -> String {
    let mut line = String::new();
    from.read_line(&mut line).unwrap();
    line
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap()
}

#[test]
fn signals_reach_the_command_and_its_answer_is_ours() {
    for (signal, name) in [
        (Signal::TERM, "TERM"),
        (Signal::HUP, "HUP"),
        (Signal::INT, "INT"),
    ] {
        let script = format!(
            "trap 'echo got {name}; exit 7' {name}; echo ready; while :; do read -r x || exit 9; done"
        );
        let (mut child, _fake, _folder) = start(&script);
        // The script waits for input, so that only the signal ends it.
        let stdin = child.stdin.take();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        assert_eq!(line(&mut output), "ready\n");
        kill_process(pid(&child), signal).unwrap();
        if signal == Signal::INT && std::fs::File::open("/dev/tty").is_ok() {
            // At a terminal the key reaches the command without us.
            drop(stdin);
            child.wait().unwrap();
            continue;
        }
        // A shell looks at its traps when its `read` comes back.
        let mut stdin = stdin.unwrap();
        let _ = stdin.write_all(b"\n");
        assert_eq!(line(&mut output), format!("got {name}\n"));
        assert_eq!(child.wait().unwrap().code(), Some(7), "{name}");
    }
    let (mut child, _fake, _folder) = start("echo ready; exec cat");
    let stdin = child.stdin.take();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    assert_eq!(line(&mut output), "ready\n");
    kill_process(pid(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(128 + 15));
    drop(stdin);
}

#[test]
fn a_value_in_pieces_is_redacted_and_what_is_safe_shows_at_once() {
    // Half of the value waits until the script is told to go on; what stands before it does not.
    let (mut child, _fake, _folder) = start(
        "half=${KEY%??????????}; rest=${KEY#\"$half\"}; printf 'first line\\nprompt> %s' \"$half\"; read -r go; printf '%s.\\n' \"$rest\"",
    );
    let mut stdin = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    assert_eq!(line(&mut output), "first line\n");
    let mut prompt = [0; 8];
    output.read_exact(&mut prompt).unwrap();
    assert_eq!(&prompt, b"prompt> ");
    stdin.write_all(b"\n").unwrap();
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "[REDACTED:api-key].\n");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn the_value_is_in_no_argument_list_and_not_in_our_environment() {
    let (mut child, _fake, _folder) = start(
        "echo \"$$ .\"; read -r go; tr '\\0' '\\n' < /proc/$$/environ | grep -c '^KEY='; cat /proc/$$/limits | grep -c 'Max core file size *0 '",
    );
    let mut stdin = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    // A line that ended in a digit could be the beginning of the value in hex, and would be held back.
    let script = line(&mut output);
    for pid in [script.trim_end_matches(" .\n"), &child.id().to_string()] {
        let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
        let core = limits
            .lines()
            .find(|line| line.starts_with("Max core"))
            .unwrap();
        assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
        let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap();
        assert!(!String::from_utf8_lossy(&words).contains(VALUE));
    }
    stdin.write_all(b"\n").unwrap();
    assert_eq!(
        (line(&mut output), line(&mut output)),
        ("1\n".to_owned(), "1\n".to_owned())
    );
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_reader_that_has_gone_ends_the_command_as_without_us() {
    let (mut child, _fake, _folder) = start("while echo line; do :; done; exit 5");
    let mut output = BufReader::new(child.stdout.take().unwrap());
    assert_eq!(line(&mut output), "line\n");
    drop(output);
    // `echo` fails or the shell is ended by SIGPIPE.
    let code = child.wait().unwrap().code();
    assert!(matches!(code, Some(5 | 141)), "{code:?}");
}

#[test]
fn a_process_left_behind_does_not_hold_us() {
    let (mut child, _fake, _folder) = start("(read -r never; echo late) <&3 & echo done");
    let stdin = child.stdin.take();
    let mut text = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, "done\n");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    drop(stdin);
}

#[test]
fn a_lot_of_output_arrives_whole() {
    let (mut child, _fake, _folder) = start(
        "i=0; while [ $i -lt 4000 ]; do echo \"$i $KEY and a line of some length behind it\"; i=$((i+1)); done",
    );
    let mut text = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4000);
    for (number, line) in lines.iter().enumerate() {
        assert_eq!(
            *line,
            format!("{number} [REDACTED:api-key] and a line of some length behind it")
        );
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
