//! Two nodes on one PostgreSQL: what a dead one ran the other takes over, and what a node says after its lease was taken
//! changes nothing.

use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::client::{until, word};
use crate::home::{Engine, Home, alone, beside_others};
use crate::kill::{Load, Seeded};
use crate::server::Launch;
use crate::target::{Gate, Reply, Target, response};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_other_node_takes_over() {
    alone(async {
        let mut random = Seeded::new("takeover");
        let home = Arc::new(Home::new(Engine::Postgres).await);
        let launch = |name: &str| {
            Launch::of(&home)
                .env("PADCLOCK_LEASE_TTL", "5")
                .flag("--node", name)
                .data(home.folder.join(name))
        };
        let (first, second) = (
            launch("first").start().await,
            launch("second").start().await,
        );
        let load = Load::start(&first, Duration::from_secs(18)).await;
        // One node stands still for longer than its leases last, and goes on as if nothing had been.
        second.process.signal(Signal::STOP);
        assert!(
            !first
                .process
                .ends_within(Duration::from_millis(6_000 + random.below(1_000)))
                .await
        );
        second.process.signal(Signal::CONT);
        assert!(
            !second
                .process
                .ends_within(Duration::from_millis(500 + random.below(2_000)))
                .await
        );
        first.kill().await;
        load.check(&home).await;
        let nodes = home
            .sql("SELECT DISTINCT node FROM executions ORDER BY node")
            .await;
        let both = ["first", "second"].map(|name| nodes.iter().any(|node| node.starts_with(name)));
        assert_eq!((both, nodes.len()), ([true, true], 2), "{nodes:?}");
        assert_eq!(second.stop().await.code(), Some(0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_result_changes_nothing() {
    beside_others(async {
        let home = Arc::new(Home::new(Engine::Postgres).await);
        let gate = Gate::closed();
        let for_target = gate.clone();
        let target =
            Target::new(move |_| Reply::Gate(for_target.clone(), response(200, "", b"an answer")))
                .await;
        let launch = |name: &str| {
            Launch::of(&home)
                .env("PADCLOCK_LEASE_TTL", "6")
                .flag("--node", name)
                .data(home.folder.join(name))
        };
        let first = launch("first").start().await;
        let job = first
            .client
            .manual("contended", json!({"url": target.url("/")}))
            .await;
        let execution = first.client.start(&job).await;
        target.wait_for(1).await;
        first.client.reaches(&execution, "running").await;

        let second = launch("second").start().await;
        first.process.signal(Signal::STOP);
        target.wait_for(2).await;
        let taken = second.client.reaches(&execution, "running").await;
        assert_eq!(
            (node_of(&taken), &taken["attempt_count"]),
            ("second", &json!(2)),
            "{taken}"
        );
        assert_eq!(taken["attempts"][0]["status"], "lost", "{taken}");
        // The first node gets its answer while the second still waits for its own.
        gate.let_through(1);
        first.process.signal(Signal::CONT);
        let lost = || async {
            (first.metric("padclock_attempts_total{end=\"lost\"}").await >= 1.0).then_some(())
        };
        until("the first node learns that it has lost the lease", lost).await;
        assert_eq!(first.client.execution(&execution).await, taken);

        gate.let_through(1);
        let done = second.client.over(&execution).await;
        assert_eq!(
            (
                word(&done, "status"),
                node_of(&done),
                &done["attempt_count"]
            ),
            ("succeeded", "second", &json!(2)),
            "{done}"
        );
        let ends: Vec<&str> = done["attempts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|attempt| word(attempt, "status"))
            .collect();
        assert_eq!(ends, ["lost", "succeeded"]);
        let keys: Vec<String> = target
            .seen()
            .iter()
            .map(|seen| seen.header("idempotency-key"))
            .collect();
        assert_eq!(keys, [execution.clone(), execution.clone()]);
        assert_eq!(first.stop().await.code(), Some(0));
    })
    .await;
}

/// The name that its operator gave to an execution's node; what follows it is new for each process.
fn node_of(execution: &Value) -> &str {
    let node = word(execution, "node");
    node.rsplit_once('-').map_or(node, |(name, _)| name)
}
