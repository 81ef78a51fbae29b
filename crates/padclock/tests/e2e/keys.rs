//! Keys are changed while a node works: jobs that carry a secret run each second all the while, commands and nodes are killed
//! at random moments, and each value opens after each step. No attempt may fail for want of a key.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::client::{until, word};
use crate::home::{Engine, Home, ROOT_KEY, on_both_stores};
use crate::kill::Seeded;
use crate::server::{Launch, Process, Server};
use crate::target::{Reply, Target};

const OTHER_ROOT_KEY: &str = "11aa0a5be2c94836a0d7f3561b8ec429907aa4f21c5e68d3b60f9174e8253bcb";

/// `padclock keys …`, on the installation's database; its exit code and what it said.
async fn keys(launch: &Launch, arguments: &[&str]) -> (i32, String) {
    let mut process = command(launch, arguments);
    let status = process.ended().await;
    (status.code().unwrap_or(-1), process.said())
}

fn command(launch: &Launch, arguments: &[&str]) -> Process {
    let mut command = launch.command(env!("CARGO_BIN_EXE_padclock"));
    command
        .arg("keys")
        .args(arguments)
        .arg("--data")
        .arg(launch.folder())
        .stdin(Stdio::null());
    Process::of(command.spawn().unwrap(), launch.home())
}

async fn done(launch: &Launch, arguments: &[&str]) -> String {
    let (code, said) = keys(launch, arguments).await;
    assert_eq!(code, 0, "{arguments:?}: {said}");
    said
}

/// The command's answer, up to the last brace: notes may stand around it.
async fn terms(launch: &Launch) -> Value {
    let said = done(launch, &["list", "--json"]).await;
    let (from, to) = (said.find('{').unwrap(), said.rfind('}').unwrap());
    serde_json::from_str(&said[from..=to]).unwrap()
}

fn states(terms: &Value) -> Vec<(String, String, u64)> {
    let state = |term: &Value| {
        (
            word(term, "term").to_owned(),
            word(term, "state").to_owned(),
            term["data_keys"].as_u64().unwrap(),
        )
    };
    terms["terms"]
        .as_array()
        .unwrap()
        .iter()
        .map(state)
        .collect()
}

/// Secrets, a job for each that sends it every second, and the target that knows what must arrive.
struct Load {
    secrets: Vec<(String, String)>,
    target: Target,
}

const SECRETS: usize = 12;

impl Load {
    async fn start(server: &Server) -> Self {
        let target = Target::new(|seen| match seen.header("x-expected") {
            expected
                if seen.header("authorization")
                    == format!("Bearer value-of-{expected}-0123456789") =>
            {
                Reply::ok("fine")
            }
            _ => Reply::response(403, "", b"another value"),
        })
        .await;
        let mut secrets = Vec::new();
        for number in 0..SECRETS {
            let name = format!("KEY{number}");
            let value = format!("value-of-{name}-0123456789");
            let id = server.secret(&name, &value).await;
            let headers = json!({"Authorization": format!("Bearer {{{{secret.{name}}}}}"), "X-Expected": name});
            server
                .client
                .job(&json!({"name": name, "kind": "recurring", "schedule": {"every_seconds": 1},
                    "request": {"url": target.url("/"), "headers": headers}, "retry": {"max_attempts": 1}}))
                .await;
            secrets.push((id, value));
        }
        Self { secrets, target }
    }

    /// Each value is read back, and more attempts have come through since.
    async fn holds(&self, server: &Server) {
        let before = self.target.seen().len();
        for (id, value) in &self.secrets {
            let path = format!("/v1/secrets/{id}/value");
            let read = server.client.get(&path).await.expect(200).json();
            assert_eq!(word(&read, "value"), value);
        }
        let more = || async { (self.target.seen().len() >= before + SECRETS).then_some(()) };
        until("jobs go on with their secrets", more).await;
        self.nothing_failed(server).await;
    }

    async fn nothing_failed(&self, server: &Server) {
        let failed = server.client.all("/v1/executions?status=failed").await;
        assert!(failed.is_empty(), "{failed:?}");
    }
}

