//! A full disk: what can't be saved is refused with 503 and not half there, the node says why it is not ready, lives on,
//! and works again when there is room.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use padclock_job::Moment;
use serde_json::{Value, json};

use crate::client::{Answer, until, word};
use crate::home::{Engine, Home, beside_others};
use crate::server::{Launch, Process, Server};
use crate::target::Target;

/// A shell in namespaces of its own: it may mount a small file system, it runs the node on it, fills and frees it as told,
/// and ends the node when its input ends.
const SHELL: &str = r#"
mkdir -p "$FOLDER" && mount -t tmpfs -o size=6m tmpfs "$FOLDER" || exit 9
"$@" &
while read -r word; do
  case "$word" in
    fill) dd if=/dev/zero of="$FOLDER/ballast" bs=4096 2>/dev/null; echo "done: fill" ;;
    free) rm "$FOLDER/ballast"; echo "done: free" ;;
  esac
done
kill -9 $!
wait
"#;

async fn on_a_small_disk(home: &Arc<Home>) -> Server {
    let launch = Launch::of(home).env("FOLDER", &home.data().display().to_string());
    let mut command = launch.command("unshare");
    command.args([
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        SHELL,
        "sh",
        env!("CARGO_BIN_EXE_padclock"),
    ]);
    command
        .args(launch.arguments())
        .stdin(std::process::Stdio::piped());
    launch
        .started(Process::of(command.spawn().unwrap(), home))
        .await
}

async fn store(server: &Server, number: usize) -> Answer {
    let value = format!("value-{number}-").repeat(3_000);
    server
        .client
        .post(
            "/v1/secrets",
            &json!({"name": format!("S{number}"), "value": value}),
        )
        .await
}

