//! `padclock demo` as a reader runs it: the real binary, its output and its exit code; and what becomes of it when
//! something leaks, or does not arrive.

#![cfg(test)]

mod staying;

use std::process::{Command, Output};

/// In place of the random value, so that it can be looked for from outside.
const VALUE: &str = "rT8\"kW2 zN5&vH1%cX9+bM4/qJ7\\yL3éfD6'sG0<pB2=hK8>wV4Ztu71QdLmE";

fn demo(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_padclock"));
    command
        .args(["demo", "--once"])
        .args(arguments)
        .env("PADCLOCK_DEMO_VALUE", VALUE);
    // Settings that a developer's shell may hold are none of the demonstration's.
    for name in ["PADCLOCK_LISTEN", "PADCLOCK_DATA", "PADCLOCK_DATABASE_URL"] {
        command.env(name, "postgres://nowhere.invalid/");
    }
    command.output().unwrap()
}

fn printed(output: &Output) -> String {
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn three_executions_and_both_proofs() {
    let output = demo(&[]);
    let text = printed(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert_eq!(
        text.lines()
            .filter(|line| line.starts_with("exec_") && line.contains("succeeded, HTTP 200"))
            .count(),
        3,
        "{text}"
    );
    for shown in [
        "> authorization: Bearer [REDACTED:demo-key]",
        "/echo?key=[REDACTED:demo-key]",
        "{\"account\":\"acme\",\"key\":\"[REDACTED:demo-key]\"}",
        "< base64            [REDACTED:demo-key]",
        "< percent-encoded   [REDACTED:demo-key]",
        "< JSON-escaped      \"[REDACTED:demo-key]\"",
        "Proof 1: the target got the value",
        "Proof 2: the value is nowhere else",
        "Both hold:",
    ] {
        assert!(text.contains(shown), "{shown} is not in:\n{text}");
    }
    for place in ["header", "query", "body"] {
        assert!(text.lines().any(|line| line.contains(&format!("in the {place}")) && line.ends_with("the same")), "{text}");
    }
    for kind in ["stored", "logged", "printed", "answered"] {
        let mut lines = text
            .lines()
            .filter(|line| line.trim_start().starts_with(kind))
            .peekable();
        assert!(
            lines.peek().is_some() && lines.all(|line| line.ends_with("clean")),
            "{kind}:\n{text}"
        );
    }
    assert!(!text.contains('\u{1b}'), "no colours into a pipe");
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
}

#[test]
fn no_piece_of_the_value_is_printed() {
    let text = printed(&demo(&[]));
    let characters: Vec<char> = VALUE.chars().collect();
    for piece in characters.windows(5) {
        let piece: String = piece.iter().collect();
        assert!(
            !text.contains(&piece),
            "five characters of the value are there"
        );
    }
}

#[test]
fn nothing_is_left_behind() {
    let folder = |text: &str| {
        text.split("data in ")
            .nth(1)
            .and_then(|rest| rest.lines().next())
            .unwrap()
            .to_owned()
    };
    let path = folder(&printed(&demo(&[])));
    assert!(!std::path::Path::new(&path).exists(), "{path}");
    let path = folder(&printed(&demo(&["--sabotage", "store"])));
    assert!(!std::path::Path::new(&path).exists(), "{path}");
}

#[test]
fn each_leak_is_found_and_fails_it() {
    let cases = [
        ("log", "in the log, byte "),
        ("store", "in left-over.txt, byte "),
        ("print", "in the screen, byte "),
        ("echo", "in padclock.db, byte "),
        ("target", "NOT THE VALUE'S"),
        ("search", "THE SEARCH IS BLIND"),
    ];
    std::thread::scope(|at_once| {
        for (sabotage, told) in cases {
            at_once.spawn(move || {
                let output = demo(&["--sabotage", sabotage]);
                let text = printed(&output);
                assert_eq!(output.status.code(), Some(1), "{sabotage}:\n{text}");
                assert!(
                    text.contains(told) && text.contains("NOT PROVED"),
                    "{sabotage}:\n{text}"
                );
                assert!(!text.contains("Both hold"), "{sabotage}:\n{text}");
            });
        }
    });
}

#[test]
fn a_value_too_short_to_be_told_from_other_text_is_refused() {
    let output = Command::new(env!("CARGO_BIN_EXE_padclock"))
        .args(["demo", "--once"])
        .env("PADCLOCK_DEMO_VALUE", "too short")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("at least 24 bytes"));
}
