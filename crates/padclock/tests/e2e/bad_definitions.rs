//! Jobs that are wrong in themselves are refused when they are saved, with the field, the code and, in a template, the
//! place; nothing of them is saved, and no refusal repeats what stood there.

use serde_json::{Value, json};

use crate::home::{Engine, on_both_stores};
use crate::server::Server;

on_both_stores!(
    definitions_that_are_wrong_are_refused,
    a_bad_patch_changes_nothing,
    the_past_is_refused
);

pub const URL: &str = "http://127.0.0.1:9/";

fn scheduled(kind: &str, schedule: Value) -> Value {
    json!({"name": "j", "kind": kind, "schedule": schedule, "request": {"url": URL}})
}

fn with(field: &str, value: Value) -> Value {
    let mut job = scheduled("manual", json!({}));
    job[field] = value;
    job
}

/// Tries each definition, as a creation and as a dry run: both are refused alike, and no job is there afterwards.
pub async fn all_refused(server: &Server, table: Vec<(Value, &str, &str)>) {
    for (definition, field, code) in table {
        for path in ["/v1/jobs", "/v1/jobs?dry_run=true"] {
            let answer = server.client.post(path, &definition).await;
            let what = format!("{definition:.300}");
            assert_eq!(answer.status, 400, "{what}: {}", answer.text());
            assert!(
                !answer.text().contains("hunter2"),
                "{what}: {}",
                answer.text()
            );
            let answer = answer.refused(400, "validation_error", None);
            let details = answer.json()["error"]["details"].clone();
            let fits = |one: &Value| {
                one["field"].as_str().unwrap().starts_with(field) && one["code"] == code
            };
            assert!(
                details.as_array().unwrap().iter().any(fits),
                "{what}: no {field}/{code} in {details}"
            );
        }
    }
    assert!(server.client.all("/v1/jobs").await.is_empty());
    assert!(server.client.all("/v1/executions").await.is_empty());
}

async fn definitions_that_are_wrong_are_refused(engine: Engine) {
    let server = Server::new(engine).await;
    let cron = |expression: &str| scheduled("cron", json!({"expression": expression}));
    let table = vec![
        (
            json!({"kind": "manual", "request": {"url": URL}}),
            "name",
            "missing_field",
        ),
        (
            json!({"name": "j", "request": {"url": URL}}),
            "kind",
            "missing_field",
        ),
        (
            json!({"name": "j", "kind": "manual"}),
            "request",
            "required",
        ),
        (with("name", json!("")), "name", "required"),
        (with("name", json!("x".repeat(129))), "name", "too_long"),
        (with("name", json!("tab\there")), "name", "bad_character"),
        (with("name", json!(5)), "name", "wrong_type"),
        (with("kind", json!("sometimes")), "kind", "unknown_word"),
        (with("colour", json!("red")), "colour", "unknown_field"),
        (with("overlap", json!("maybe")), "overlap", "unknown_word"),
        (with("queue_limit", json!(0)), "queue_limit", "out_of_range"),
        (
            with("retry", json!({"max_attempts": 0})),
            "retry.max_attempts",
            "out_of_range",
        ),
        (
            with("retry", json!({"max_attempts": 21})),
            "retry.max_attempts",
            "out_of_range",
        ),
        (
            with("retry", json!({"attempts": 3})),
            "retry.attempts",
            "unknown_field",
        ),
        (with("env", json!({"1BAD": "x"})), "env", "bad_name"),
        (with("tags", json!(vec!["t"; 21])), "tags", "too_many"),
        (
            with("max_concurrent", json!(0)),
            "max_concurrent",
            "out_of_range",
        ),
        (scheduled("recurring", json!({})), "schedule", "required"),
        (
            scheduled("recurring", json!({"every_n_minutes": 0})),
            "schedule.every_n_minutes",
            "out_of_range",
        ),
        (
            scheduled("recurring", json!({"every_n_minutes": 1441})),
            "schedule.every_n_minutes",
            "out_of_range",
        ),
        (
            scheduled("recurring", json!({"every_seconds": 0})),
            "schedule.every_seconds",
            "out_of_range",
        ),
        (
            scheduled("recurring", json!({"every_seconds": -5})),
            "schedule.every_seconds",
            "out_of_range",
        ),
        (
            scheduled(
                "recurring",
                json!({"every_n_minutes": 5, "every_seconds": 5}),
            ),
            "schedule",
            "conflict",
        ),
        (
            scheduled(
                "recurring",
                json!({"every_n_minutes": 5, "expression": "* * * * *"}),
            ),
            "schedule.expression",
            "wrong_kind",
        ),
        (
            scheduled("manual", json!({"every_n_minutes": 5})),
            "schedule.every_n_minutes",
            "wrong_kind",
        ),
        (
            scheduled("cron", json!({})),
            "schedule.expression",
            "required",
        ),
        (cron("0 0 31 2 *"), "schedule.expression", "never_fires"),
        (cron("0 0 30 2 *"), "schedule.expression", "never_fires"),
        (
            scheduled(
                "cron",
                json!({"expression": "0 0 * * *", "timezone": "Mars/Olympus"}),
            ),
            "schedule.timezone",
            "unknown_timezone",
        ),
        (
            scheduled("one_time", json!({})),
            "schedule.run_at",
            "required",
        ),
        (
            scheduled("one_time", json!({"run_at": "tomorrow"})),
            "schedule.run_at",
            "bad_form",
        ),
    ];
    all_refused(&server, table).await;
    for expression in [
        "",
        "nonsense",
        "* * * *",
        "61 * * * *",
        "* 25 * * *",
        "* * * 13 *",
        "*/0 * * * *",
        "5-1 * * * *",
        "@sometimes",
        "* * * * * * *",
    ] {
        let answer = server
            .client
            .post("/v1/jobs", &cron(expression))
            .await
            .refused(400, "validation_error", None);
        let details = answer.json()["error"]["details"].clone();
        assert!(
            details[0]["field"] == "schedule.expression",
            "{expression}: {details}"
        );
    }
    assert!(server.client.all("/v1/jobs").await.is_empty());
}

