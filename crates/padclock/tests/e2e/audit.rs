//! The audit as its readers meet it: listed, exported, copied, and verified by the command line on the database of a node
//! that runs or has stopped, touched or not.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::client::{until, word};
use crate::home::{Engine, Home, on_both_stores};
use crate::server::{Launch, Server};

on_both_stores!(
    what_is_done_is_listed,
    strangers_are_told_of_once,
    a_chain_is_verified_while_the_node_runs_and_after,
    an_export_is_verified_elsewhere,
    the_live_copy_holds_each_record_once,
    tampering_is_found,
);

/// What `padclock audit …` on this installation's host answers: exit code, standard output.
fn audit(home: &Arc<Home>, arguments: &[&str]) -> (i32, String) {
    let launch = Launch::of(home);
    let mut command = launch.command(env!("CARGO_BIN_EXE_padclock"));
    command.arg("audit").args(arguments);
    if arguments[0] != "verify-heads" {
        command.arg("--data").arg(home.data());
    }
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap_or(-1), text + &said)
}

/// Some records: a secret that is made, replaced and read back, and one that is not there.
async fn busy(server: &Server) -> String {
    let id = server.secret("KEY", "first-value-of-it").await;
    let path = format!("/v1/secrets/{id}");
    let second = server.home.plant("the new value", "second-value-of-it");
    let client = &server.client;
    client
        .put(&path, &json!({ "value": second }))
        .await
        .expect(200);
    client.get(&format!("{path}/value")).await.expect(200);
    id
}

async fn what_is_done_is_listed(engine: Engine) {
    let server = Server::new(engine).await;
    let id = busy(&server).await;
    let client = &server.client;
    let all = client.all("/v1/audit").await;
    let actions: Vec<&str> = all.iter().map(|record| word(record, "action")).collect();
    let expected = [
        "secret.reveal",
        "secret.replace",
        "secret.create",
        "token.create",
        "workspace.create",
    ];
    assert_eq!(actions, expected);
    let first = &all[0];
    assert!(word(first, "id").starts_with("aud_"));
    assert_eq!(
        (first["seq"].as_i64(), word(first, "target")),
        (Some(5), id.as_str())
    );
    assert_eq!(word(&first["actor"], "kind"), "member");
    assert_eq!(word(&first["actor"], "from"), "127.0.0.1");
    assert_eq!(all[4]["actor"], json!({"kind": "system"}));
    let page = client
        .get("/v1/audit?action=secret.&limit=2")
        .await
        .expect(200)
        .json();
    let next = format!(
        "/v1/audit?action=secret.&limit=2&cursor={}",
        word(&page, "next_cursor")
    );
    let rest = client.get(&next).await.expect(200).json();
    assert_eq!(rest["items"].as_array().unwrap().len(), 1);
    let user = word(&first["actor"], "user");
    assert_eq!(
        client.all(&format!("/v1/audit?actor={user}")).await.len(),
        3
    );
    let none = client
        .get("/v1/audit?from=2999-01-01T00:00:00Z")
        .await
        .expect(200)
        .json();
    assert_eq!(none, json!({"items": [], "next_cursor": null}));
    for (query, field) in [
        ("what=1", "what"),
        ("limit=101", "limit"),
        ("cursor=x", "cursor"),
    ] {
        let refused = client.get(&format!("/v1/audit?{query}")).await;
        assert_eq!(
            (refused.status, refused.text().contains(field)),
            (400, true),
            "{query}"
        );
    }
    let nobody = client.with_token(None);
    nobody
        .get("/v1/audit")
        .await
        .refused(401, "unauthorized", None);
    nobody
        .get("/v1/audit/export")
        .await
        .refused(401, "unauthorized", None);
}

async fn strangers_are_told_of_once(engine: Engine) {
    let server = Server::new(engine).await;
    let home = Arc::clone(&server.home);
    let wrong = home.plant("a wrong token", "pck_a-token-that-nobody-has");
    let stranger = server.client.with_token(Some(wrong));
    for _ in 0..70 {
        stranger.get("/v1/whoami").await;
    }
    assert!(server.stop().await.success());
    let told = home
        .sql("SELECT actor || ' ' || detail FROM audit WHERE action = 'token.failure'")
        .await;
    assert_eq!(told, [r#"stranger 127.0.0.1 {"count":70}"#]);
}

async fn a_chain_is_verified_while_the_node_runs_and_after(engine: Engine) {
    let server = Server::new(engine).await;
    let home = Arc::clone(&server.home);
    busy(&server).await;
    let (code, text) = audit(&home, &["verify"]);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("default: good") && text.contains("5 records"),
        "{text}"
    );
    assert!(server.stop().await.success());
    let (code, text) = audit(&home, &["verify", "--json"]);
    let told: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (code, &told["good"], &told["heads_outside"]),
        (0, &json!(true), &json!(1))
    );
    assert_eq!(
        told["workspaces"][0]["heads"], 2,
        "one in the database, one in the file"
    );
    let (code, key) = audit(&home, &["key"]);
    assert_eq!((code, key.trim().len()), (0, 64));
    assert_eq!(told["key"], key.trim());
    let heads = home.data().join("audit.heads").display().to_string();
    let (code, text) = audit(&home, &["verify-heads", "--key", key.trim(), &heads]);
    assert!(code == 0 && text.contains("record 5"), "{text}");
    let (code, text) = audit(&home, &["verify-heads", "--key", &"0".repeat(64), &heads]);
    assert!(code == 1 && text.contains("line 1"), "{text}");
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&heads).unwrap());
    assert_eq!(mode & 0o777, 0o600);
    // No answer is no good answer.
    let (code, text) = audit(&home, &["verify", "--workspace", "none"]);
    assert_eq!(code, 2, "{text}");
    let (code, text) = audit(&home, &["verify", "--heads", "/nowhere/audit.heads"]);
    assert_eq!(code, 2, "{text}");
    let again = Launch::of(&home).start().await;
    busy_again(&again).await;
    assert!(again.stop().await.success());
    assert_eq!(std::fs::read_to_string(&heads).unwrap().lines().count(), 2);
    assert_eq!(audit(&home, &["verify"]).0, 0);
}

