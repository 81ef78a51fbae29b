//! What does not fit into a case file: a reader that goes away before all is written, very long values, whole scripts.

use std::io::Read;
use std::process::Stdio;

use crate::fake::{Fake, TOKEN};
use crate::play::{Folder, cronctl};

#[test]
fn a_closed_pipe_ends_the_command_quietly() {
    // More than a pipe holds, so that the writer must notice.
    let items = vec![include_str!("replies/secret.json").trim(); 1_000].join(",");
    let fake = Fake::start(vec![format!(
        "200 {{\"items\":[{items}],\"next_cursor\":null}}"
    )]);
    let folder = Folder::new();
    let mut command = cronctl(&folder.0);
    command
        .env("CRONCTL_URL", &fake.url)
        .env("CRONCTL_TOKEN", TOKEN)
        .args(["secrets", "list", "--json"]);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut errors = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut errors)
        .unwrap();
    assert_eq!(errors, "");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// What a case file would be too long to show.
fn create(value: &[u8]) -> (Option<i32>, String, Vec<String>) {
    let fake = Fake::start(vec!["201 @replaced".to_owned()]);
    let folder = Folder::new();
    std::fs::write(folder.0.join("value"), value).unwrap();
    let mut command = cronctl(&folder.0);
    command
        .env("CRONCTL_URL", &fake.url)
        .env("CRONCTL_TOKEN", TOKEN);
    let output = command
        .args([
            "secrets",
            "create",
            "--name",
            "long",
            "--from-file",
            "value",
        ])
        .output()
        .unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stderr).unwrap(),
        fake.requests(),
    )
}

#[test]
fn a_value_may_have_64_kib_and_no_more() {
    let (code, _, requests) = create(&[b'a'; 64 * 1024]);
    assert_eq!((code, requests.len()), (Some(0), 1));
    assert!(requests[0].contains(&"a".repeat(64 * 1024)));
    // A line end that is dropped does not count.
    let (code, _, requests) = create(&[&[b'a'; 64 * 1024][..], b"\r\n"].concat());
    assert_eq!((code, requests.len()), (Some(0), 1));
    let (code, errors, requests) = create(&[b'a'; 64 * 1024 + 1]);
    assert_eq!((code, requests.len()), (Some(2), 0));
    assert_eq!(
        errors,
        "error: value has more than 65536 bytes, the most that a value may have\n"
    );
}

#[test]
fn a_value_that_is_not_text_is_refused_here() {
    let (code, errors, requests) = create(b"\xff\xfe\x00");
    assert_eq!((code, requests.len()), (Some(1), 0));
    assert_eq!(
        errors,
        "error: the value is not UTF-8 text; store it encoded (in base64, say)\n"
    );
}

#[test]
fn completions_are_written_for_each_shell() {
    let folder = Folder::new();
    for (shell, word) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef cronctl"),
        ("fish", "complete -c cronctl"),
    ] {
        let output = cronctl(&folder.0)
            .args(["completions", shell])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert!(
            String::from_utf8(output.stdout).unwrap().contains(word),
            "{shell}"
        );
    }
}
