//! Each check of tidy on small trees: that it can fail, where it points, and that it leaves the rest alone.

mod sizes;
mod table;

use super::*;

/// A table with one crate that may use nothing, enough for trees that are about something else.
const TABLE: &str = "| crate | holds | may depend on | alone may use |\n|---|---|---|---|\n";

fn tree(files: &[(&str, &str)]) -> Tree {
    Tree::made_of(
        &[
            files,
            &[
                ("ARCHITECTURE.md", &format!("{TABLE}| `x` | – | – | |\n")),
                ("crates/x/Cargo.toml", ""),
            ],
        ]
        .concat(),
    )
}

/// The places (`path:line`) of the findings in one more file.
fn places(path: &str, text: &str) -> Vec<String> {
    check(&tree(&[(path, text)]))
        .iter()
        .map(|finding| format!("{}:{}", finding.path, finding.line))
        .collect()
}

/// The messages of all findings in a tree.
fn messages(files: &[(&str, &str)]) -> Vec<String> {
    check(&tree(files))
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[track_caller]
fn finds(path: &str, body: &str, line: usize) {
    assert_eq!(
        places(path, &format!("//! Doc.\n{body}")),
        [format!("{path}:{line}")],
        "{body}"
    );
}

#[track_caller]
fn clean(path: &str, body: &str) {
    assert_eq!(
        messages(&[(path, &format!("//! Doc.\n{body}"))]),
        Vec::<String>::new(),
        "{body}"
    );
}

#[test]
fn a_clean_tree_has_no_findings() {
    clean(
        "crates/x/src/lib.rs",
        "/// Adds.\npub fn add(a: u8) -> u8 { a }\n",
    );
}

#[test]
fn stubs_are_found_in_code_and_tests() {
    finds("crates/x/src/a.rs", "fn a() {\n    todo!()\n}", 3);
    finds(
        "crates/x/tests/a.rs",
        "fn a() { unimplemented!(\"later\") }",
        2,
    );
    finds("crates/x/src/a.rs", "fn a() { dbg!(1); }", 2);
    clean(
        "crates/x/src/a.rs",
        "// todo!() in a comment\nconst A: &str = \"todo!()\";\n/// Not `todo!()` either.\nfn todo() {}",
    );
}

#[test]
fn ignored_tests_are_found() {
    finds("crates/x/tests/a.rs", "#[test]\n#[ignore]\nfn a() {}", 3);
    finds(
        "crates/x/tests/a.rs",
        "#[test]\n#[ignore = \"slow\"]\nfn a() {}",
        3,
    );
}

#[test]
fn sleeps_are_found_in_tests_only() {
    finds(
        "crates/x/tests/a.rs",
        "fn a() { std::thread::sleep(D); }",
        2,
    );
    finds(
        "crates/x/src/a/tests.rs",
        "async fn a() { tokio::time::sleep(D).await; }",
        2,
    );
    finds(
        "crates/x/src/a.rs",
        "#[cfg(test)]\nmod tests {\n    fn a() { sleep(D); }\n}",
        4,
    );
    finds(
        "crates/x/src/a.rs",
        "#[tokio::test]\nasync fn a() { sleep(D); }",
        3,
    );
    clean(
        "crates/x/src/a.rs",
        "#[cfg(test)]\nmod tests;\nfn a() { sleep(D); }",
    );
    clean(
        "crates/x/src/a.rs",
        "#[cfg(test)]\nmod tests { fn b() {} }\nfn a() { sleep(D); }",
    );
    clean(
        "crates/x/src/a.rs",
        "#[cfg(not(test))]\nfn a() { sleep(D); }",
    );
}

#[test]
fn a_file_is_a_test_when_its_module_is_declared_as_one() {
    let with = |declaration: &str| {
        messages(&[
            (
                "crates/job/src/lib.rs",
                &format!("//! Doc.\n{declaration}\n"),
            ),
            (
                "crates/job/src/testing.rs",
                "//! Doc.\nfn a() { rand::random(); }",
            ),
            (
                "crates/job/src/testing/deep.rs",
                "//! Doc.\nfn a() { rand::random(); }",
            ),
        ])
    };
    assert_eq!(with("#[cfg(test)]\nmod testing;"), Vec::<String>::new());
    assert_eq!(with("mod testing;").len(), 2);
}

#[test]
fn a_value_is_exposed_in_listed_files_only() {
    finds(
        "crates/store/src/secrets.rs",
        "fn a(v: &Value) { v.expose(); }",
        2,
    );
    finds(
        "crates/server/src/jobs.rs",
        "fn a(v: &Value) {\n    v\n        .expose();\n}",
        4,
    );
    finds(
        "crates/store/src/secrets.rs",
        "fn a(v: Option<&Value>) { v.map(Value::expose); }",
        2,
    );
    clean(
        "crates/vault/src/seal.rs",
        "fn a(v: &Value) { v.expose(); }",
    );
    clean(
        "crates/store/tests/secrets.rs",
        "fn a(v: &Value) { v.expose(); }",
    );
}

#[test]
fn only_worker_connects() {
    finds(
        "crates/server/src/jobs.rs",
        "fn a() { TcpStream::connect(x); }",
        2,
    );
    finds(
        "crates/server/src/jobs.rs",
        "use hyper_util::client::legacy::Client;",
        2,
    );
    clean(
        "crates/worker/src/connect.rs",
        "fn a() { TcpStream::connect(x); }",
    );
    clean(
        "crates/server/tests/a.rs",
        "fn a() { TcpStream::connect(x); }",
    );
}

#[test]
fn pure_crates_are_given_what_they_need() {
    for body in [
        "use std::env;",
        "fn a() { std::env::args(); }",
        "fn a() { SystemTime::now(); }",
        "fn a() { std::time::Instant::now(); }",
        "fn a() { jiff::Zoned::now(); }",
        "fn a() { Timestamp::now(); }",
        "use tokio::sync::Mutex;",
        "use aws_lc_rs::rand::SystemRandom as R;",
        "fn a() { rand::random(); }",
        "fn a() { getrandom(x); }",
    ] {
        let found = places("crates/job/src/a.rs", &format!("//! Doc.\n{body}"));
        assert_eq!(
            found.first().map(String::as_str),
            Some("crates/job/src/a.rs:2"),
            "{body}"
        );
        clean("crates/server/src/a.rs", body);
    }
    clean(
        "crates/job/src/a.rs",
        "#[cfg(test)]\nmod tests { fn a() { rand::random(); } }",
    );
    clean(
        "crates/job/src/a.rs",
        "const A: &str = env!(\"CARGO_PKG_NAME\");",
    );
}

#[test]
fn sql_stands_in_store() {
    for statement in [
        "INSERT INTO jobs VALUES (1)",
        "\\n    DELETE FROM jobs",
        "SELECT 1 FROM jobs",
        "SELECT id,\n name\n FROM jobs",
        "UPDATE jobs SET name = 1",
        "WITH a AS (SELECT 1) SELECT 2",
        "CREATE TABLE a (b)",
    ] {
        finds(
            "crates/server/src/a.rs",
            &format!("const A: &str = \"{statement}\";"),
            2,
        );
        finds(
            "crates/server/src/a.rs",
            &format!("const A: &str = r#\"{statement}\"#;"),
            2,
        );
        clean(
            "crates/store/src/a.rs",
            &format!("const A: &str = \"{statement}\";"),
        );
        clean(
            "bench/src/a.rs",
            &format!("const A: &str = \"{statement}\";"),
        );
        clean(
            "crates/server/tests/a.rs",
            &format!("const A: &str = \"{statement}\";"),
        );
    }
    clean(
        "crates/server/src/a.rs",
        "const A: &str = \"Select a job from the list\";",
    );
    clean(
        "crates/server/src/a.rs",
        "/// SELECT 1 FROM jobs\nconst A: &str = \"UPDATE is refused\";",
    );
}

#[test]
fn names_say_something() {
    for path in [
        "crates/x/src/utils.rs",
        "crates/x/src/common/mod.rs",
        "crates/x/tests/helpers.rs",
        "bench/src/job_x/manager.rs",
    ] {
        assert_eq!(places(path, "//! Doc.\n"), [format!("{path}:1")]);
    }
    finds("crates/x/src/a.rs", "pub(crate) mod utils;", 2);
    finds("crates/x/src/a.rs", "mod helpers { }", 2);
    clean("crates/x/src/uncommon.rs", "mod a; // not mod utils;");
}

#[test]
fn paths_of_a_machine_and_merge_marks_are_found_in_any_file() {
    let folder = concat!("/wo", "rk/");
    assert_eq!(
        places("docs/a.md", &format!("one\nsee {folder}main\n")),
        ["docs/a.md:2"]
    );
    assert_eq!(
        places("a.toml", &format!("a = \"{}x\"\n", concat!("/ro", "ot/"))),
        ["a.toml:1"]
    );
    assert!(
        places(
            "docs/a.md",
            &format!("https://example.com{folder}x ./home{folder}x\n")
        )
        .is_empty()
    );
    assert_eq!(
        places("docs/a.md", concat!("a\n<<<<", "<<< HEAD\n")),
        ["docs/a.md:2"]
    );
    assert_eq!(
        places("docs/a.md", concat!("a\n>>>>", ">>> theirs\n")),
        ["docs/a.md:2"]
    );
    assert!(places("docs/a.md", "Title\n=======\n").is_empty());
    assert!(places("logo.bin", &format!("\0 {folder}")).is_empty());
}

#[test]
fn findings_name_file_line_and_what_to_use_instead() {
    let found = messages(&[(
        "crates/job/src/a.rs",
        "//! Doc.\nfn a() { Instant::now(); }",
    )]);
    assert_eq!(
        found,
        [
            "crates/job/src/a.rs:2: `Instant::now`: a pure crate is given the time: take a `Moment` (or a number) as an argument"
        ]
    );
}
