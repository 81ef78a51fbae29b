//! New tokens where a case file can't show them: what is in the file, who can read it, and what becomes of a token that nobody got.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::fake::{Fake, TOKEN};
use crate::play::{Folder, cronctl};

fn command(fake: &Fake, home: &Path, words: &[&str]) -> Command {
    let mut command = cronctl(home);
    command
        .env("CRONCTL_URL", &fake.url)
        .env("CRONCTL_TOKEN", TOKEN)
        .args(words)
        .stdin(Stdio::null());
    command
}

fn create(fake: &Fake, home: &Path) -> Output {
    let words = ["tokens", "create", "ci", "--out", "ci.token"];
    command(fake, home, &words).output().unwrap()
}

fn names(home: &Path) -> Vec<String> {
    let entries = fs::read_dir(home).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn a_token_s_file_is_whole_and_its_owner_s_alone() {
    let folder = Folder::new();
    let home = &folder.0;
    // What was there, open to all, is replaced and not written into.
    let path = home.join("ci.token");
    fs::write(&path, "an older and longer text of a token\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let fake = Fake::start(vec!["201 @token-made".to_owned()]);
    let output = create(&fake, home);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout, b"");
    assert_eq!(fs::read_to_string(&path).unwrap(), "shown_once\n");
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    assert_eq!(names(home), ["ci.token"]);
}

#[test]
fn a_refusal_leaves_the_file_as_it_was() {
    let folder = Folder::new();
    let home = &folder.0;
    fs::write(home.join("ci.token"), "the one before\n").unwrap();
    let fake = Fake::start(vec!["403 @forbidden".to_owned()]);
    let output = create(&fake, home);
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    let kept = fs::read_to_string(home.join("ci.token")).unwrap();
    assert_eq!(kept, "the one before\n");
    assert_eq!(names(home), ["ci.token"]);
}

#[test]
fn a_folder_that_takes_no_file_costs_no_token() {
    let folder = Folder::new();
    fs::create_dir(folder.0.join("ci.token")).unwrap();
    let fake = Fake::start(Vec::new());
    let output = create(&fake, &folder.0);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(fake.requests(), Vec::<String>::new());
}

#[test]
fn what_nobody_reads_is_ended_again() {
    let ways: [(&[&str], &str, &str); 2] = [
        (
            &["tokens", "create", "ci"],
            "201 @token-made",
            "DELETE /v1/tokens/tok_01jpc8q0000000000000000002",
        ),
        (
            &["members", "invite", "--role", "viewer"],
            r#"201 {"id":"lnk_01jpc8q0000000000000000001","role":"viewer","email":null,"created_at":"2026-03-15T10:00:00.000Z","expires_at":"2026-03-22T10:00:00.000Z","url":"shown_once"}"#,
            "DELETE /v1/invitations/lnk_01jpc8q0000000000000000001",
        ),
    ];
    for (words, made, ended) in ways {
        let folder = Folder::new();
        let fake = Fake::start(vec![made.to_owned(), "204".to_owned()]);
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = command(&fake, &folder.0, words)
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.contains("ended again") && !said.contains("shown_once"),
            "{said}"
        );
        assert_eq!(fake.requests().last().map(String::as_str), Some(ended));
    }
}
