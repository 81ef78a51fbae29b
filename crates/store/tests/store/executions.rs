//! Executions as people see and ask for them.

use padclock_api::{ExecutionId, Status, Trigger};
use padclock_job::Moment;
use padclock_store::{Actor, End, ExecutionFilter, StoreError};

use crate::make::{LONG, execution_id, held, hourly};
use crate::world::{World, on_both_engines};

on_both_engines!(
    a_run_by_hand_is_queued_and_claimed,
    a_replay_stands_for_the_same_time,
    what_does_not_run_is_cancelled_at_once,
    what_runs_is_asked_to_stop,
    lists_span_what_is_open_and_history,
    lists_are_filtered,
    the_newest_of_each_job_is_found,
    another_workspaces_execution_is_not_found,
);

pub(crate) async fn run_now(world: &World, job: padclock_api::JobId) -> ExecutionId {
    let id = execution_id(world.now().await);
    let made = world
        .store
        .run_now(world.workspace, job, id, Actor::System)
        .await
        .unwrap();
    assert_eq!(
        (made.id, made.status, made.trigger),
        (id, Status::Queued, Trigger::Manual)
    );
    id
}

async fn a_run_by_hand_is_queued_and_claimed(world: World) {
    let job = world.job(hourly("sync")).await;
    let before = world.now().await;
    let id = run_now(&world, job.id).await;
    let claimed = world.claim_one().await;
    assert_eq!(
        (
            claimed.execution,
            claimed.trigger,
            claimed.attempt,
            claimed.fence
        ),
        (id, Trigger::Manual, 1, 1)
    );
    assert!(claimed.scheduled_for >= before && claimed.started_at >= claimed.scheduled_for);
    assert_eq!(claimed.next_due, None);
    assert!(world.finish(&claimed, End::Succeeded).await);
    let done = world
        .store
        .get_execution(world.workspace, id)
        .await
        .unwrap();
    assert_eq!(
        (done.status, done.trigger, done.attempt_count),
        (Status::Succeeded, Trigger::Manual, 1)
    );
    assert_eq!(
        (done.job_name.as_str(), done.node.as_deref()),
        ("sync", Some("n1"))
    );
    assert_eq!(done.attempts.unwrap().len(), 1);
    assert!(done.duration_ms.is_some());
    let after = world.store.get_job(world.workspace, job.id).await.unwrap();
    assert_eq!(after.due, job.due);
}

async fn a_replay_stands_for_the_same_time(world: World) {
    let (_, at) = world.due_job(hourly("sync")).await;
    let first = world.claim_one().await;
    assert!(
        world
            .finish(
                &first,
                End::Failed {
                    reason: "status".to_owned()
                }
            )
            .await
    );
    let id = execution_id(world.now().await);
    let replay = world
        .store
        .replay(world.workspace, first.execution, id, Actor::System)
        .await
        .unwrap();
    assert_eq!(
        (replay.scheduled_for, replay.replay_of),
        (at, Some(first.execution))
    );
    assert_eq!(
        (replay.trigger, replay.status),
        (Trigger::Replay, Status::Queued)
    );
    let claimed = world.claim_one().await;
    assert_eq!((claimed.execution, claimed.scheduled_for), (id, at));
    assert!(world.finish(&claimed, End::Succeeded).await);
    let done = world
        .store
        .get_execution(world.workspace, id)
        .await
        .unwrap();
    assert_eq!(
        (done.replay_of, done.scheduled_for),
        (Some(first.execution), at)
    );
    let missing = world
        .store
        .replay(world.workspace, execution_id(at), id, Actor::System)
        .await;
    assert_eq!(missing.unwrap_err(), StoreError::NotFound);
    assert_eq!(
        world
            .number("SELECT count(*) FROM audit WHERE action = 'execution.replay'")
            .await,
        1
    );
}

async fn what_does_not_run_is_cancelled_at_once(world: World) {
    let job = world.job(hourly("sync")).await;
    let queued = run_now(&world, job.id).await;
    let cancelled = world
        .store
        .cancel(world.workspace, queued, Actor::System)
        .await
        .unwrap();
    assert_eq!(
        (cancelled.status, cancelled.reason.as_deref()),
        (Status::Canceled, Some("canceled"))
    );
    assert!(world.claim(10).await.is_empty());

    let waiting = run_now(&world, job.id).await;
    let claimed = world.claim_one().await;
    let later = world.now().await.plus_millis(60_000);
    assert!(world.finish(&claimed, End::Retry { at: later }).await);
    let before = world
        .store
        .get_execution(world.workspace, waiting)
        .await
        .unwrap();
    assert_eq!(
        (before.status, before.next_attempt_at),
        (Status::Waiting, Some(later))
    );
    let cancelled = world
        .store
        .cancel(world.workspace, waiting, Actor::System)
        .await
        .unwrap();
    assert_eq!(cancelled.status, Status::Canceled);
    assert_eq!(
        cancelled.attempts.unwrap().len(),
        1,
        "the attempt it had made stays"
    );

    let again = world
        .store
        .cancel(world.workspace, waiting, Actor::System)
        .await;
    assert!(matches!(again, Err(StoreError::Conflict(_))));
    let never = world
        .store
        .cancel(world.workspace, execution_id(later), Actor::System)
        .await;
    assert_eq!(never.unwrap_err(), StoreError::NotFound);
    assert_eq!(
        world
            .number("SELECT count(*) FROM audit WHERE action = 'execution.cancel'")
            .await,
        2
    );
}

