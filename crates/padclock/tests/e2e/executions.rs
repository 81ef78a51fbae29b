//! Executions as people ask for them: listed by what they are, replayed, stopped; and how jobs stand in each other's way.

use serde_json::{Value, json};

use crate::client::{until, word};
use crate::home::{Engine, Home, on_both_stores};
use crate::server::{Launch, Server};
use crate::target::{Gate, Reply, Target, response};

on_both_stores!(
    lists_are_filtered,
    a_replay_is_for_the_same_time,
    what_runs_can_be_stopped,
    what_waits_can_be_stopped,
    overlaps_are_skipped_by_default
);

async fn held() -> (Target, Gate) {
    let gate = Gate::closed();
    let for_target = gate.clone();
    (
        Target::new(move |_| Reply::Gate(for_target.clone(), response(200, "", b"at last"))).await,
        gate,
    )
}

fn ids(list: &[Value]) -> Vec<&str> {
    list.iter().map(|one| word(one, "id")).collect()
}

async fn lists_are_filtered(engine: Engine) {
    let target = Target::new(|seen| {
        if seen.path == "/bad" {
            Reply::response(404, "", b"no")
        } else {
            Reply::ok("yes")
        }
    })
    .await;
    let server = Server::new(engine).await;
    let client = &server.client;
    let good = client
        .manual("good", json!({"url": target.url("/good")}))
        .await;
    let bad = client
        .manual("bad", json!({"url": target.url("/bad")}))
        .await;
    let first = client.run(&good).await;
    let second = client.run(&bad).await;
    let third = client.run(&good).await;
    let replay = client
        .call(
            "POST",
            &format!("/v1/executions/{}/replay", word(&first, "id")),
        )
        .send()
        .await
        .expect(202)
        .id();
    client.over(&replay).await;
    let (one, two, three) = (word(&first, "id"), word(&second, "id"), word(&third, "id"));
    assert_eq!(
        (word(&first, "status"), word(&second, "status")),
        ("succeeded", "failed")
    );
    assert_eq!(second["attempt_count"], 1, "a 404 is not tried again");

    let list = |query: String| async move { client.all(&format!("/v1/executions{query}")).await };
    assert_eq!(
        ids(&list(String::new()).await),
        [&replay, three, two, one],
        "newest first"
    );
    assert_eq!(ids(&list(format!("?job_id={bad}")).await), [two]);
    assert_eq!(ids(&list("?status=failed".to_owned()).await), [two]);
    assert_eq!(
        ids(&list(format!("?status=succeeded&job_id={good}&trigger=manual")).await),
        [three, one]
    );
    assert_eq!(ids(&list("?trigger=replay".to_owned()).await), [&replay]);
    assert!(list("?trigger=schedule".to_owned()).await.is_empty());
    let from = word(&second, "started_at");
    assert!(!ids(&list(format!("?from={from}")).await).contains(&one));
    assert!(!ids(&list(format!("?to={from}")).await).contains(&three));
    let listed = list(String::new()).await;
    assert!(
        listed.iter().all(|one| one.get("attempts").is_none()),
        "lists leave attempts out"
    );

    let page = client
        .get("/v1/executions?limit=2&status=succeeded")
        .await
        .expect(200);
    let link = page.header("link");
    assert!(
        link.contains("status=succeeded") && link.contains("limit=2"),
        "{link}"
    );
    let rest = client
        .get(&link[1..link.find('>').unwrap()])
        .await
        .expect(200)
        .json();
    assert_eq!(ids(rest["items"].as_array().unwrap()), [one]);

    let whole = client.execution(one).await;
    let attempt = &whole["attempts"][0];
    assert_eq!(
        (
            &attempt["number"],
            &attempt["response"]["status"],
            word(&attempt["response"], "body")
        ),
        (&json!(1), &json!(200), "yes")
    );
    assert_eq!(
        (
            word(&attempt["request"], "method"),
            word(&attempt["request"], "url")
        ),
        ("GET", target.url("/good").as_str())
    );
    assert!(!word(&whole, "node").is_empty() && whole["duration_ms"].is_u64());
}

