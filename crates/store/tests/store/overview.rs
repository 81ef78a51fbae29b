//! Answers about much history at once.

use padclock_api::{ExecutionId, Status};
use padclock_store::{End, ExecutionFilter};

use crate::executions::run_now;
use crate::make::hourly;
use crate::world::{World, on_both_engines};

on_both_engines!(
    what_did_not_start_hides_no_earlier_start,
    failures_are_found_among_much_else,
);

async fn what_did_not_start_hides_no_earlier_start(world: World) {
    let (ran, at) = world.due_job(hourly("ran")).await;
    let claimed = world.claim_one().await;
    let last = async || {
        let jobs = vec![ran.id];
        world.store.last_started(jobs).await.unwrap()
    };
    assert_eq!(
        last().await,
        [(ran.id, claimed.started_at)],
        "while it runs"
    );
    assert!(world.finish(&claimed, End::Succeeded).await);
    assert_eq!(last().await, [(ran.id, claimed.started_at)]);
    // A newer one that was skipped, and one that is queued.
    let (job, workspace) = (
        world.hex(ran.id.bytes()),
        world.hex(world.workspace.bytes()),
    );
    let newer = ExecutionId::of_occurrence(ran.id, 1, at.millis() + 1);
    world
        .raw(&format!(
            "INSERT INTO executions (workspace_id, id, job_id, generation, cause, status, scheduled_for, finished_at, attempt_count, job_name)
             VALUES ({workspace}, {}, {job}, 1, 'schedule', 'skipped', 1, 1, 0, 'ran')",
            world.hex(newer.bytes())
        ))
        .await;
    run_now(&world, ran.id).await;
    assert_eq!(last().await, [(ran.id, claimed.started_at)]);
    let never = world.job(hourly("never")).await;
    let again = world.claim_one().await;
    let jobs = vec![never.id, ran.id];
    assert_eq!(
        world.store.last_started(jobs).await.unwrap(),
        [(ran.id, again.started_at)]
    );
    assert!(
        world
            .store
            .last_started(Vec::new())
            .await
            .unwrap()
            .is_empty()
    );
}

async fn failures_are_found_among_much_else(world: World) {
    let job = world.job(hourly("sync")).await;
    let (id, workspace) = (
        world.hex(job.id.bytes()),
        world.hex(world.workspace.bytes()),
    );
    let mut expected = Vec::new();
    let mut rows = Vec::new();
    for number in 0..300 {
        let execution = ExecutionId::of_occurrence(job.id, 1, 1_000 + number);
        let status = match number % 100 {
            7 => "failed",
            50 => "lost",
            _ => "succeeded",
        };
        if status != "succeeded" {
            expected.push((status, execution));
        }
        let bytes = world.hex(execution.bytes());
        rows.push(format!(
            "({workspace}, {bytes}, {id}, 1, 'schedule', '{status}', 1, 1, 1, 'sync')"
        ));
    }
    world
        .raw(&format!(
            "INSERT INTO executions (workspace_id, id, job_id, generation, cause, status, scheduled_for, finished_at, attempt_count, job_name)
             VALUES {}",
            rows.join(", ")
        ))
        .await;
    expected.reverse();
    for status in [Status::Failed, Status::Lost] {
        let filter = ExecutionFilter {
            status: Some(status),
            ..ExecutionFilter::default()
        };
        let list = world.store.list_executions(world.workspace, filter, 2);
        let found: Vec<_> = list.await.unwrap().iter().map(|one| one.id).collect();
        let wanted = expected.iter().filter(|(word, _)| *word == status.word());
        let wanted: Vec<_> = wanted.map(|(_, id)| *id).take(2).collect();
        assert_eq!(found, wanted, "{status:?}");
    }
}