async fn what_runs_is_asked_to_stop(world: World) {
    let job = world.job(hourly("sync")).await;
    let id = run_now(&world, job.id).await;
    let claimed = world.claim_one().await;
    let asked = world
        .store
        .cancel(world.workspace, id, Actor::System)
        .await
        .unwrap();
    assert_eq!(asked.status, Status::Running);
    let told = world.store.renew(vec![held(&claimed)], LONG).await.unwrap();
    assert_eq!(told, [(held(&claimed), padclock_store::Revocation::Cancel)]);
    assert!(world.finish(&claimed, End::Canceled).await);
    let done = world
        .store
        .get_execution(world.workspace, id)
        .await
        .unwrap();
    assert_eq!(
        (done.status, done.reason.as_deref()),
        (Status::Canceled, Some("canceled"))
    );
}

/// Three in history and two open, oldest first.
async fn some(world: &World) -> (padclock_api::JobId, Vec<ExecutionId>) {
    let job = world.job(hourly("sync")).await;
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(run_now(world, job.id).await);
        let end = if number == 0 {
            End::Failed {
                reason: "status".to_owned(),
            }
        } else {
            End::Succeeded
        };
        if number < 3 {
            let claimed = world.claim_one().await;
            assert!(world.finish(&claimed, end).await);
        }
    }
    ids.sort();
    (job.id, ids)
}

async fn lists_span_what_is_open_and_history(world: World) {
    let (job, ids) = some(&world).await;
    for of_job in [None, Some(job)] {
        let mut seen = Vec::new();
        let mut before = None;
        loop {
            let filter = ExecutionFilter {
                job: of_job,
                before,
                ..ExecutionFilter::default()
            };
            let page = world
                .store
                .list_executions(world.workspace, filter, 2)
                .await
                .unwrap();
            assert!(page.len() <= 2);
            assert!(page.iter().all(|execution| execution.attempts.is_none()));
            seen.extend(page.iter().map(|execution| execution.id));
            match page.last() {
                Some(last) => before = Some(last.id),
                None => break,
            }
        }
        seen.reverse();
        assert_eq!(seen, ids);
    }
}

async fn lists_are_filtered(world: World) {
    let (job, ids) = some(&world).await;
    let count = async |filter| {
        world
            .store
            .list_executions(world.workspace, filter, 100)
            .await
            .unwrap()
            .len()
    };
    let all = ExecutionFilter::default;
    for (status, expected) in [
        (Status::Queued, 2),
        (Status::Succeeded, 2),
        (Status::Failed, 1),
        (Status::Running, 0),
    ] {
        assert_eq!(
            count(ExecutionFilter {
                status: Some(status),
                ..all()
            })
            .await,
            expected,
            "{status:?}"
        );
        let of_job = ExecutionFilter {
            status: Some(status),
            job: Some(job),
            ..all()
        };
        assert_eq!(count(of_job).await, expected, "{status:?} of the job");
    }
    assert_eq!(
        count(ExecutionFilter {
            trigger: Some(Trigger::Manual),
            ..all()
        })
        .await,
        5
    );
    assert_eq!(
        count(ExecutionFilter {
            trigger: Some(Trigger::Schedule),
            ..all()
        })
        .await,
        0
    );
    let other = world.job(hourly("other")).await;
    assert_eq!(
        count(ExecutionFilter {
            job: Some(other.id),
            ..all()
        })
        .await,
        0
    );
    let (first, last) = (
        Moment::from_millis(ids[0].millis()),
        Moment::from_millis(ids[4].millis()),
    );
    assert_eq!(
        count(ExecutionFilter {
            from: Some(first),
            to: Some(last.plus_millis(1)),
            ..all()
        })
        .await,
        5
    );
    assert_eq!(
        count(ExecutionFilter {
            to: Some(first),
            ..all()
        })
        .await,
        0
    );
    assert_eq!(
        count(ExecutionFilter {
            from: Some(last.plus_millis(1)),
            ..all()
        })
        .await,
        0
    );
}

async fn the_newest_of_each_job_is_found(world: World) {
    let (job, ids) = some(&world).await;
    let never = world.job(hourly("never")).await;
    let (done, _) = world.due_job(hourly("done")).await;
    world
        .raw("DELETE FROM open_executions WHERE status = 'queued'")
        .await;
    let claimed = world.claim_one().await;
    assert!(world.finish(&claimed, End::Succeeded).await);
    let newest = run_now(&world, job).await;
    assert!(newest > ids[4]);
    let found = world
        .store
        .newest_executions(vec![job, never.id, done.id])
        .await
        .unwrap();
    let mut found: Vec<_> = found.iter().map(|execution| execution.id).collect();
    found.sort();
    let mut expected = vec![newest, claimed.execution];
    expected.sort();
    assert_eq!(found, expected);
    assert!(
        world
            .store
            .newest_executions(Vec::new())
            .await
            .unwrap()
            .is_empty()
    );
}

async fn another_workspaces_execution_is_not_found(world: World) {
    let (_, ids) = some(&world).await;
    let (other, _) = world.other_workspace().await;
    for id in [ids[0], ids[4]] {
        assert_eq!(
            world.store.get_execution(other, id).await.unwrap_err(),
            StoreError::NotFound
        );
        assert_eq!(
            world
                .store
                .cancel(other, id, Actor::System)
                .await
                .unwrap_err(),
            StoreError::NotFound
        );
        let new = execution_id(world.now().await);
        assert_eq!(
            world
                .store
                .replay(other, id, new, Actor::System)
                .await
                .unwrap_err(),
            StoreError::NotFound
        );
    }
    assert!(
        world
            .store
            .list_executions(other, ExecutionFilter::default(), 10)
            .await
            .unwrap()
            .is_empty()
    );
}
