//! Calls that arrive at the same time: one of them wins, and all are told the same story.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::client::{Call, word};
use crate::home::{Engine, on_both_stores};
use crate::server::Server;
use crate::target::Target;

on_both_stores!(calls_at_the_same_time_agree, a_repeated_start_starts_once);

/// The statuses of many calls made at once, sorted.
async fn at_once(calls: impl Iterator<Item = Call<'_>>) -> (Vec<u16>, BTreeSet<String>) {
    let answers = futures_util::future::join_all(calls.map(Call::send)).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    let ids = answers
        .iter()
        .filter(|answer| answer.status < 300)
        .map(|answer| answer.text())
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>();
    let ids = ids
        .iter()
        .map(|text| serde_json::from_str::<Value>(text).unwrap())
        .map(|json| word(&json, "id").to_owned())
        .collect();
    (statuses, ids)
}

async fn calls_at_the_same_time_agree(engine: Engine) {
    let server = Server::new(engine).await;
    let client = &server.client;
    let value = server.home.plant("RACED", "a-value-that-many-bring");
    let job = json!({"name": "raced", "kind": "manual", "request": {"url": "http://127.0.0.1:1/"}});
    let secret = |name: &str| json!({"name": name, "value": value});
    for round in 0..4 {
        let keyed = |path: &'static str, body: &Value| {
            client
                .call("POST", path)
                .header("idempotency-key", &format!("{path}-{round}"))
                .json(body)
        };
        let name = format!("KEYED{round}");
        let (statuses, ids) = at_once((0..8).map(|_| keyed("/v1/secrets", &secret(&name)))).await;
        assert_eq!((statuses, ids.len()), (vec![201; 8], 1));
        let (statuses, ids) = at_once((0..8).map(|_| keyed("/v1/jobs", &job))).await;
        assert_eq!((statuses, ids.len()), (vec![201; 8], 1));
        let id = ids.first().unwrap();
        let name = format!("NAMED{round}");
        let (statuses, _) =
            at_once((0..8).map(|_| client.call("POST", "/v1/secrets").json(&secret(&name)))).await;
        assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
        let path = format!("/v1/jobs/{id}");
        let edit = |number: i32| {
            client
                .call("PATCH", &path)
                .header("if-match", "\"1\"")
                .json(&json!({"description": format!("{number}")}))
        };
        let (statuses, _) = at_once((0..8).map(edit)).await;
        assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412]);
        let (statuses, _) = at_once((0..8).map(|_| client.call("DELETE", &path))).await;
        assert_eq!(statuses, [204, 404, 404, 404, 404, 404, 404, 404]);
    }
    let left = [
        client.all("/v1/jobs").await,
        client.all("/v1/secrets").await,
    ]
    .map(|all| all.len());
    assert_eq!(left, [0, 8]);
}

async fn a_repeated_start_starts_once(engine: Engine) {
    let (server, target) = (Server::new(engine).await, Target::agreeable().await);
    let client = &server.client;
    let job = client
        .manual("started", json!({"url": target.url("/")}))
        .await;
    let path = format!("/v1/jobs/{job}/run-now");
    // Quick executions, so that some repetitions come while the first is ending.
    for round in 0..25 {
        let key = format!("start-{round}");
        let call = || client.call("POST", &path).header("idempotency-key", &key);
        let (statuses, ids) = at_once((0..12).map(|_| call())).await;
        assert_eq!((statuses, ids.len()), (vec![202; 12], 1));
        client.over(ids.first().unwrap()).await;
    }
    let executions = client.all("/v1/executions").await.len();
    assert_eq!((executions, target.seen().len()), (25, 25));
}