async fn key_versions(server: &Server) -> Vec<String> {
    let mut found: Vec<String> = server
        .client
        .all("/v1/secrets")
        .await
        .iter()
        .map(|secret| word(secret, "key_version").to_owned())
        .collect();
    found.dedup();
    found
}

on_both_stores!(
    terms_come_and_go_under_load,
    what_was_cut_off_goes_on,
    another_root_key_takes_over_at_a_start,
    a_nodes_keys_keep_up_with_a_command_that_leaves_the_moving_to_it,
    what_can_not_be_done_is_said
);

async fn terms_come_and_go_under_load(engine: Engine) {
    let home = Arc::new(Home::new(engine).await);
    let launch = Launch::of(&home);
    let server = launch.start().await;
    let load = Load::start(&server).await;
    load.holds(&server).await;
    for term in 2..=4 {
        let said = done(&launch, &["rotate"]).await;
        assert!(said.contains(&format!("added v{term}")), "{said}");
        let all = terms(&launch).await;
        let last = states(&all).pop().unwrap();
        assert_eq!(
            (last.0.as_str(), last.1.as_str(), last.2),
            (format!("v{term}").as_str(), "current", SECRETS as u64)
        );
        assert_eq!(key_versions(&server).await, [format!("v{term}")]);
        load.holds(&server).await;
        done(&launch, &["retire", &format!("v{}", term - 1)]).await;
        load.holds(&server).await;
    }
    // A new value does not change the version that a rewrap has brought, and what was retired is not needed at a start.
    let (id, _) = &load.secrets[0];
    let value = home.plant("again", "value-of-KEY0-0123456789");
    let path = format!("/v1/secrets/{id}");
    let put = server.client.put(&path, &json!({"value": value})).await;
    assert_eq!(word(&put.expect(200).json(), "key_version"), "v4");
    server.kill().await;
    let server = launch.start().await;
    load.holds(&server).await;
    let counted = terms(&launch).await;
    for term in counted["terms"].as_array().unwrap() {
        assert!(
            term["seals_at_most"].as_u64().unwrap() >= SECRETS as u64,
            "{counted}"
        );
    }
    let audited = home
        .sql("SELECT action || ' ' || target FROM audit WHERE action LIKE 'key.%' AND actor = 'system' ORDER BY seq")
        .await;
    assert!(audited.contains(&"key.rotate v4".to_owned()), "{audited:?}");
    assert!(audited.contains(&"key.retire v3".to_owned()), "{audited:?}");
}

async fn what_was_cut_off_goes_on(engine: Engine) {
    let home = Arc::new(Home::new(engine).await);
    let launch = Launch::of(&home);
    let mut server = launch.start().await;
    let load = Load::start(&server).await;
    let mut seeded = Seeded::new("what_was_cut_off_goes_on");
    for round in 0..6 {
        let mut rotating = command(&launch, &["rotate"]);
        // Too short for some, long enough for others.
        rotating
            .ends_within(Duration::from_millis(seeded.below(120)))
            .await;
        if rotating.is_running() {
            rotating.signal(Signal::KILL);
        }
        rotating.ended().await;
        if round % 2 == 1 {
            server.kill().await;
            server = launch.start().await;
        }
        load.holds(&server).await;
    }
    done(&launch, &["rewrap"]).await;
    let all = states(&terms(&launch).await);
    let (current, older) = all.split_last().unwrap();
    assert_eq!(current.2, SECRETS as u64, "{all:?}");
    assert!(older.iter().all(|term| term.2 == 0), "{all:?}");
    for (term, ..) in older {
        done(&launch, &["retire", term]).await;
    }
    load.holds(&server).await;
}

