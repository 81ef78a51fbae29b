//! What all calls share: who calls, request ids, repeated creations, compression, and the pages beside the API.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_compression::tokio::write::{BrotliDecoder, GzipDecoder, ZstdDecoder};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::client::{until, word};
use crate::home::{Engine, Home, on_both_stores};
use crate::server::{Launch, Server};
use crate::target::{Gate, Reply, Target, response};

on_both_stores!(
    a_repeated_creation_makes_one_thing,
    every_answer_has_its_request_id,
    answers_are_compressed_on_request,
    the_document_describes_every_path,
    metrics_count_without_names,
    a_stop_lets_what_runs_finish,
    everything_is_there_after_a_restart
);

async fn a_repeated_creation_makes_one_thing(engine: Engine) {
    let (server, target) = (Server::new(engine).await, Target::agreeable().await);
    let client = &server.client;
    let value = server.home.plant("ONCE", "a-value-sent-twice");
    let secret = json!({"name": "ONCE", "value": value});
    let create = |path: &'static str, key: &'static str, body: &Value| {
        client
            .call("POST", path)
            .header("idempotency-key", key)
            .json(body)
            .send()
    };
    let first = create("/v1/secrets", "key-1", &secret).await.expect(201);
    let again = create("/v1/secrets", "key-1", &secret).await.expect(201);
    assert_eq!(first.json(), again.json());
    let other =
        json!({"name": "OTHER", "value": server.home.plant("OTHER", "another-value-altogether")});
    create("/v1/secrets", "key-1", &other)
        .await
        .refused(409, "conflict", None);
    create("/v1/secrets", "key-2", &secret)
        .await
        .refused(409, "conflict", None);
    assert_eq!(client.all("/v1/secrets").await.len(), 1);

    let job = json!({"name": "once", "kind": "manual", "request": {"url": target.url("/")}});
    let first = create("/v1/jobs", "key-3", &job).await.expect(201);
    let again = create("/v1/jobs", "key-3", &job).await.expect(201);
    assert_eq!(first.id(), again.id());
    create("/v1/jobs", "key-1", &job)
        .await
        .refused(409, "conflict", None);
    assert_eq!(client.all("/v1/jobs").await.len(), 1);

    let path = format!("/v1/jobs/{}/run-now", first.id());
    let start = || {
        client
            .call("POST", &path)
            .header("idempotency-key", "key-4")
            .send()
    };
    let started = start().await.expect(202).id();
    assert_eq!(start().await.expect(202).id(), started);
    client.over(&started).await;
    assert_eq!(start().await.expect(202).id(), started);
    assert_eq!(
        (
            client.all("/v1/executions").await.len(),
            target.seen().len()
        ),
        (1, 1)
    );
}

async fn every_answer_has_its_request_id(engine: Engine) {
    let server = Server::new(engine).await;
    let client = &server.client;
    let given = client
        .call("GET", "/v1/jobs")
        .header("x-request-id", "mine-42")
        .send()
        .await
        .expect(200);
    assert_eq!(given.header("x-request-id"), "mine-42");
    let refused = client
        .call("GET", "/v1/jobs/none")
        .header("x-request-id", "mine-43")
        .send()
        .await
        .refused(404, "not_found", None);
    assert_eq!(refused.json()["error"]["request_id"], "mine-43");
    let mut seen = BTreeSet::new();
    for wild in ["", "has space", "<script>", &"x".repeat(65)] {
        let answer = client
            .call("GET", "/healthz")
            .header("x-request-id", wild)
            .send()
            .await
            .expect(200);
        let id = answer.header("x-request-id");
        assert!(id.starts_with("req_") && seen.insert(id.clone()), "{id}");
    }
    let who = client.get("/v1/whoami").await.expect(200).json();
    assert_eq!(
        (word(&who, "role"), word(&who["workspace"], "name")),
        ("owner", "default")
    );
    let answer = client.get("/v1/jobs").await;
    assert_eq!(
        (
            answer.header("cache-control"),
            answer.header("x-content-type-options")
        ),
        ("no-store".to_owned(), "nosniff".to_owned())
    );
}

async fn answers_are_compressed_on_request(engine: Engine) {
    let server = Server::new(engine).await;
    let plain = server.client.get("/openapi.json").await.expect(200);
    assert_eq!(plain.header("content-encoding"), "");
    for coding in ["gzip", "br", "zstd"] {
        let answer = server
            .client
            .call("GET", "/openapi.json")
            .header("accept-encoding", coding)
            .send()
            .await
            .expect(200);
        assert_eq!(answer.header("content-encoding"), coding);
        assert!(answer.body.len() * 2 < plain.body.len(), "{coding}");
        macro_rules! through {
            ($decoder:ident) => {{
                let mut decoder = $decoder::new(Vec::new());
                decoder.write_all(&answer.body).await.unwrap();
                decoder.shutdown().await.unwrap();
                decoder.into_inner()
            }};
        }
        let decoded = match coding {
            "gzip" => through!(GzipDecoder),
            "br" => through!(BrotliDecoder),
            _ => through!(ZstdDecoder),
        };
        assert_eq!(decoded, plain.body, "{coding}");
    }
}

/// Every `$ref` in a document.
fn references<'d>(node: &'d Value, found: &mut Vec<&'d str>) {
    match node {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|inner| references(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| references(inner, found)),
        _ => {}
    }
}