async fn a_replay_is_for_the_same_time(engine: Engine) {
    let (server, target) = (Server::new(engine).await, Target::agreeable().await);
    let client = &server.client;
    let definition = json!({"name": "recurring", "kind": "recurring", "schedule": {"every_seconds": 1}, "request": {"url": target.url("/")}});
    let job = client.job(&definition).await;
    let scheduled = format!("/v1/executions?job_id={job}&status=succeeded");
    let first = until("it has run", || async {
        client.all(&scheduled).await.pop()
    })
    .await;
    client
        .call("POST", &format!("/v1/jobs/{job}/pause"))
        .send()
        .await
        .expect(200);
    assert_eq!(first["trigger"], "schedule");
    let answer = client
        .call(
            "POST",
            &format!("/v1/executions/{}/replay", word(&first, "id")),
        )
        .send()
        .await
        .expect(202);
    assert_eq!(
        answer.header("location"),
        format!("/v1/executions/{}", answer.id())
    );
    let replay = client.over(&answer.id()).await;
    assert_eq!(
        (word(&replay, "trigger"), word(&replay, "status")),
        ("replay", "succeeded")
    );
    assert_eq!(
        (&replay["scheduled_for"], &replay["replay_of"]),
        (&first["scheduled_for"], &first["id"])
    );
    assert_ne!(replay["id"], first["id"]);
    let seen = target.one_of(word(&replay, "id"));
    assert_eq!(
        seen.header("x-cron-service-scheduled-for")[..19],
        word(&first, "scheduled_for")[..19]
    );
}

async fn what_runs_can_be_stopped(engine: Engine) {
    let home = std::sync::Arc::new(Home::new(engine).await);
    let (target, gate) = held().await;
    let server = Launch::of(&home)
        .env("PADCLOCK_LEASE_TTL", "6")
        .start()
        .await;
    let client = &server.client;
    let job = client.manual("held", json!({"url": target.url("/")})).await;
    let execution = client.start(&job).await;
    target.wait_for(1).await;
    client.reaches(&execution, "running").await;
    client
        .call("POST", &format!("/v1/executions/{execution}/cancel"))
        .send()
        .await
        .expect(202);
    let ended = client.over(&execution).await;
    assert_eq!(ended["status"], "canceled", "{ended}");
    gate.let_through(1);
    client
        .call("POST", &format!("/v1/executions/{execution}/cancel"))
        .send()
        .await
        .refused(409, "conflict", None);
    assert_eq!(
        client.execution(&execution).await,
        ended,
        "a late answer changes nothing"
    );
    assert_eq!(target.seen().len(), 1);
}

async fn what_waits_can_be_stopped(engine: Engine) {
    let target = Target::new(|_| Reply::response(503, "Retry-After: 3600\r\n", b"later")).await;
    let server = Server::new(engine).await;
    let client = &server.client;
    let job = client
        .manual("waiting", json!({"url": target.url("/")}))
        .await;
    let execution = client.start(&job).await;
    let waiting = client.reaches(&execution, "waiting").await;
    assert!(
        word(&waiting, "next_attempt_at") > word(&waiting, "started_at"),
        "{waiting}"
    );
    let stopped = client
        .call("POST", &format!("/v1/executions/{execution}/cancel"))
        .send()
        .await
        .expect(202)
        .json();
    assert_eq!(stopped["status"], "canceled");
    assert_eq!(
        client.execution(&execution).await["attempts"][0]["response"]["status"],
        503,
        "what was done is kept"
    );

    let (target, gate) = held().await;
    let definition = json!({
        "name": "queueing", "kind": "recurring", "schedule": {"every_seconds": 1}, "overlap": "queue_one",
        "request": {"url": target.url("/")}
    });
    let job = client.job(&definition).await;
    let queued = || async {
        client
            .all(&format!("/v1/executions?job_id={job}&status=queued"))
            .await
            .pop()
    };
    let queued = until("one stands behind", queued).await;
    let stopped = client
        .call(
            "POST",
            &format!("/v1/executions/{}/cancel", word(&queued, "id")),
        )
        .send()
        .await
        .expect(202)
        .json();
    assert_eq!(
        (
            word(&stopped, "status"),
            stopped["attempts"].as_array().map(Vec::len)
        ),
        ("canceled", Some(0))
    );
    client
        .call("POST", &format!("/v1/jobs/{job}/pause"))
        .send()
        .await
        .expect(200);
    gate.let_through(9);
    assert!(target.seen_of(word(&queued, "id")).is_empty());
}

async fn overlaps_are_skipped_by_default(engine: Engine) {
    let (target, gate) = held().await;
    let server = Server::new(engine).await;
    let client = &server.client;
    let definition = json!({"name": "slow", "kind": "recurring", "schedule": {"every_seconds": 1}, "request": {"url": target.url("/")}});
    let job = client.job(&definition).await;
    let skipped = format!("/v1/executions?job_id={job}&status=skipped");
    let rows = until("two are skipped", || async {
        Some(client.all(&skipped).await).filter(|rows| rows.len() >= 2)
    })
    .await;
    assert!(
        rows.iter()
            .all(|row| row["reason"] == "overlap" && row["started_at"] == Value::Null),
        "{rows:?}"
    );
    assert_eq!(target.seen().len(), 1);
    client
        .call("POST", &format!("/v1/jobs/{job}/pause"))
        .send()
        .await
        .expect(200);
    gate.let_through(9);
    let running = format!("/v1/executions?job_id={job}&status=succeeded");
    until("the first one ends", || async {
        (client.all(&running).await.len() == 1).then_some(())
    })
    .await;
}
