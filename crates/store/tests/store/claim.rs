//! Claims: each occurrence once, in order, whoever claims.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::join_all;
use padclock_api::{ExecutionId, Trigger};
use padclock_job::{Definition, Moment, Overlap};
use padclock_store::{Actor, Claimed, End, Store};
use padclock_template::RequestSpec;

use crate::make::{HOUR, LONG, execution_id, finished, hourly, new_job, node};
use crate::world::{Engine, World, on_both_engines};

on_both_engines!(
    a_due_job_is_claimed_and_moves_on,
    each_occurrence_is_claimed_once,
    the_oldest_come_first_and_no_more_than_wanted,
    an_occurrence_that_is_open_or_over_never_starts_again,
    nothing_is_claimed_before_its_time,
    the_next_wake_is_the_earliest_row,
    what_waits_and_what_is_due_share_a_claim,
    the_start_of_the_run_before_is_told,
    a_job_that_cannot_be_read_is_left_alone,
);

async fn a_due_job_is_claimed_and_moves_on(world: World) {
    let (job, at) = world.due_job(hourly("sync")).await;
    let before = world.now().await;
    let claimed = world.claim_one().await;
    assert_eq!(
        (claimed.job_id, claimed.workspace, claimed.scheduled_for),
        (job.id, world.workspace, at)
    );
    assert_eq!(
        claimed.execution,
        ExecutionId::of_occurrence(job.id, 1, at.millis())
    );
    assert_eq!(
        (claimed.trigger, claimed.attempt, claimed.fence),
        (Trigger::Schedule, 1, 1)
    );
    assert_eq!(
        (&*claimed.workspace_name, claimed.last_run),
        ("default", None)
    );
    assert!(claimed.now >= before && claimed.started_at == claimed.now);
    let due = world
        .store
        .get_job(world.workspace, job.id)
        .await
        .unwrap()
        .due
        .unwrap();
    assert_eq!(due.scheduled_for, job.created_at.plus_millis(HOUR));
    assert_eq!(claimed.next_due, Some(due.run_at));
    assert!(world.claim(10).await.is_empty());
}

async fn many(world: &World, count: usize, definition: impl Fn(usize) -> Definition) {
    let now = world.now().await;
    let made = (0..count).map(|number| {
        world
            .store
            .create_job(new_job(world, now, definition(number)), Actor::System)
    });
    for job in join_all(made).await {
        job.unwrap();
    }
    let at = now.millis() - 1_000;
    world
        .raw(&format!(
            "UPDATE due SET run_at = {at}, scheduled_for = {at}"
        ))
        .await;
}

async fn drain(store: Arc<Store>, name: String) -> Vec<Claimed> {
    let mut all = Vec::new();
    let mut empty = 0;
    // A claim may find every row locked by the others: only several in a row mean the end.
    while empty < 5 {
        let claimed = store.claim(node(&name), 17, LONG).await.unwrap();
        empty = if claimed.is_empty() { empty + 1 } else { 0 };
        let done = claimed
            .iter()
            .map(|one| finished(one, End::Succeeded))
            .collect();
        let accepted = store.complete(node(&name), done).await.unwrap();
        assert!(accepted.iter().all(|accepted| *accepted));
        all.extend(claimed);
    }
    all
}

async fn each_occurrence_is_claimed_once(world: World) {
    const JOBS: usize = 400;
    let rules = [Overlap::Allow, Overlap::Skip, Overlap::QueueAll];
    many(&world, JOBS, |number| Definition {
        overlap: rules[number % 3],
        ..hourly(&format!("job {number}"))
    })
    .await;
    let mut stores = vec![Arc::clone(&world.store)];
    if world.engine == Engine::Postgres {
        stores.push(world.other_store().await);
    }
    let claimers = (0..8).map(|number| {
        let store = Arc::clone(&stores[number % stores.len()]);
        tokio::spawn(drain(store, format!("n{number}")))
    });
    let claimed: Vec<Claimed> = join_all(claimers)
        .await
        .into_iter()
        .flat_map(Result::unwrap)
        .collect();
    let distinct: BTreeSet<_> = claimed.iter().map(|one| one.execution).collect();
    assert_eq!((claimed.len(), distinct.len()), (JOBS, JOBS));
    assert_eq!(
        world
            .number("SELECT count(*) FROM executions WHERE status = 'succeeded'")
            .await,
        JOBS as i64
    );
    assert_eq!(
        world.number("SELECT count(*) FROM open_executions").await,
        0
    );
}

async fn the_oldest_come_first_and_no_more_than_wanted(world: World) {
    let mut expected = Vec::new();
    let now = world.now().await;
    for age in [3, 1, 5, 2, 4] {
        let job = world.job(hourly(&format!("{age} s late"))).await;
        world.due_at(job.id, now.plus_millis(-1_000 * age)).await;
        expected.push((std::cmp::Reverse(age), job.id));
    }
    expected.sort();
    let mut seen = Vec::new();
    for want in [2, 2, 2] {
        let claimed = world.claim(want).await;
        assert!(claimed.len() <= want);
        seen.extend(claimed.iter().map(|one| one.job_id));
    }
    assert_eq!(seen, expected.iter().map(|(_, id)| *id).collect::<Vec<_>>());
    assert!(world.claim(0).await.is_empty());
}

