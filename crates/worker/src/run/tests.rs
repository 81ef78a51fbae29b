//! The loop against a scripted source, without a network and in paused time.

mod ends;
mod stage;

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use crate::source::End;
use stage::{NOW, Stage, lease, number, settings};

#[tokio::test(start_paused = true)]
async fn never_more_is_leased_than_there_is_room() {
    let mut stage = Stage::new(crate::Settings {
        max_in_flight: 4,
        ..settings()
    });
    stage.queue((0..10).map(|number| lease(number, 1, 1)));
    assert_eq!(stage.starts(4).await, [0, 1, 2, 3]);
    assert!(!stage.starts_more().await);
    stage.release(1);
    stage.starts(1).await;
    assert!(!stage.starts_more().await);
    stage.release(9);
    stage.starts(5).await;
    assert_eq!(stage.cast.most.load(Ordering::SeqCst), 4);
    assert_eq!(
        stage.script.wants.lock().unwrap()[0],
        4,
        "all the room is asked for at once"
    );
    let counted = stage.counters.read();
    assert_eq!(counted.started, 10);
}

#[tokio::test(start_paused = true)]
async fn one_host_has_its_limit_and_others_pass_it() {
    let mut stage = Stage::new(crate::Settings {
        per_host: 2,
        ..settings()
    });
    stage.queue([
        lease(1, 7, 1),
        lease(2, 7, 1),
        lease(3, 7, 1),
        lease(4, 7, 1),
        lease(5, 8, 1),
    ]);
    assert_eq!(stage.starts(3).await, [1, 2, 5]);
    assert!(!stage.starts_more().await);
    assert_eq!(stage.counters.read().waiting, 2);
    stage.release(1);
    assert_eq!(stage.results(1).await.len(), 1);
    stage.release(4);
    let rest = stage.starts(2).await;
    assert_eq!(rest, [3, 4]);
    stage.results(4).await;
    assert_eq!(stage.counters.read().waiting, 0);
    assert_eq!(stage.counters.read().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn one_workspace_has_its_limit_and_others_pass_it() {
    let mut stage = Stage::new(crate::Settings {
        max_per_workspace: 2,
        per_host: 3,
        ..settings()
    });
    stage.queue([
        lease(1, 1, 1),
        lease(2, 2, 1),
        lease(3, 3, 1),
        lease(4, 3, 2),
        lease(5, 3, 2),
        lease(6, 3, 3),
        lease(7, 3, 3),
    ]);
    assert_eq!(
        stage.starts(5).await,
        [1, 2, 4, 5, 6],
        "3 waits for its workspace, 7 for its host"
    );
    assert!(!stage.starts_more().await);
    stage.release(7);
    assert_eq!(stage.starts(2).await, [3, 7]);
    stage.results(7).await;
}

#[tokio::test(start_paused = true)]
async fn who_waits_too_long_is_handed_back_for_later() {
    let mut stage = Stage::new(crate::Settings {
        per_host: 1,
        ..settings()
    });
    stage.queue([lease(1, 7, 1), lease(2, 7, 1)]);
    assert_eq!(stage.starts(1).await, [1]);
    let back = stage.results(1).await;
    assert_eq!(number(back[0].execution), 2);
    let End::HandBack { at } = back[0].end else {
        panic!("{:?}", back[0].end)
    };
    assert!(
        at >= NOW.plus_seconds(4),
        "2 s of waiting, and 2 s more: {at}"
    );
    assert!(back[0].secrets.is_empty());
    assert_eq!(stage.counters.read().handed_back, 1);
    stage.release(1);
    assert_eq!(number(stage.results(1).await[0].execution), 1);
}

#[tokio::test(start_paused = true)]
async fn a_saturated_host_turns_newcomers_away_and_leaves_the_slots_to_others() {
    let mut stage = Stage::new(crate::Settings {
        per_host: 1,
        ..settings()
    });
    let begun = Instant::now();
    stage.queue([lease(1, 7, 1), lease(2, 7, 1)]);
    stage.starts(1).await;
    assert!(!stage.starts_more().await);
    stage.queue([lease(3, 7, 1)]);
    assert_eq!(number(stage.results(1).await[0].execution), 2);
    let waited = begun.elapsed();
    stage.queue([lease(4, 7, 1), lease(5, 8, 1)]);
    assert_eq!(stage.starts(1).await, [5]);
    assert_eq!(
        number(stage.results(1).await[0].execution),
        4,
        "turned away while 3 still waits"
    );
    assert_eq!(begun.elapsed(), waited, "at once");
    stage.release(1);
    stage.release(2);
    assert_eq!(stage.starts(1).await, [3]);
}

#[tokio::test(start_paused = true)]
async fn results_gather_while_a_complete_call_is_under_way() {
    let mut stage = Stage::new(settings());
    stage.script.hold_completes.store(true, Ordering::SeqCst);
    stage.queue((0..8).map(|number| lease(number, 1, 1)));
    stage.starts(8).await;
    stage.release(1);
    assert_eq!(
        stage.calls.recv().await,
        Some("complete"),
        "the first is sent at once"
    );
    stage.release(7);
    assert!(!stage.starts_more().await);
    stage.script.completes.0.add_permits(2);
    assert_eq!(stage.batches.recv().await.unwrap().len(), 1);
    assert_eq!(
        stage.batches.recv().await.unwrap().len(),
        7,
        "the others together"
    );
}

#[tokio::test(start_paused = true)]
async fn results_survive_a_source_that_fails_and_nothing_is_leased_meanwhile() {
    let mut stage = Stage::new(settings());
    stage.script.complete_fails.store(5, Ordering::SeqCst);
    stage.queue([lease(1, 1, 1), lease(2, 1, 1)]);
    stage.starts(2).await;
    stage.release(9);
    while stage.calls.recv().await != Some("complete failed") {}
    stage.queue([lease(3, 1, 1)]);
    let mut results = stage.results(2).await;
    results.sort_by_key(|completion| number(completion.execution));
    assert_eq!(
        results
            .iter()
            .map(|completion| number(completion.execution))
            .collect::<Vec<_>>()[..2],
        [1, 2]
    );
    assert_eq!(stage.counters.read().complete_errors, 5);
    stage.starts(1).await;
}

#[tokio::test(start_paused = true)]
async fn a_source_that_does_not_lease_is_asked_less_and_less() {
    let mut stage = Stage::new(settings());
    stage.script.lease_fails.store(true, Ordering::SeqCst);
    for _ in 0..14 {
        stage.calls.recv().await;
    }
    stage.script.lease_fails.store(false, Ordering::SeqCst);
    let calls = stage.script.lease_calls.lock().unwrap().clone();
    let waits: Vec<Duration> = calls
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .skip(1)
        .collect();
    assert!(
        waits
            .iter()
            .all(|wait| *wait <= Duration::from_millis(5_002)),
        "{waits:?}"
    );
    assert!(
        waits.last().unwrap() >= &Duration::from_millis(2_500),
        "{waits:?}"
    );
    assert!(stage.counters.read().lease_errors >= 13);
    stage.queue([lease(1, 1, 1)]);
    assert_eq!(stage.starts(1).await, [1], "and recovers");
}

#[tokio::test(start_paused = true)]
async fn a_panic_ends_its_own_attempt_only() {
    let mut stage = Stage::new(settings());
    stage.cast.panics.lock().unwrap().insert(2);
    stage.queue([lease(1, 1, 1), lease(2, 1, 1), lease(3, 1, 1)]);
    stage.starts(3).await;
    stage.release(3);
    let mut results = stage.results(3).await;
    results.sort_by_key(|completion| number(completion.execution));
    assert_eq!(results[0].end, End::Succeeded);
    assert_eq!(
        results[1].end,
        End::Failed {
            reason: "internal".to_owned()
        }
    );
    assert_eq!(results[1].attempt.request, None);
    assert_eq!(results[1].attempt.error.as_ref().unwrap().code, "internal");
    assert_eq!(results[2].end, End::Succeeded);
    assert_eq!(
        stage
            .counters
            .read()
            .failed_by(crate::FailureKind::Internal),
        1
    );
}
