//! What ends an attempt from outside: a lost or cancelled lease, its deadline, the shutdown.

use std::sync::atomic::Ordering;
use std::time::Duration;

use padclock_api::AttemptStatus;
use tokio::time::{Instant, timeout};

use super::stage::{NOW, Stage, TRUST, lease, number, settings};
use crate::source::{End, Held, Lease, Revoked};

fn held(number: u8) -> Held {
    let lease = lease(number, 1, 1);
    Held {
        execution: lease.execution,
        fence: lease.fence,
    }
}

#[tokio::test(start_paused = true)]
async fn leases_are_renewed_in_one_batch_and_long_attempts_live_on() {
    let mut stage = Stage::new(settings());
    let begun = Instant::now();
    stage.queue([lease(1, 1, 1), lease(2, 1, 1)]);
    stage.starts(2).await;
    assert!(
        timeout(Duration::from_secs(60), stage.dropped.recv())
            .await
            .is_err(),
        "no attempt is stopped"
    );
    stage.release(2);
    let results = stage.results(2).await;
    assert!(
        results
            .iter()
            .all(|completion| completion.end == End::Succeeded)
    );
    let renewals = stage.script.renewals.lock().unwrap().clone();
    assert!(
        (5..=7).contains(&renewals.len()),
        "about every 10 s in {:?}: {}",
        begun.elapsed(),
        renewals.len()
    );
    assert!(
        renewals.iter().all(|batch| batch.len() == 2),
        "{renewals:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_the_source_could_not_renew_ends_at_its_deadline_and_the_rest_lives_on() {
    let mut stage = Stage::new(settings());
    let begun = Instant::now();
    stage.script.locked.lock().unwrap().insert(held(1));
    stage.queue([lease(1, 1, 1), lease(2, 1, 1)]);
    stage.starts(2).await;
    assert_eq!(stage.dropped.recv().await, Some(1));
    assert!(
        begun.elapsed() <= TRUST + Duration::from_millis(10),
        "{:?}",
        begun.elapsed()
    );
    assert!(
        timeout(Duration::from_secs(60), stage.dropped.recv())
            .await
            .is_err()
    );
    assert_eq!(stage.counters.read().lost, 1);
    assert_eq!(stage.counters.read().renew_errors, 0);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_could_not_be_renewed_once_is_renewed_soon_after() {
    let mut stage = Stage::new(settings());
    stage.script.locked.lock().unwrap().insert(held(1));
    stage.queue([lease(1, 1, 1)]);
    stage.starts(1).await;
    let near_the_end = timeout(TRUST - Duration::from_secs(2), stage.dropped.recv()).await;
    assert!(
        near_the_end.is_err(),
        "it was given up while it could still be trusted"
    );
    stage.script.locked.lock().unwrap().clear();
    assert!(
        timeout(Duration::from_secs(60), stage.dropped.recv())
            .await
            .is_err()
    );
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_comes_after_its_deadline_is_not_started() {
    let mut stage = Stage::new(settings());
    let late = |number, left: Duration| Lease {
        deadline: (Instant::now() + left).into_std(),
        ..lease(number, 1, 1)
    };
    let (past, just_now) = (late(1, Duration::ZERO), late(2, Duration::from_secs(1)));
    tokio::time::advance(Duration::from_secs(1)).await;
    stage.queue([past, just_now, lease(3, 1, 1)]);
    assert_eq!(stage.starts(1).await, [3]);
    assert!(!stage.starts_more().await);
    let counted = stage.counters.read();
    assert_eq!(
        (counted.lost, counted.in_flight, counted.waiting),
        (2, 1, 0)
    );
    assert_eq!(counted.started, 1, "the late ones were not even begun");
    assert!(stage.batches.try_recv().is_err(), "nothing is reported");
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_execution_is_stopped_at_once_and_completed_so() {
    let mut stage = Stage::new(settings());
    stage.queue([lease(1, 1, 1), lease(2, 1, 1)]);
    stage.starts(2).await;
    stage
        .script
        .revoked
        .lock()
        .unwrap()
        .push((held(1), Revoked::CancelRequested));
    assert_eq!(stage.dropped.recv().await, Some(1));
    let results = stage.results(1).await;
    assert_eq!(results[0].end, End::Canceled);
    assert_eq!(results[0].attempt.status, AttemptStatus::Canceled);
    assert!(results[0].attempt.duration_ms >= 9_000);
    assert_eq!(results[0].attempt.started_at, NOW);
    assert_eq!(stage.counters.read().canceled, 1);
    stage.release(1);
    assert_eq!(number(stage.results(1).await[0].execution), 2);
}

#[tokio::test(start_paused = true)]
async fn an_end_that_the_source_hears_of_early_does_not_wait_for_the_renewal() {
    let mut stage = Stage::new(settings());
    stage.queue([lease(1, 1, 1), lease(2, 1, 1)]);
    stage.starts(2).await;
    for number in [2, 1] {
        stage
            .script
            .heard
            .lock()
            .unwrap()
            .push((held(number), Revoked::CancelRequested));
    }
    stage.script.hears.notify_one();
    for _ in 0..2 {
        let results = stage.results(1).await;
        assert_eq!(results[0].end, End::Canceled);
        assert!(results[0].attempt.duration_ms < 1_000);
    }
    assert!(stage.script.renewals.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_lost_lease_stops_its_attempt_and_says_nothing() {
    let mut stage = Stage::new(settings());
    stage.queue([lease(1, 1, 1), lease(2, 1, 1)]);
    stage.starts(2).await;
    stage
        .script
        .revoked
        .lock()
        .unwrap()
        .push((held(1), Revoked::Lost));
    assert_eq!(stage.dropped.recv().await, Some(1));
    stage.release(1);
    assert_eq!(number(stage.results(1).await[0].execution), 2);
    let mut batches = stage.stop().await;
    assert!(batches.recv().await.is_none(), "no result of the lost one");
}

#[tokio::test(start_paused = true)]
async fn a_lost_lease_frees_its_slot_for_who_waits() {
    let mut stage = Stage::new(crate::Settings {
        per_host: 1,
        longest_wait: Duration::from_secs(20),
        ..settings()
    });
    stage.queue([lease(1, 7, 1), lease(2, 7, 1)]);
    assert_eq!(stage.starts(1).await, [1]);
    let first = Held {
        execution: lease(1, 7, 1).execution,
        fence: 1,
    };
    stage
        .script
        .revoked
        .lock()
        .unwrap()
        .push((first, Revoked::Lost));
    assert_eq!(stage.starts(1).await, [2]);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_stops_by_itself_when_its_lease_can_not_be_renewed() {
    let mut stage = Stage::new(settings());
    stage.script.renew_fails.store(true, Ordering::SeqCst);
    let begun = Instant::now();
    stage.queue([lease(1, 1, 1)]);
    stage.starts(1).await;
    assert_eq!(stage.dropped.recv().await, Some(1));
    let ran = begun.elapsed();
    assert!(
        ran >= TRUST && ran < TRUST + Duration::from_millis(5),
        "{ran:?}"
    );
    assert!(stage.counters.read().renew_errors > 2);
    assert_eq!(stage.counters.read().lost, 1);
    let mut batches = stage.stop().await;
    assert!(batches.recv().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_result_that_is_not_accepted_is_counted_as_lost() {
    let mut stage = Stage::new(settings());
    stage.script.refuses.store(true, Ordering::SeqCst);
    stage.queue([lease(1, 1, 1)]);
    stage.starts(1).await;
    stage.release(1);
    stage.results(1).await;
    let counters = std::sync::Arc::clone(&stage.counters);
    stage.stop().await;
    assert_eq!(counters.read().lost, 1);
}

#[tokio::test(start_paused = true)]
async fn at_shutdown_what_runs_may_finish_and_what_waits_goes_back() {
    let mut stage = Stage::new(crate::Settings {
        per_host: 1,
        ..settings()
    });
    stage.queue([lease(1, 7, 1), lease(2, 7, 1)]);
    assert_eq!(stage.starts(1).await, [1]);
    stage.shutdown.cancel();
    let back = stage.results(1).await;
    assert_eq!(number(back[0].execution), 2);
    assert_eq!(back[0].end, End::HandBack { at: NOW }, "at once");
    stage.queue([lease(3, 8, 1)]);
    let late = stage.results(1).await;
    assert!(
        matches!(late[0].end, End::HandBack { .. }),
        "what the last lease call brought goes back, too"
    );
    stage.release(1);
    let finished = stage.results(1).await;
    assert_eq!(
        (number(finished[0].execution), &finished[0].end),
        (1, &End::Succeeded)
    );
    stage.loop_task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn after_the_drain_what_still_runs_is_tried_again_elsewhere() {
    let mut stage = Stage::new(crate::Settings {
        drain_timeout: Duration::from_secs(7),
        ..settings()
    });
    stage.queue([lease(1, 1, 1)]);
    stage.starts(1).await;
    let begun = Instant::now();
    stage.shutdown.cancel();
    assert_eq!(stage.dropped.recv().await, Some(1));
    let drained = begun.elapsed();
    assert!(
        drained >= Duration::from_secs(7) && drained < Duration::from_millis(7_010),
        "{drained:?}"
    );
    let results = stage.results(1).await;
    assert!(
        matches!(results[0].end, End::Retry { .. }),
        "{:?}",
        results[0].end
    );
    assert_eq!(
        results[0].attempt.error.as_ref().unwrap().code,
        "interrupted"
    );
    stage.loop_task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_idle_loop_stops_when_its_lease_call_returns() {
    let stage = Stage::new(settings());
    let begun = Instant::now();
    tokio::task::yield_now().await;
    let mut batches = stage.stop().await;
    assert!(begun.elapsed() <= Duration::from_millis(5_010));
    assert!(batches.recv().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_source_that_never_answers_again_does_not_hold_the_shutdown_for_ever() {
    let mut stage = Stage::new(crate::Settings {
        drain_timeout: Duration::from_secs(7),
        ..settings()
    });
    stage
        .script
        .complete_fails
        .store(usize::MAX, Ordering::SeqCst);
    stage.queue([lease(1, 1, 1)]);
    stage.starts(1).await;
    stage.release(1);
    while stage.calls.recv().await != Some("complete failed") {}
    let begun = Instant::now();
    stage.stop().await;
    assert!(begun.elapsed() <= Duration::from_secs(33));
}

#[tokio::test(start_paused = true)]
async fn a_loop_that_is_dropped_stops_its_attempts() {
    let mut stage = Stage::new(settings());
    stage.queue([lease(1, 1, 1)]);
    stage.starts(1).await;
    stage.loop_task.abort();
    assert_eq!(stage.dropped.recv().await, Some(1));
}
