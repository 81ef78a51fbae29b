//! Jobs as their owner handles them: made, looked at in pages, paused, resumed, deleted.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::client::{Client, until, word};
use crate::home::{Engine, on_both_stores};
use crate::server::Server;
use crate::target::{Gate, Reply, Target, response};

on_both_stores!(
    pages_hold_every_job_once,
    a_dry_run_saves_nothing,
    the_next_times_are_told,
    pausing_stops_and_resuming_replays_nothing,
    a_deleted_job_stops_and_leaves_its_history,
    a_one_time_job_runs_once_and_is_completed,
    an_edit_of_the_schedule_drops_what_was_due
);

fn every_second(name: &str, target: &Target) -> Value {
    json!({"name": name, "kind": "recurring", "schedule": {"every_seconds": 1}, "request": {"url": target.url("/")}})
}

async fn of_job(client: &Client, job: &str) -> Vec<Value> {
    client.all(&format!("/v1/executions?job_id={job}")).await
}

/// Waits until a job has so many executions that succeeded.
async fn has_run(client: &Client, job: &str, times: usize) {
    let succeeded = |all: &[Value]| {
        all.iter()
            .filter(|one| one["status"] == "succeeded")
            .count()
    };
    until("the job has run", || async {
        (succeeded(&of_job(client, job).await) >= times).then_some(())
    })
    .await;
}

async fn pages_hold_every_job_once(engine: Engine) {
    let server = Server::new(engine).await;
    let client = &server.client;
    let request = json!({"url": "http://127.0.0.1:1/"});
    let names: Vec<String> = (0..120).map(|number| format!("job {number}")).collect();
    let made = join_all(
        names
            .iter()
            .map(|name| client.manual(name, request.clone())),
    )
    .await;
    let made: BTreeSet<String> = made.into_iter().collect();
    assert_eq!(made.len(), 120);
    let (mut found, mut sizes, mut next) = (BTreeSet::new(), Vec::new(), "/v1/jobs".to_owned());
    loop {
        let page = client.get(&next).await.expect(200);
        let items = page.json()["items"].as_array().unwrap().clone();
        sizes.push(items.len());
        for job in items {
            assert!(found.insert(word(&job, "id").to_owned()), "twice: {job}");
        }
        let (json, link) = (page.json(), page.header("link"));
        match json["next_cursor"].as_str() {
            Some(cursor) => assert!(
                link.contains(cursor) && link.ends_with(">; rel=\"next\""),
                "{link}"
            ),
            None => break assert_eq!(link, ""),
        }
        next = link[1..link.find('>').unwrap()].to_owned();
    }
    assert_eq!((found, sizes), (made, vec![50, 50, 20]));
    assert_eq!(
        client.get("/v1/jobs?limit=100").await.expect(200).json()["items"]
            .as_array()
            .unwrap()
            .len(),
        100
    );
}

async fn a_dry_run_saves_nothing(engine: Engine) {
    let server = Server::new(engine).await;
    let definition = json!({
        "name": "tried", "kind": "cron", "schedule": {"expression": "30 2 * * *", "timezone": "Europe/Berlin"},
        "request": {"url": "https://example.com/"}
    });
    let tried = server
        .client
        .post("/v1/jobs?dry_run=true", &definition)
        .await
        .expect(200)
        .json();
    assert_eq!(
        tried["preview"]["next"].as_array().unwrap().len(),
        5,
        "{tried}"
    );
    assert!(!word(&tried["preview"], "description").is_empty());
    assert!(
        !tried["preview"]["dst_notes"].as_array().unwrap().is_empty(),
        "{tried}"
    );
    assert!(server.client.all("/v1/jobs").await.is_empty());
    server
        .client
        .get(&format!("/v1/jobs/{}", word(&tried, "id")))
        .await
        .refused(404, "not_found", None);
    let saved = server
        .client
        .post("/v1/jobs", &definition)
        .await
        .expect(201);
    assert_eq!(saved.header("location"), format!("/v1/jobs/{}", saved.id()));
    assert_eq!(saved.json()["preview"], tried["preview"]);
}

async fn the_next_times_are_told(engine: Engine) {
    let server = Server::new(engine).await;
    let definition = json!({
        "name": "daily", "kind": "cron", "schedule": {"expression": "0 9 * * 1", "timezone": "Asia/Tokyo"},
        "request": {"url": "https://example.com/"}
    });
    let job = server.client.job(&definition).await;
    let next = server
        .client
        .get(&format!("/v1/jobs/{job}/next?n=7"))
        .await
        .expect(200)
        .json();
    let times = next["next"].as_array().unwrap();
    assert_eq!(times.len(), 7);
    for time in times {
        assert!(
            word(time, "at").ends_with("T00:00:00.000Z") && time.to_string().contains("+09:00"),
            "{time}"
        );
    }
    let shown = server.client.get(&format!("/v1/jobs/{job}")).await.json();
    assert_eq!(shown["next_run_at"], times[0]["at"]);
}

