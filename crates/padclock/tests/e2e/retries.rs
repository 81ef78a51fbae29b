//! What stays the same over the attempts of one execution, and what is looked up anew.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::client::word;
use crate::home::{Engine, on_both_stores};
use crate::server::Server;
use crate::target::{Gate, Reply, Target, response};

on_both_stores!(
    attempts_share_their_key_and_variables,
    a_rotation_takes_effect_at_the_next_attempt,
    each_filter_is_what_it_says
);

const HEADERS: [(&str, &str); 10] = [
    ("X-Now", "{{now}}"),
    ("X-Unix", "{{now_unix}}"),
    ("X-Last", "<{{last_run}}>"),
    ("X-Job", "{{job_name}}/{{job_id}}"),
    ("X-Execution", "{{execution_id}}"),
    ("X-Uuid", "{{random_uuid}} {{random_uuid}}"),
    ("X-Due", "{{scheduled_for}}"),
    ("X-Where", "{{environment}}/{{workspace}}"),
    ("X-Env", "{{env.REGION}}"),
    ("X-Attempt", "{{attempt}}"),
];

/// A target that answers 503 so many times, and 200 from then on.
async fn failing(times: usize) -> Target {
    let count = AtomicUsize::new(0);
    Target::new(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        early if early < times => Reply::response(503, "", b"not yet"),
        _ => Reply::ok("done"),
    })
    .await
}

async fn attempts_share_their_key_and_variables(engine: Engine) {
    let (server, target) = (Server::new(engine).await, failing(2).await);
    let headers: serde_json::Map<_, _> = HEADERS
        .iter()
        .map(|(name, text)| ((*name).to_owned(), json!(text)))
        .collect();
    let definition = json!({
        "name": "tell me", "kind": "manual", "environment": "staging", "env": {"REGION": "eu-1"},
        "request": {"url": target.url("/"), "headers": headers}
    });
    let job = server.client.job(&definition).await;
    let execution = server.client.run(&job).await;
    assert_eq!(
        (word(&execution, "status"), &execution["attempt_count"]),
        ("succeeded", &json!(3)),
        "{execution}"
    );
    let id = word(&execution, "id");
    let seen = target.seen_of(id);
    assert_eq!((seen.len(), target.seen().len()), (3, 3));
    for (number, attempt) in seen.iter().enumerate() {
        assert_eq!(attempt.header("x-attempt"), (number + 1).to_string());
        assert_eq!(
            attempt.header("x-cron-service-attempt"),
            (number + 1).to_string()
        );
        assert_eq!(attempt.header("x-cron-service-execution-id"), id);
        assert_eq!(attempt.header("x-cron-service-job-id"), job);
        for (name, _) in &HEADERS[..9] {
            assert_eq!(attempt.header(name), seen[0].header(name), "{name}");
        }
    }
    let first = &seen[0];
    assert_eq!(first.header("x-job"), format!("tell me/{job}"));
    assert_eq!(first.header("x-execution"), id);
    assert_eq!(first.header("x-where"), "staging/default");
    assert_eq!(
        (first.header("x-env"), first.header("x-last")),
        ("eu-1".to_owned(), "<>".to_owned())
    );
    assert_eq!(
        first.header("x-now")[..19],
        word(&execution, "started_at")[..19]
    );
    assert_eq!(
        first.header("x-due"),
        first.header("x-cron-service-scheduled-for")
    );
    assert!(first.header("user-agent").starts_with("padclock/"));
    let uuids = first.header("x-uuid");
    let (one, two) = uuids.split_once(' ').unwrap();
    assert!(one == two && one.len() == 36, "{uuids}");

    let numbers: Vec<_> = execution["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["number"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert_eq!(execution["attempts"][0]["response"]["status"], 503);
    assert_eq!(execution["attempts"][0]["error"]["code"], "status");

    let next = server.client.run(&job).await;
    let seen = target.one_of(word(&next, "id"));
    assert_eq!(
        seen.header("x-last")[1..20],
        word(&execution, "started_at")[..19],
        "the last run's start"
    );
    assert_ne!(seen.header("x-uuid"), uuids);
}

async fn a_rotation_takes_effect_at_the_next_attempt(engine: Engine) {
    let server = Server::new(engine).await;
    let (gate, held) = (Gate::closed(), AtomicUsize::new(0));
    let for_target = gate.clone();
    let target = Target::new(move |_| match held.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::Gate(for_target.clone(), response(500, "", b"once more")),
        _ => Reply::ok("done"),
    })
    .await;
    let secret = server.secret("ROTATED", "the-value-before").await;
    let job = server
        .client
        .manual(
            "rotation",
            json!({"url": target.url("/"), "headers": {"X-It": "{{secret.ROTATED}}"}}),
        )
        .await;
    let execution = server.client.start(&job).await;
    target.wait_for(1).await;
    let value = server.home.plant("ROTATED after", "the-value-after");
    server
        .client
        .put(&format!("/v1/secrets/{secret}"), &json!({"value": value}))
        .await
        .expect(200);
    gate.let_through(1);
    let execution = server.client.over(&execution).await;
    assert_eq!(execution["status"], "succeeded", "{execution}");
    let seen = target.seen_of(word(&execution, "id"));
    assert_eq!(
        [seen[0].header("x-it"), seen[1].header("x-it")],
        ["the-value-before", "the-value-after"]
    );
    let used = json!([{"name": "ROTATED", "version": 1}, {"name": "ROTATED", "version": 2}]);
    assert_eq!(execution["secrets"], used, "each version that was sent");
}

async fn each_filter_is_what_it_says(engine: Engine) {
    let (server, target) = (Server::new(engine).await, Target::agreeable().await);
    server.secret("PLAIN", "user:päss word&\"x\"").await;
    server.secret("KEY", "a-signing-key-of-some-length").await;
    server.secret("SPACED", "  spaces around it \n").await;
    let table = [
        (
            "X-Base64",
            "{{secret.PLAIN | base64}}",
            "dXNlcjpww6RzcyB3b3JkJiJ4Ig==",
        ),
        (
            "X-Url",
            "{{secret.PLAIN | urlencode}}",
            "user%3Ap%C3%A4ss%20word%26%22x%22",
        ),
        (
            "X-Json",
            "{{secret.PLAIN | json}}",
            r#"user:päss word&\"x\""#,
        ),
        (
            "X-Hex",
            "{{secret.KEY | hex}}",
            "612d7369676e696e672d6b65792d6f662d736f6d652d6c656e677468",
        ),
        ("X-Trim", "[{{secret.SPACED | trim}}]", "[spaces around it]"),
    ];
    let headers: serde_json::Map<_, _> = table
        .iter()
        .map(|(name, text, _)| ((*name).to_owned(), json!(text)))
        .collect();
    let job = server
        .client
        .manual(
            "filters",
            json!({"url": target.url("/"), "headers": headers}),
        )
        .await;
    let execution = server.client.run(&job).await;
    assert_eq!(execution["status"], "succeeded", "{execution}");
    let seen = target.one_of(word(&execution, "id"));
    for (name, _, expected) in table {
        assert_eq!(seen.header(name), expected, "{name}");
    }
    let recorded = execution["attempts"][0]["request"]["headers"].to_string();
    assert!(
        !recorded.contains("dXNlcjp") && !recorded.contains("612d73"),
        "{recorded}"
    );
}