async fn another_root_key_takes_over_at_a_start(engine: Engine) {
    let home = Arc::new(Home::new(engine).await);
    let launch = Launch::of(&home);
    home.plant("the other root key", OTHER_ROOT_KEY);
    let server = launch.start().await;
    let load = Load::start(&server).await;
    let changing = launch.clone().env("PADCLOCK_NEW_ROOT_KEY", OTHER_ROOT_KEY);
    done(&changing, &["rotate-root"]).await;
    assert_eq!(terms(&launch).await["root_key_waits"], true);
    // Until a start has proved the new one, the terms stay as they are and the old one is as good as ever.
    let (code, said) = keys(&launch, &["rotate"]).await;
    assert!(code == 1 && said.contains("waits to be proved"), "{said}");
    load.holds(&server).await;
    server.kill().await;
    let server = launch.start().await;
    load.holds(&server).await;
    // Withdrawn, and laid down again.
    done(&launch, &["rotate-root", "--abort"]).await;
    let renewed = launch.clone().env("PADCLOCK_ROOT_KEY", OTHER_ROOT_KEY);
    server.kill().await;
    let (_, said) = renewed.fails().await;
    assert!(said.contains("wrong root key"), "{said}");
    done(&changing, &["rotate-root"]).await;
    let server = renewed.start().await;
    load.holds(&server).await;
    let (_, said) = keys(&launch, &["list"]).await;
    assert!(said.contains("was replaced"), "{said}");
    done(&renewed, &["rotate"]).await;
    load.holds(&server).await;
    server.kill().await;
    let (_, said) = launch.fails().await;
    assert!(said.contains("was replaced"), "{said}");
    let server = renewed.start().await;
    load.holds(&server).await;
}

async fn a_nodes_keys_keep_up_with_a_command_that_leaves_the_moving_to_it(engine: Engine) {
    let home = Arc::new(Home::new(engine).await);
    let launch = Launch::of(&home);
    let server = launch.start().await;
    let load = Load::start(&server).await;
    done(&launch, &["rotate", "--no-rewrap"]).await;
    let moved = || async { (key_versions(&server).await == ["v2"]).then_some(()) };
    until("the node has moved the data keys", moved).await;
    let known = || async { (server.metric("padclock_key_term").await == 2.0).then_some(()) };
    until("the node tells of the term", known).await;
    assert!(server.metric("padclock_data_keys_rewrapped_total").await >= SECRETS as f64);
    let recorded = || async {
        let found = home
            .sql("SELECT detail FROM audit WHERE action = 'key.rewrap'")
            .await;
        (!found.is_empty()).then_some(())
    };
    until("the round is recorded", recorded).await;
    done(&launch, &["retire", "v1"]).await;
    load.holds(&server).await;
}

async fn what_can_not_be_done_is_said(engine: Engine) {
    let home = Arc::new(Home::new(engine).await);
    let launch = Launch::of(&home);
    let (code, said) = keys(&launch, &["list"]).await;
    let refused = ["padclock.db can't be used", "no node has started"];
    let told = refused.iter().any(|words| said.contains(words));
    assert!(code == 1 && told, "{said}");
    let server = launch.start().await;
    server.secret("HELD", "a-value-under-the-first-term").await;
    let other = launch.clone().env("PADCLOCK_ROOT_KEY", OTHER_ROOT_KEY);
    let same = launch.clone().env("PADCLOCK_NEW_ROOT_KEY", ROOT_KEY);
    home.plant("the other root key", OTHER_ROOT_KEY);
    for (launch, arguments, words) in [
        (&launch, &["retire", "v1"][..], "is the current term"),
        (&launch, &["retire", "v7"], "there is no term v7"),
        (&launch, &["rotate-root", "--abort"], "no root key waits"),
        (&launch, &["rotate-root"], "--new-root-key-file"),
        (
            &launch,
            &["rotate-root", "--generate"],
            "make the new key where",
        ),
        (&same, &["rotate-root"], "is the present one"),
        (&other, &["list"], "wrong root key"),
    ] {
        let (code, said) = keys(launch, arguments).await;
        assert!(code == 1 && said.contains(words), "{arguments:?}: {said}");
    }
    drop(server);
    done(&launch, &["rotate", "--no-rewrap"]).await;
    let (code, said) = keys(&launch, &["retire", "v1"]).await;
    assert!(
        code == 1 && said.contains("still wraps 1 data keys"),
        "{said}"
    );
}
