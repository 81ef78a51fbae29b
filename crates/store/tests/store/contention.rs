//! Everything at once on the same few jobs: nobody is told that transactions stood in each other's way.

use std::sync::Arc;

use futures_util::future::join_all;
use padclock_job::{Definition, Moment, Overlap};
use padclock_store::{Actor, End, JobEdit, JobRow, Store, StoreError};

use crate::make::{LONG, compiled, execution_id, finished, held, hourly, node};
use crate::world::{World, on_both_engines};

on_both_engines!(claims_ends_and_edits_of_the_same_jobs_go_on_beside_each_other);

const ROUNDS: usize = 25;

async fn node_at_work(store: Arc<Store>, name: String) {
    for round in 0..ROUNDS {
        let claimed = store.claim(node(&name), 8, LONG).await.unwrap();
        let leases = claimed.iter().rev().map(held).collect();
        let ends = claimed.iter().enumerate().map(|(at, one)| {
            let end = match (at + round) % 4 {
                0 => End::Retry {
                    at: Moment::from_millis(0),
                },
                1 => End::HandBack {
                    at: Moment::from_millis(0),
                },
                _ => End::Succeeded,
            };
            finished(one, end)
        });
        let (renewed, completed) = tokio::join!(
            store.renew(leases, LONG),
            store.complete(node(&name), ends.collect())
        );
        renewed.unwrap();
        completed.unwrap();
    }
}

async fn editor_at_work(world: World, store: Arc<Store>, jobs: Arc<Vec<JobRow>>, first: usize) {
    for round in 0..ROUNDS {
        let job = &jobs[(first + round) % jobs.len()];
        let now = world.now().await;
        let same = compiled(job.id, job.created_at, job.definition.clone());
        let outcome = match round % 4 {
            0 => store
                .pause_job(world.workspace, job.id, Actor::System)
                .await
                .map(drop),
            1 => store
                .resume_job(world.workspace, job.id, same, job.revision, Actor::System)
                .await
                .map(drop),
            2 => {
                let expected = store
                    .get_job(world.workspace, job.id)
                    .await
                    .unwrap()
                    .revision;
                let change = JobEdit {
                    owner: world.owner,
                    job: same,
                    reschedule: true,
                    expected,
                };
                store
                    .edit_job(world.workspace, job.id, change, Actor::System)
                    .await
                    .map(drop)
            }
            _ => store
                .run_now(world.workspace, job.id, execution_id(now), Actor::System)
                .await
                .map(drop),
        };
        assert!(
            matches!(outcome, Ok(()) | Err(StoreError::Changed)),
            "{outcome:?}"
        );
        // Due again, one row at a time: the test itself must not stand in the way.
        let id = world.hex(job.id.bytes());
        world
            .raw(&format!(
                "UPDATE due SET run_at = {} WHERE job_id = {id}",
                now.millis() - 1
            ))
            .await;
    }
}

async fn claims_ends_and_edits_of_the_same_jobs_go_on_beside_each_other(world: World) {
    let rules = [
        Overlap::Skip,
        Overlap::QueueAll,
        Overlap::QueueOne,
        Overlap::Allow,
    ];
    let mut jobs = Vec::new();
    for number in 0..12 {
        let definition = Definition {
            overlap: rules[number % 4],
            ..hourly(&format!("job {number}"))
        };
        jobs.push(world.due_job(definition).await.0);
    }
    let jobs = Arc::new(jobs);
    let other = world.other_store().await;
    let stores = [Arc::clone(&world.store), other];
    let mut tasks = Vec::new();
    for number in 0..4 {
        let store = Arc::clone(&stores[number % 2]);
        tasks.push(tokio::spawn(node_at_work(store, format!("n{number}"))));
        let store = Arc::clone(&stores[number % 2]);
        tasks.push(tokio::spawn(editor_at_work(
            world.clone(),
            store,
            Arc::clone(&jobs),
            number,
        )));
    }
    for task in join_all(tasks).await {
        task.unwrap();
    }
    let doubled = "SELECT count(*) FROM open_executions o JOIN executions e ON e.id = o.id";
    assert_eq!(
        world.number(doubled).await,
        0,
        "nothing is both open and over"
    );
}