async fn an_occurrence_that_is_open_or_over_never_starts_again(world: World) {
    for rule in [
        Overlap::Allow,
        Overlap::CancelPrevious,
        Overlap::QueueAll,
        Overlap::QueueOne,
        Overlap::Skip,
    ] {
        let definition = Definition {
            overlap: rule,
            ..hourly(&format!("{rule:?}"))
        };
        let (job, at) = world.due_job(definition).await;
        let claimed = world.claim_one().await;
        world.due_at(job.id, at).await;
        assert!(world.claim(10).await.is_empty(), "open, {rule:?}");
        let open = world
            .store
            .get_execution(world.workspace, claimed.execution)
            .await
            .unwrap();
        assert!(!open.status.is_final(), "{rule:?}");
        assert!(world.finish(&claimed, End::Succeeded).await, "{rule:?}");
        world.due_at(job.id, at).await;
        assert!(world.claim(10).await.is_empty(), "over, {rule:?}");
        let done = world
            .store
            .get_execution(world.workspace, claimed.execution)
            .await
            .unwrap();
        assert_eq!(done.status, padclock_api::Status::Succeeded, "{rule:?}");
        let due = world
            .store
            .get_job(world.workspace, job.id)
            .await
            .unwrap()
            .due
            .unwrap();
        assert!(due.run_at > at, "the due row moved on, {rule:?}");
    }
    assert_eq!(
        world.number("SELECT count(*) FROM open_executions").await,
        0
    );
}

async fn nothing_is_claimed_before_its_time(world: World) {
    let job = world.job(hourly("sync")).await;
    world
        .due_at(job.id, world.now().await.plus_millis(60_000))
        .await;
    assert!(world.claim(10).await.is_empty());
}

async fn the_next_wake_is_the_earliest_row(world: World) {
    let (now, none) = world.store.next_wake().await.unwrap();
    assert_eq!(none, None);
    let job = world.job(hourly("sync")).await;
    let later = now.plus_millis(60_000);
    world.due_at(job.id, later).await;
    assert_eq!(world.store.next_wake().await.unwrap().1, Some(later));
    let id = execution_id(now);
    world
        .store
        .run_now(world.workspace, job.id, id, Actor::System)
        .await
        .unwrap();
    let (now, earliest) = world.store.next_wake().await.unwrap();
    assert!(earliest.unwrap() <= now);
}

async fn what_waits_and_what_is_due_share_a_claim(world: World) {
    many(&world, 6, |number| hourly(&format!("job {number}"))).await;
    let other = world.job(hourly("by hand")).await;
    for _ in 0..6 {
        let id = execution_id(world.now().await);
        world
            .store
            .run_now(world.workspace, other.id, id, Actor::System)
            .await
            .unwrap();
    }
    let claimed = world.claim(4).await;
    let by_hand = claimed
        .iter()
        .filter(|one| one.trigger == Trigger::Manual)
        .count();
    assert_eq!((claimed.len(), by_hand), (4, 2));
    assert_eq!(world.claim(100).await.len(), 8);
}

async fn the_start_of_the_run_before_is_told(world: World) {
    let mut definition = Definition {
        overlap: Overlap::Allow,
        ..hourly("sync")
    };
    definition.request = Some(RequestSpec::get("https://example.com/?since={{last_run}}"));
    let (job, at) = world.due_job(definition).await;
    let first = world.claim_one().await;
    assert_eq!(first.last_run, None);
    world.due_at(job.id, at.plus_millis(10)).await;
    let second = world.claim_one().await;
    assert_eq!(second.last_run, Some(first.started_at), "of an open one");
    assert!(world.finish(&first, End::Succeeded).await);
    assert!(world.finish(&second, End::Succeeded).await);
    world.due_at(job.id, at.plus_millis(20)).await;
    assert_eq!(
        world.claim_one().await.last_run,
        Some(second.started_at),
        "of one that is over"
    );
}

async fn a_job_that_cannot_be_read_is_left_alone(world: World) {
    let (broken, _) = world.due_job(hourly("broken")).await;
    let id = execution_id(world.now().await);
    world
        .store
        .run_now(world.workspace, broken.id, id, Actor::System)
        .await
        .unwrap();
    world
        .raw("UPDATE jobs SET definition = '{\"name\":\"from the future\",\"kind\":\"lunar\"}'")
        .await;
    let (sound, _) = world.due_job(hourly("sound")).await;
    assert_eq!(world.claim_one().await.job_id, sound.id);
    assert!(world.claim(10).await.is_empty());
    let (now, _) = world.store.next_wake().await.unwrap();
    let soon = world.number("SELECT min(run_at) FROM due").await;
    assert!(Moment::from_millis(soon) > now);
    assert_eq!(
        world
            .number("SELECT count(*) FROM open_executions WHERE status = 'queued'")
            .await,
        1
    );
}