async fn a_bad_patch_changes_nothing(engine: Engine) {
    let server = Server::new(engine).await;
    let job = server
        .client
        .manual("as it was", json!({"url": URL, "headers": {"X-A": "1"}}))
        .await;
    let path = format!("/v1/jobs/{job}");
    let before = server.client.get(&path).await.expect(200);
    for patch in [
        json!({"name": ""}),
        json!({"name": "fine", "request": {"url": "ftp://x/"}}),
        json!({"request": {"headers": {"X-A": "{{nothing}}"}}}),
        json!({"colour": "red"}),
        json!({"state": "paused"}),
        json!({"kind": "cron"}),
        json!({"request": null}),
        json!({"name": null}),
        json!({"retry": {"max_attempts": "three"}}),
    ] {
        server
            .client
            .patch(&path, &patch)
            .await
            .refused(400, "validation_error", None);
    }
    let call = server
        .client
        .call("PATCH", &path)
        .header("content-type", "application/json");
    call.body("[]")
        .send()
        .await
        .refused(400, "validation_error", None);
    let after = server.client.get(&path).await.expect(200);
    assert_eq!(
        (after.json(), after.header("etag")),
        (before.json(), before.header("etag"))
    );
}

async fn the_past_is_refused(engine: Engine) {
    let server = Server::new(engine).await;
    let past = scheduled("one_time", json!({"run_at": "2020-01-01T00:00:00.000Z"}));
    server
        .client
        .post("/v1/jobs", &past)
        .await
        .refused(400, "validation_error", None);
    let ended = scheduled(
        "recurring",
        json!({"every_n_minutes": 5, "end_at": "2020-01-01T00:00:00.000Z"}),
    );
    server
        .client
        .post("/v1/jobs", &ended)
        .await
        .refused(400, "validation_error", None);
    assert!(server.client.all("/v1/jobs").await.is_empty());
    let future = scheduled("one_time", json!({"run_at": "2099-01-01T00:00:00.000Z"}));
    let job = server.client.job(&future).await;
    let patch = json!({"schedule": {"run_at": "2020-01-01T00:00:00.000Z"}});
    server
        .client
        .patch(&format!("/v1/jobs/{job}"), &patch)
        .await
        .refused(400, "validation_error", None);
}
