//! An end that was asked for and accepted comes, whatever happens to the attempt in between.

use padclock_api::{AttemptStatus, Status};
use padclock_job::{Definition, Moment, Overlap};
use padclock_store::{Actor, Claimed, End};

use crate::make::{LONG, finished, hourly, node};
use crate::world::{World, on_both_engines};

on_both_engines!(
    what_is_retried_in_spite_of_it_ends,
    what_is_handed_back_in_spite_of_it_ends,
    what_was_lost_in_spite_of_it_ends,
    what_is_ending_stands_in_nobodys_way,
);

async fn asked_to_stop(world: &World) -> Claimed {
    world.due_job(hourly("sync")).await;
    let claimed = world.claim_one().await;
    let asked = world
        .store
        .cancel(world.workspace, claimed.execution, Actor::System)
        .await
        .unwrap();
    assert_eq!(asked.status, Status::Running);
    claimed
}

async fn ended(world: &World, claimed: &Claimed, attempts: &[AttemptStatus]) {
    assert!(world.claim(10).await.is_empty(), "it is not resumed");
    let found = world
        .store
        .get_execution(world.workspace, claimed.execution)
        .await
        .unwrap();
    assert_eq!(
        (found.status, found.reason.as_deref()),
        (Status::Canceled, Some("canceled"))
    );
    let made: Vec<_> = found
        .attempts
        .unwrap()
        .iter()
        .map(|one| one.status)
        .collect();
    assert_eq!(made, attempts);
}

async fn what_is_retried_in_spite_of_it_ends(world: World) {
    let claimed = asked_to_stop(&world).await;
    let at = world.now().await.plus_millis(3_600_000);
    assert!(world.finish(&claimed, End::Retry { at }).await);
    // At once: nobody waits an hour for the end that was asked for.
    ended(&world, &claimed, &[AttemptStatus::Failed]).await;
}

async fn what_is_handed_back_in_spite_of_it_ends(world: World) {
    let claimed = asked_to_stop(&world).await;
    let at = world.now().await.plus_millis(3_600_000);
    assert!(world.finish(&claimed, End::HandBack { at }).await);
    ended(&world, &claimed, &[]).await;
}

async fn what_was_lost_in_spite_of_it_ends(world: World) {
    let claimed = asked_to_stop(&world).await;
    world.store.take_over().await.unwrap();
    ended(&world, &claimed, &[AttemptStatus::Lost]).await;
}

async fn what_is_ending_stands_in_nobodys_way(world: World) {
    let definition = Definition {
        overlap: Overlap::Skip,
        ..hourly("sync")
    };
    let (job, at) = world.due_job(definition).await;
    let first = world.claim_one().await;
    world
        .store
        .cancel(world.workspace, first.execution, Actor::System)
        .await
        .unwrap();
    let retry = End::Retry {
        at: Moment::from_millis(0),
    };
    let accepted = world
        .store
        .complete(node("n1"), vec![finished(&first, retry)])
        .await
        .unwrap();
    assert_eq!(accepted, [true]);
    world.due_at(job.id, at.plus_millis(1)).await;
    let next = world.store.claim(node("n1"), 10, LONG).await.unwrap();
    assert_eq!(next.len(), 1, "the next occurrence runs");
    assert_ne!(next[0].execution, first.execution);
}