async fn runs(server: &Server, job: &str) -> usize {
    server
        .client
        .all(&format!("/v1/executions?job_id={job}&status=succeeded"))
        .await
        .len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_loses_nothing_and_passes() {
    beside_others(async {
        let home = Arc::new(Home::new(Engine::Sqlite).await);
        let (mut server, target) = (on_a_small_disk(&home).await, Target::agreeable().await);
        let definition = json!({"name": "pulse", "kind": "recurring", "schedule": {"every_seconds": 1}, "request": {"url": target.url("/")}});
        let job = server.client.job(&definition).await;
        until("it runs", || async { (runs(&server, &job).await > 0).then_some(()) }).await;

        server.process.tell("fill");
        server.process.says("done: fill").await;
        let (mut saved, mut number) = (Vec::new(), 0);
        let refused = loop {
            number += 1;
            assert!(number < 500, "it never filled up");
            match store(&server, number).await {
                answer if answer.status == 201 => saved.push(format!("S{number}")),
                answer => break answer,
            }
        };
        let refused = refused.refused(503, "unavailable", None);
        assert!(refused.text().contains("space") && !refused.text().contains("value-"), "{}", refused.text());
        assert!(!refused.header("retry-after").is_empty());
        let path = format!("/v1/jobs/{job}");
        let before = server.client.get(&path).await.expect(200).json();
        let large = json!({"name": "large", "kind": "manual", "request": {"url": target.url("/"), "method": "POST", "body": "x".repeat(200_000)}});
        server.client.post("/v1/jobs", &large).await.refused(503, "unavailable", None);
        server.client.patch(&path, &json!({"description": "y".repeat(4_000), "request": {"body": "x".repeat(200_000)}})).await.refused(503, "unavailable", None);
        let unready = || async { Some(server.client.get("/readyz").await).filter(|answer| answer.status == 503) };
        let unready = until("it says that it is not ready", unready).await;
        assert!(unready.text().contains("space"), "{}", unready.text());
        server.client.get("/healthz").await.expect(200);

        let names: Vec<String> = server.client.all("/v1/secrets").await.iter().map(|one| word(one, "name").to_owned()).collect();
        assert_eq!(names, saved, "what was refused is not there");
        assert_eq!(server.client.all("/v1/jobs").await.len(), 1);
        let after = server.client.get(&path).await.expect(200).json();
        assert_eq!((&after["request"], &after["description"]), (&before["request"], &Value::Null));

        server.process.tell("free");
        server.process.says("done: free").await;
        until("it is ready again", || async { (server.client.get("/readyz").await.status == 200).then_some(()) }).await;
        store(&server, number).await.expect(201);
        let so_far = runs(&server, &job).await;
        until("it runs again", || async { (runs(&server, &job).await > so_far).then_some(()) }).await;
    })
    .await;
}

/// The records of uses, by the execution they are about.
async fn recorded(server: &Server) -> HashSet<String> {
    let uses = server.client.all("/v1/audit?action=secret.use").await;
    uses.iter()
        .map(|record| word(record, "target").to_owned())
        .collect()
}

async fn no_value_leaves_without_its_record(home: Arc<Home>) {
    let (mut server, target) = (on_a_small_disk(&home).await, Target::agreeable().await);
    let (client, value) = (&server.client.clone(), "a-value-on-the-wire");
    let secret = server.secret("WIRED", value).await;
    let reveal = format!("/v1/secrets/{secret}/value");
    let definition = json!({"name": "wired", "kind": "recurring", "schedule": {"every_seconds": 1}, "misfire": "all", "overlap": "allow",
        "request": {"url": target.url("/"), "headers": {"X-Key": "secret://WIRED"}}});
    let job = client.job(&definition).await;
    target.wait_for(1).await;
    client.get(&reveal).await.expect(200);

    server.process.tell("fill");
    server.process.says("done: fill").await;
    let refused =
        || async { Some(client.get(&reveal).await).filter(|answer| answer.status == 503) };
    let refused = until("nothing is revealed", refused).await;
    assert!(!refused.text().contains(value), "{}", refused.text());
    let unready =
        || async { Some(client.get("/readyz").await).filter(|answer| answer.status == 503) };
    let unready = until("it says that it is not ready", unready).await.text();
    assert!(
        unready.contains("audit can't be written") && unready.contains("space"),
        "{unready}"
    );
    assert!(server.metric("padclock_audit_failing ").await >= 0.0);
    let (full, before) = (Instant::now(), target.seen().len());
    let passed = || async { (full.elapsed() > Duration::from_secs(3)).then_some(()) };
    until("some due times pass", passed).await;
    let after = target.seen().len();
    client.get(&reveal).await.refused(503, "unavailable", None);

    server.process.tell("free");
    server.process.says("done: free").await;
    let ready = || async { (client.get("/readyz").await.status == 200).then_some(()) };
    until("it is ready again", ready).await;
    client.get(&reveal).await.expect(200);
    target.wait_for(after + 4).await;
    client
        .post(&format!("/v1/jobs/{job}/pause"), &json!({}))
        .await
        .expect(200);
    let recorded = recorded(&server).await;
    let seen = target.seen();
    assert!(seen.iter().all(|seen| seen.header("x-key") == value));
    assert!(
        after <= before + 1,
        "{before} requests before, {after} after"
    );
    let unrecorded: Vec<_> = seen
        .iter()
        .map(|seen| seen.header("idempotency-key"))
        .filter(|execution| !recorded.contains(execution))
        .collect();
    assert!(unrecorded.is_empty(), "{unrecorded:?}");
    // Each second is there once: none was lost with its lease.
    let executions = client.all(&format!("/v1/executions?job_id={job}")).await;
    let mut due: Vec<Moment> = executions
        .iter()
        .map(|execution| word(execution, "scheduled_for").parse().unwrap())
        .collect();
    due.sort_unstable();
    let gaps: Vec<_> = due
        .windows(2)
        .filter(|pair| pair[1].millis() - pair[0].millis() != 1_000)
        .collect();
    assert!(gaps.is_empty(), "{gaps:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_no_room_for_the_record_no_value_leaves() {
    beside_others(async {
        no_value_leaves_without_its_record(Arc::new(Home::new(Engine::Sqlite).await)).await;
    })
    .await;
}
