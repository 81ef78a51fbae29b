//! Retention: by age and by count, and the newest always stays.

use padclock_api::{ExecutionId, JobId};
use padclock_store::{ExecutionFilter, Retention};

use crate::make::hourly;
use crate::world::{World, on_both_engines};

on_both_engines!(
    old_ones_go_and_the_newest_stays,
    each_job_keeps_so_many,
    a_round_comes_to_its_end
);

const DAY: i64 = 86_400_000;

/// Rows of history of a job, each so many days old.
async fn history(world: &World, job: JobId, ages: impl IntoIterator<Item = i64>) {
    let now = world.now().await.millis();
    let (workspace, id) = (world.hex(world.workspace.bytes()), world.hex(job.bytes()));
    let row = |age: i64| {
        let at = now - age * DAY - 1;
        let execution = world.hex(ExecutionId::of_occurrence(job, 1, at).bytes());
        format!(
            "({workspace}, {execution}, {id}, 1, 'schedule', 'succeeded', {at}, {at}, {at}, 1, 'sync')"
        )
    };
    let rows: Vec<String> = ages.into_iter().map(row).collect();
    world
        .raw(&format!(
            "INSERT INTO executions (workspace_id, id, job_id, generation, cause, status, scheduled_for, started_at, finished_at,
               attempt_count, job_name) VALUES {}",
            rows.join(", ")
        ))
        .await;
}

/// The ages, in days, of what is kept of a job, youngest first.
async fn kept(world: &World, job: JobId) -> Vec<i64> {
    let now = world.now().await.millis();
    let filter = ExecutionFilter {
        job: Some(job),
        ..ExecutionFilter::default()
    };
    let left = world
        .store
        .list_executions(world.workspace, filter, 1_000)
        .await
        .unwrap();
    left.iter()
        .map(|one| (now - one.scheduled_for.millis()) / DAY)
        .collect()
}

async fn prune(world: &World, retention: Retention) -> usize {
    let (mut after, mut deleted) = (None, 0);
    loop {
        let (next, count) = world.store.prune(retention, after).await.unwrap();
        deleted += count;
        if next.is_none() {
            return deleted;
        }
        after = next;
    }
}

async fn old_ones_go_and_the_newest_stays(world: World) {
    let (busy, idle) = (
        world.job(hourly("busy")).await.id,
        world.job(hourly("idle")).await.id,
    );
    history(&world, busy, [0, 1, 29, 31, 40]).await;
    history(&world, idle, [50, 60, 70]).await;
    assert_eq!(prune(&world, Retention::default()).await, 4);
    assert_eq!(kept(&world, busy).await, [0, 1, 29]);
    assert_eq!(kept(&world, idle).await, [50]);
    assert_eq!(prune(&world, Retention::default()).await, 0);
}

async fn each_job_keeps_so_many(world: World) {
    let (many, few) = (
        world.job(hourly("many")).await.id,
        world.job(hourly("few")).await.id,
    );
    history(&world, many, 0..20).await;
    history(&world, few, [3, 45]).await;
    assert_eq!(
        prune(
            &world,
            Retention {
                days: 30,
                per_job: 4
            }
        )
        .await,
        17
    );
    assert_eq!(kept(&world, many).await, [0, 1, 2, 3]);
    assert_eq!(kept(&world, few).await, [3]);
}

async fn a_round_comes_to_its_end(world: World) {
    assert_eq!(
        world.store.prune(Retention::default(), None).await.unwrap(),
        (None, 0)
    );
    let job = world.job(hourly("sync")).await.id;
    history(&world, job, 0..450).await;
    // Small steps: a round deletes no more than two hundred rows of a job.
    assert_eq!(
        prune(
            &world,
            Retention {
                days: 1_000,
                per_job: 10
            }
        )
        .await,
        200
    );
    assert_eq!(
        prune(
            &world,
            Retention {
                days: 1_000,
                per_job: 10
            }
        )
        .await,
        200
    );
    assert_eq!(
        prune(
            &world,
            Retention {
                days: 1_000,
                per_job: 10
            }
        )
        .await,
        40
    );
    assert_eq!(kept(&world, job).await, (0..10).collect::<Vec<_>>());
}