async fn the_document_describes_every_path(engine: Engine) {
    let server = Server::new(engine).await;
    let document = server.client.get("/openapi.json").await.expect(200).json();
    assert!(
        word(&document, "openapi").starts_with("3.1."),
        "{}",
        document["openapi"]
    );
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 20);
    for reference in found {
        assert!(
            document
                .pointer(reference.strip_prefix('#').unwrap())
                .is_some(),
            "{reference}"
        );
    }
    let paths = document["paths"].as_object().unwrap();
    let mut ids = BTreeSet::new();
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().unwrap() {
            assert!(
                operation["responses"]
                    .as_object()
                    .is_some_and(|responses| !responses.is_empty()),
                "{method} {path}"
            );
            assert!(
                ids.insert(format!(
                    "{} {}",
                    operation["operationId"], operation["tags"]
                )),
                "{method} {path}: its id is taken"
            );
            // Each documented call is there: it answers something else than "no such path" or "no such method".
            let real = path.replace("{id}", "none");
            let answer = server
                .client
                .with_token(None)
                .call(&method.to_uppercase(), &real)
                .send()
                .await;
            // Those who have no token yet are let in where the document says so, and nowhere else.
            if operation["security"] == json!([{}]) {
                assert!(!matches!(answer.status, 404 | 405), "{method} {path}");
                assert!(path.starts_with("/v1/pairings"), "{method} {path}");
            } else {
                answer.refused(401, "unauthorized", None);
            }
        }
    }
    for path in [
        "/v1/secrets",
        "/v1/jobs",
        "/v1/jobs/{id}/run-now",
        "/v1/executions/{id}/cancel",
        "/v1/whoami",
    ] {
        assert!(paths.contains_key(path), "{path}");
    }
    let codes = document["components"]["schemas"]["ErrorCode"]["enum"]
        .as_array()
        .unwrap();
    assert!(codes.contains(&json!("precondition_failed")), "{codes:?}");
}

async fn metrics_count_without_names(engine: Engine) {
    let (server, target) = (Server::new(engine).await, Target::agreeable().await);
    let job = server
        .client
        .manual(
            "a-name-nobody-counts",
            json!({"url": target.url("/a-path-nobody-counts")}),
        )
        .await;
    server.client.run(&job).await;
    server.client.run(&job).await;
    let counted = || async {
        (server
            .metric("padclock_attempts_total{end=\"succeeded\"}")
            .await
            >= 2.0)
            .then_some(())
    };
    until("both are counted", counted).await;
    server
        .client
        .get(&format!("/v1/jobs/{job}?colour=red"))
        .await;
    server.client.get("/v1/no/such/path-nobody-counts").await;
    let answer = server.client.get("/metrics").await.expect(200);
    assert!(answer.header("content-type").starts_with("text/plain"));
    let text = answer.text();
    for name in ["nobody-counts", &job, &target.address.port().to_string()] {
        assert!(!text.contains(name), "{name} in {text}");
    }
    assert!(
        text.contains("padclock_http_request_seconds") && text.contains("/v1/jobs/{id}"),
        "{text}"
    );
    assert_eq!(
        server.client.get("/healthz").await.expect(200).text(),
        "ok\n"
    );
    assert_eq!(
        server.client.get("/readyz").await.expect(200).text(),
        "ready\n"
    );
}

async fn a_stop_lets_what_runs_finish(engine: Engine) {
    let gate = Gate::closed();
    let for_target = gate.clone();
    let target =
        Target::new(move |_| Reply::Gate(for_target.clone(), response(200, "", b"in time"))).await;
    let home = Arc::new(Home::new(engine).await);
    let server = Launch::of(&home).start().await;
    let job = server
        .client
        .manual("in flight", json!({"url": target.url("/")}))
        .await;
    let execution = server.client.start(&job).await;
    target.wait_for(1).await;
    server.process.signal(rustix::process::Signal::TERM);
    let stopping = || async { server.client.get("/readyz").await };
    let answer = until("it says that it stops", || async {
        Some(stopping().await).filter(|answer| answer.status == 503)
    })
    .await;
    assert!(answer.text().contains("stopping"), "{}", answer.text());
    gate.let_through(1);
    let mut process = server.process;
    let status = process.ended().await;
    assert_eq!(status.code(), Some(0), "{}", process.said());

    let server = Launch::of(&home).start().await;
    let execution = server.client.execution(&execution).await;
    assert_eq!(
        (word(&execution, "status"), &execution["attempt_count"]),
        ("succeeded", &json!(1))
    );
    assert_eq!(target.seen().len(), 1);
}

async fn everything_is_there_after_a_restart(engine: Engine) {
    let home = Arc::new(Home::new(engine).await);
    let target = Target::agreeable().await;
    let server = Launch::of(&home).start().await;
    server
        .secret("KEPT", "a-value-that-outlives-its-node")
        .await;
    let job = server
        .client
        .manual(
            "kept",
            json!({"url": target.url("/"), "headers": {"X-Key": "{{secret.KEPT}}"}}),
        )
        .await;
    server.client.run(&job).await;
    let all = |client: crate::client::Client| async move {
        (
            client.all("/v1/secrets").await,
            client.all("/v1/jobs").await,
            client.all("/v1/executions").await,
        )
    };
    let before = all(server.client.clone()).await;
    assert_eq!(server.stop().await.code(), Some(0));
    let server = Launch::of(&home).start().await;
    assert_eq!(all(server.client.clone()).await, before);
    let execution = server.client.run(&job).await;
    assert_eq!(
        target.one_of(word(&execution, "id")).header("x-key"),
        "a-value-that-outlives-its-node"
    );
}
