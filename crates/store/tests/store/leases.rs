//! Leases: renewed, lost, handed back, taken over; attempts after the first.

use std::time::Duration;

use padclock_api::{AttemptStatus, Status};
use padclock_job::{Definition, Moment, RetrySpec};
use padclock_store::{Claimed, End, HeldLease, Revocation};

use crate::make::{LONG, held, hourly, node};
use crate::world::{World, on_both_engines};

on_both_engines!(
    a_retry_is_the_next_attempt,
    a_lost_lease_is_taken_by_another_node,
    a_lease_lost_too_often_ends_the_execution,
    what_is_handed_back_keeps_its_number,
    a_lease_is_renewed,
    renewing_and_completing_at_once_never_stand_in_each_others_way,
);

async fn claim_of(world: &World, name: &str, ttl: Duration) -> Claimed {
    let mut claimed = world.store.claim(node(name), 10, ttl).await.unwrap();
    assert_eq!(claimed.len(), 1);
    claimed.remove(0)
}

async fn a_retry_is_the_next_attempt(world: World) {
    world.due_job(hourly("sync")).await;
    let first = world.claim_one().await;
    let later = world.now().await.plus_millis(60_000);
    assert!(world.finish(&first, End::Retry { at: later }).await);
    assert!(world.claim(10).await.is_empty());
    world.raw("UPDATE open_executions SET wake_at = 0").await;
    let second = world.claim_one().await;
    assert_eq!(
        (second.execution, second.attempt, second.fence),
        (first.execution, 2, 2)
    );
    assert_eq!(
        (second.started_at, second.scheduled_for),
        (first.started_at, first.scheduled_for)
    );
    assert_eq!(second.next_due, first.next_due);
    assert!(
        world
            .finish(
                &second,
                End::Retry {
                    at: Moment::from_millis(0)
                }
            )
            .await
    );
    let third = world.claim_one().await;
    assert!(world.finish(&third, End::Succeeded).await);
    let done = world
        .store
        .get_execution(world.workspace, first.execution)
        .await
        .unwrap();
    assert_eq!((done.status, done.attempt_count), (Status::Succeeded, 3));
    let numbers: Vec<_> = done
        .attempts
        .unwrap()
        .iter()
        .map(|attempt| attempt.number)
        .collect();
    assert_eq!(numbers, [1, 2, 3]);
}

async fn a_lost_lease_is_taken_by_another_node(world: World) {
    world.due_job(hourly("sync")).await;
    let dead = claim_of(&world, "dead", Duration::ZERO).await;
    let heir = claim_of(&world, "heir", LONG).await;
    assert_eq!(
        (heir.execution, heir.fence, heir.attempt),
        (dead.execution, dead.fence + 1, 2)
    );
    assert_eq!(
        world.store.renew(vec![held(&dead)], LONG).await.unwrap(),
        [(held(&dead), Revocation::Lost)]
    );

    assert!(
        !world.finish(&dead, End::Succeeded).await,
        "a late result changes nothing"
    );
    let still = world
        .store
        .get_execution(world.workspace, heir.execution)
        .await
        .unwrap();
    assert_eq!(
        (still.status, still.node.as_deref()),
        (Status::Running, Some("heir"))
    );
    let late = world
        .raw("SELECT actor, target, detail FROM audit WHERE action = 'execution.late_result'")
        .await;
    assert_eq!(late.len(), 1);
    assert_eq!(late[0][0].as_deref(), Some("node n1"));
    assert_eq!(
        late[0][1].as_deref(),
        Some(dead.execution.to_string().as_str())
    );

    assert!(world.finish(&heir, End::Succeeded).await);
    let done = world
        .store
        .get_execution(world.workspace, heir.execution)
        .await
        .unwrap();
    let attempts = done.attempts.unwrap();
    assert_eq!(
        attempts.iter().map(|one| one.status).collect::<Vec<_>>(),
        [AttemptStatus::Lost, AttemptStatus::Succeeded]
    );
    assert!(attempts[0].error.as_ref().unwrap().message.contains("dead"));
    assert!(
        !world.finish(&heir, End::Succeeded).await,
        "twice is late, too"
    );
}