async fn busy_again(server: &Server) {
    server.secret("OTHER", "another-value-of-it").await;
}

fn file(home: &Home, name: &str, text: &str) -> PathBuf {
    let path = home.folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn of_file(home: &Arc<Home>, path: &Path) -> (i32, String) {
    audit(home, &["verify", "--file", &path.display().to_string()])
}

async fn an_export_is_verified_elsewhere(engine: Engine) {
    let server = Server::new(engine).await;
    let home = Arc::clone(&server.home);
    busy(&server).await;
    let answer = server.client.get("/v1/audit/export").await.expect(200);
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    let text = answer.text();
    assert_eq!(text.lines().count(), 7, "six records and a head");
    let whole = file(&home, "export", &text);
    let (code, told) = of_file(&home, &whole);
    assert!(
        code == 0 && told.contains("6 records") && told.contains("1 signed heads agree"),
        "{told}"
    );
    let mut lines: Vec<&str> = text.lines().collect();
    lines.remove(3);
    let (code, told) = of_file(&home, &file(&home, "gap", &(lines.join("\n") + "\n")));
    assert!(code == 1 && told.contains("record 4 is missing"), "{told}");
    let changed = text.replace("secret.replace", "secret.update");
    let (code, told) = of_file(&home, &file(&home, "changed", &changed));
    assert!(code == 1 && told.contains("first at record 4"), "{told}");
    assert_eq!(of_file(&home, &file(&home, "none", "hello\n")).0, 2);
}

async fn the_live_copy_holds_each_record_once(engine: Engine) {
    let home = Arc::new(Home::new(engine).await);
    let copy = home.folder.join("copy.jsonl");
    let launch = Launch::of(&home).flag("--audit-copy", &copy.display().to_string());
    let server = launch.start().await;
    busy(&server).await;
    let lines = || {
        std::fs::read_to_string(&copy)
            .unwrap_or_default()
            .lines()
            .count()
    };
    until("the records are there", || async {
        (lines() == 5).then_some(())
    })
    .await;
    server.kill().await;
    // As if it had been killed between a line and the note of it, and within a line.
    let position = std::fs::read_to_string(home.data().join("audit.copy")).unwrap();
    let known: Value = serde_json::from_str(&position).unwrap();
    let text = json!({"target": known["target"], "bytes": 0, "chains": {}}).to_string();
    std::fs::write(home.data().join("audit.copy"), text).unwrap();
    let torn = std::fs::read_to_string(&copy).unwrap() + "{\"workspace\":\"ws_";
    std::fs::write(&copy, torn).unwrap();
    let server = launch.start().await;
    busy_again(&server).await;
    until("the new one is there", || async {
        (lines() == 6).then_some(())
    })
    .await;
    assert!(
        server
            .client
            .get("/readyz")
            .await
            .expect(200)
            .text()
            .eq("ready\n")
    );
    assert!(server.stop().await.success());
    assert_eq!(lines(), 6);
    let (code, told) = of_file(&home, &copy);
    assert_eq!(code, 0, "{told}");
    // A copy that can't be written stops nothing, and is told of.
    let nowhere = Launch::of(&home).flag("--audit-copy", "/nowhere/copy.jsonl");
    let server = nowhere.start().await;
    let told = || async {
        let text = server.client.get("/readyz").await.expect(200).text();
        text.contains("the live copy of the audit fails")
            .then_some(())
    };
    until("it is told", told).await;
    let failing = server.metric("padclock_audit_copy_failing ").await;
    assert!((failing - 1.0).abs() < f64::EPSILON);
    let id = server.secret("THIRD", "a-third-value-of-it").await;
    server
        .client
        .get(&format!("/v1/secrets/{id}/value"))
        .await
        .expect(200);
}

async fn tampering_is_found(engine: Engine) {
    let server = Server::new(engine).await;
    let home = Arc::clone(&server.home);
    busy(&server).await;
    assert!(server.stop().await.success());
    let tag = "(SELECT tag FROM audit WHERE seq = 3)";
    let steps = [
        (
            "UPDATE audit SET target = 'sec_0' WHERE seq = 4",
            "first at record 4",
        ),
        ("DELETE FROM audit WHERE seq = 4", "record 4 is missing"),
        (
            "DELETE FROM audit WHERE seq = 5",
            "the chain ends at record 3",
        ),
        (
            &format!("UPDATE audit_heads SET seq = 3, tag = {tag}"),
            "the head signed in the database tells of 5",
        ),
        (
            "DELETE FROM audit_signatures",
            "the head signed in the heads file tells of 5",
        ),
        ("DELETE FROM audit_heads", "the chain has no head"),
        ("DELETE FROM audit", "the workspace has no chain"),
    ];
    for (touch, told) in steps {
        home.sql(touch).await;
        let (exit, text) = audit(&home, &["verify"]);
        assert!(exit == 1 && text.contains(told), "{touch}: {exit}\n{text}");
    }
}