async fn pausing_stops_and_resuming_replays_nothing(engine: Engine) {
    let (server, target) = (Server::new(engine).await, Target::agreeable().await);
    let client = &server.client;
    let job = client.job(&every_second("paused", &target)).await;
    has_run(client, &job, 2).await;
    let paused = client
        .call("POST", &format!("/v1/jobs/{job}/pause"))
        .send()
        .await
        .expect(200)
        .json();
    assert_eq!(
        (word(&paused, "state"), &paused["next_run_at"]),
        ("paused", &Value::Null)
    );
    let paused_at = word(&paused, "updated_at").to_owned();

    // Another job of the same pace tells that the time has passed.
    let clock = client.job(&every_second("clock", &target)).await;
    has_run(client, &clock, 3).await;
    let late: Vec<Value> = of_job(client, &job)
        .await
        .into_iter()
        .filter(|one| word(one, "scheduled_for") > paused_at.as_str())
        .collect();
    assert_eq!(late, Vec::<Value>::new());
    assert_eq!(
        client.run(&job).await["trigger"],
        "manual",
        "a paused job can be run by hand"
    );

    let resumed = client
        .call("POST", &format!("/v1/jobs/{job}/resume"))
        .send()
        .await
        .expect(200)
        .json();
    assert_eq!(word(&resumed, "state"), "active");
    let resumed_at = word(&resumed, "updated_at").to_owned();
    let scheduled = || async {
        let all = of_job(client, &job).await;
        all.into_iter()
            .filter(|one| {
                one["trigger"] == "schedule" && word(one, "scheduled_for") > paused_at.as_str()
            })
            .collect::<Vec<_>>()
    };
    let after = until("it runs again", || async {
        Some(scheduled().await).filter(|found| !found.is_empty())
    })
    .await;
    assert!(
        after
            .iter()
            .all(|one| word(one, "scheduled_for") > resumed_at.as_str()),
        "{resumed_at}: {after:?}"
    );
}

async fn a_deleted_job_stops_and_leaves_its_history(engine: Engine) {
    let gate = Gate::closed();
    let for_target = gate.clone();
    let target = Target::new(move |seen| match seen.path.as_str() {
        "/held" => Reply::Gate(for_target.clone(), response(200, "", b"late")),
        _ => Reply::ok("fine"),
    })
    .await;
    let server = Server::new(engine).await;
    let client = &server.client;
    let job = client
        .manual("short-lived", json!({"url": target.url("/")}))
        .await;
    let execution = client.run(&job).await;
    client.delete(&format!("/v1/jobs/{job}")).await.expect(204);
    client
        .get(&format!("/v1/jobs/{job}"))
        .await
        .refused(404, "not_found", None);
    client
        .delete(&format!("/v1/jobs/{job}"))
        .await
        .refused(404, "not_found", None);
    client
        .call("POST", &format!("/v1/jobs/{job}/run-now"))
        .send()
        .await
        .refused(404, "not_found", None);
    let kept = client.execution(word(&execution, "id")).await;
    assert_eq!(
        (word(&kept, "job_name"), word(&kept, "status")),
        ("short-lived", "succeeded")
    );
    let replay = format!("/v1/executions/{}/replay", word(&execution, "id"));
    client
        .call("POST", &replay)
        .send()
        .await
        .refused(404, "not_found", None);

    let running = client
        .manual("running", json!({"url": target.url("/held")}))
        .await;
    let execution = client.start(&running).await;
    target.wait_for(2).await;
    client
        .delete(&format!("/v1/jobs/{running}"))
        .await
        .expect(204);
    let ended = client.over(&execution).await;
    assert_eq!(ended["status"], "canceled", "{ended}");
    gate.let_through(1);
}

async fn a_one_time_job_runs_once_and_is_completed(engine: Engine) {
    let (server, target) = (Server::new(engine).await, Target::agreeable().await);
    let client = &server.client;
    let clock = client.job(&every_second("clock", &target)).await;
    let soon = word(
        &client.get(&format!("/v1/jobs/{clock}")).await.json(),
        "next_run_at",
    )
    .to_owned();
    let definition = json!({"name": "once", "kind": "one_time", "schedule": {"run_at": later(&soon)}, "request": {"url": target.url("/once")}});
    let job = client.job(&definition).await;
    has_run(client, &job, 1).await;
    has_run(client, &clock, 8).await;
    let shown = client.get(&format!("/v1/jobs/{job}")).await.json();
    assert_eq!(
        (word(&shown, "state"), &shown["next_run_at"]),
        ("completed", &Value::Null)
    );
    let all = of_job(client, &job).await;
    assert_eq!(
        (all.len(), word(&all[0], "scheduled_for")),
        (1, later(&soon).as_str())
    );
    assert_eq!(
        target
            .seen()
            .iter()
            .filter(|seen| seen.path == "/once")
            .count(),
        1
    );
}

/// A moment five seconds later.
fn later(moment: &str) -> String {
    let moment: padclock_job::Moment = moment.parse().unwrap();
    moment.plus_millis(5_000).to_string()
}

async fn an_edit_of_the_schedule_drops_what_was_due(engine: Engine) {
    let gate = Gate::closed();
    let for_target = gate.clone();
    let target =
        Target::new(move |_| Reply::Gate(for_target.clone(), response(200, "", b"at last"))).await;
    let server = Server::new(engine).await;
    let client = &server.client;
    let mut definition = every_second("queueing", &target);
    definition["overlap"] = json!("queue_all");
    let job = client.job(&definition).await;
    target.wait_for(1).await;
    let queued = || async {
        client
            .all(&format!("/v1/executions?job_id={job}&status=queued"))
            .await
    };
    until("occurrences wait", || async {
        (queued().await.len() >= 2).then_some(())
    })
    .await;
    let generation = client.get(&format!("/v1/jobs/{job}")).await.json()["generation"]
        .as_u64()
        .unwrap();
    let edited = client
        .patch(
            &format!("/v1/jobs/{job}"),
            &json!({"schedule": {"every_seconds": 3_600}}),
        )
        .await
        .expect(200)
        .json();
    assert_eq!(edited["generation"], generation + 1);
    assert!(queued().await.is_empty());
    let all = of_job(client, &job).await;
    let dropped = all
        .iter()
        .filter(|one| one["reason"] == "superseded" && one["status"] == "skipped")
        .count();
    assert!(dropped >= 2, "{all:?}");
    gate.let_through(10);
    has_run(client, &job, 1).await;
    assert_eq!(target.seen().len(), 1);
}