async fn a_lease_lost_too_often_ends_the_execution(world: World) {
    let once = Definition {
        retry: RetrySpec {
            max_attempts: 1,
            ..RetrySpec::default()
        },
        ..hourly("sync")
    };
    world.due_job(once).await;
    let first = claim_of(&world, "dying", Duration::ZERO).await;
    let mut attempts = 1;
    while !world
        .store
        .claim(node("dying"), 10, Duration::ZERO)
        .await
        .unwrap()
        .is_empty()
    {
        attempts += 1;
        assert!(attempts < 20, "an execution that kills its nodes must end");
    }
    let done = world
        .store
        .get_execution(world.workspace, first.execution)
        .await
        .unwrap();
    assert_eq!(
        (done.status, done.reason.as_deref()),
        (Status::Lost, Some("lease_lost"))
    );
    let tried = done.attempts.unwrap();
    assert_eq!(tried.len(), attempts);
    assert!(tried.iter().all(|one| one.status == AttemptStatus::Lost));
}

async fn what_is_handed_back_keeps_its_number(world: World) {
    world.due_job(hourly("sync")).await;
    let first = world.claim_one().await;
    let later = world.now().await.plus_millis(60_000);
    assert!(world.finish(&first, End::HandBack { at: later }).await);
    assert!(world.claim(10).await.is_empty(), "not before its time");
    world.raw("UPDATE open_executions SET wake_at = 0").await;
    let first = claim_of(&world, "n1", LONG).await;
    assert_eq!((first.attempt, first.fence), (1, 2));
    assert!(
        world
            .finish(
                &first,
                End::HandBack {
                    at: Moment::from_millis(0)
                }
            )
            .await
    );
    let queued = world
        .store
        .get_execution(world.workspace, first.execution)
        .await
        .unwrap();
    assert_eq!((queued.status, queued.attempt_count), (Status::Queued, 0));
    assert!(!world.finish(&first, End::Succeeded).await);
    let second = claim_of(&world, "n2", LONG).await;
    assert_eq!(
        (second.execution, second.attempt, second.fence),
        (first.execution, 1, 3)
    );
    assert!(world.finish(&second, End::Succeeded).await);
}

async fn a_lease_is_renewed(world: World) {
    world.due_job(hourly("sync")).await;
    let claimed = claim_of(&world, "n1", Duration::ZERO).await;
    assert!(
        world
            .store
            .renew(vec![held(&claimed)], LONG)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(world.claim(10).await.is_empty());
    let forged = HeldLease {
        fence: 7,
        ..held(&claimed)
    };
    assert_eq!(
        world.store.renew(vec![forged], LONG).await.unwrap(),
        [(forged, Revocation::Lost)]
    );
    assert!(
        world
            .store
            .renew(Vec::new(), LONG)
            .await
            .unwrap()
            .is_empty()
    );
    world.store.take_over().await.unwrap();
    assert_eq!(world.claim_one().await.attempt, 2);
}

async fn renewing_and_completing_at_once_never_stand_in_each_others_way(world: World) {
    for number in 0..40 {
        world.due_job(hourly(&format!("job {number}"))).await;
    }
    let claimed = world.claim(100).await;
    assert_eq!(claimed.len(), 40);
    let leases: Vec<_> = claimed.iter().map(held).collect();
    let renewing = async {
        let mut revoked = Vec::new();
        for _ in 0..20 {
            revoked.extend(
                world
                    .store
                    .renew(leases.iter().rev().copied().collect(), LONG)
                    .await
                    .unwrap(),
            );
        }
        revoked
    };
    let completing = async {
        for half in claimed.chunks(20) {
            let done = half
                .iter()
                .map(|one| crate::make::finished(one, End::Succeeded))
                .collect();
            let accepted = world.store.complete(node("n1"), done).await.unwrap();
            assert!(accepted.iter().all(|accepted| *accepted));
        }
    };
    let (revoked, ()) = tokio::join!(renewing, completing);
    assert!(revoked.iter().all(|(_, why)| *why == Revocation::Lost));
    assert_eq!(
        world
            .number("SELECT count(*) FROM executions WHERE status = 'succeeded'")
            .await,
        40
    );
}
