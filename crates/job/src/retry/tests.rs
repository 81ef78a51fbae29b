//! The retry table: what is tried again, when, and when no more.

use proptest::prelude::*;

use super::*;
use crate::testing::{compiled, every, moment};
use crate::{Definition, RetrySpec};

fn job(max_attempts: u32, base_seconds: u32, max_seconds: u32) -> Job {
    let retry = RetrySpec {
        max_attempts,
        base_seconds,
        max_seconds,
    };
    compiled(Definition { retry, ..every(60) }, "2026-01-01T00:00:00Z")
}

fn status(status: u16) -> Failure {
    Failure {
        class: FailureClass::Status,
        status: Some(status),
        retry_after: None,
    }
}

fn failed(class: FailureClass) -> Failure {
    Failure {
        class,
        status: None,
        retry_after: None,
    }
}

/// The wait of `attempt` in milliseconds, in the middle of its spread.
fn wait(job: &Job, attempt: u32) -> Option<i64> {
    let now = moment("2026-01-01T00:00:00Z");
    let middle = |spread: i64| (spread / 2).unsigned_abs();
    let spread = (wait_millis(
        job.definition().retry.base_seconds,
        job.definition().retry.max_seconds,
        attempt,
        0,
    ) * 10
        / 9)
        / 5;
    match after_attempt(job, attempt, &status(503), now, None, middle(spread)) {
        Verdict::Retry { at } => Some(at.since(now)),
        _ => None,
    }
}

#[test]
fn which_failures_are_tried_again() {
    for (failure, again) in [
        (failed(FailureClass::Connection), true),
        (failed(FailureClass::Timeout), true),
        (failed(FailureClass::Secret), false),
        (failed(FailureClass::Egress), false),
        (failed(FailureClass::Request), false),
        (failed(FailureClass::Status), false),
        (status(301), false),
        (status(400), false),
        (status(401), false),
        (status(403), false),
        (status(404), false),
        (status(408), true),
        (status(409), false),
        (status(422), false),
        (status(425), true),
        (status(429), true),
        (status(499), false),
        (status(500), true),
        (status(502), true),
        (status(503), true),
        (status(599), true),
        (status(600), false),
        (
            Failure {
                class: FailureClass::Secret,
                status: Some(503),
                retry_after: None,
            },
            false,
        ),
    ] {
        assert_eq!(failure.is_passing(), again, "{failure:?}");
        let verdict = after_attempt(&job(3, 1, 60), 1, &failure, Moment::EPOCH, None, 0);
        assert_eq!(
            matches!(verdict, Verdict::Retry { .. }),
            again,
            "{failure:?}"
        );
    }
}

#[test]
fn waits_double_up_to_their_limit() {
    let defaults = compiled(every(60), "2026-01-01T00:00:00Z");
    assert_eq!(
        (wait(&defaults, 1), wait(&defaults, 2), wait(&defaults, 3)),
        (Some(1_000), Some(2_000), None)
    );
    let patient = job(20, 5, 60);
    let waits: Vec<_> = (1..=6)
        .map(|attempt| wait(&patient, attempt).unwrap())
        .collect();
    assert_eq!(waits, [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
    assert_eq!(wait(&patient, 19), Some(60_000));
    assert_eq!(wait(&patient, 20), None);
    assert_eq!(wait(&job(1, 1, 1), 1), None);
}

#[test]
fn retry_after_is_honoured() {
    let now = moment("2026-01-01T00:00:00Z");
    let asked = |retry_after: Moment, next_due: Option<Moment>| {
        let failure = Failure {
            retry_after: Some(retry_after),
            ..status(429)
        };
        after_attempt(&job(3, 10, 60), 1, &failure, now, next_due, 0)
    };
    assert_eq!(
        asked(now.plus_seconds(40), None),
        Verdict::Retry {
            at: now.plus_seconds(40)
        }
    );
    // An earlier one than the own wait (9 s at the least) changes nothing.
    assert_eq!(
        asked(now.plus_seconds(2), None),
        Verdict::Retry {
            at: now.plus_seconds(9)
        }
    );
    assert_eq!(
        asked(now.plus_seconds(-100), None),
        Verdict::Retry {
            at: now.plus_seconds(9)
        }
    );
    assert_eq!(
        asked(now.plus_seconds(40), Some(now.plus_seconds(41))),
        Verdict::Retry {
            at: now.plus_seconds(40)
        }
    );
    assert_eq!(
        asked(now.plus_seconds(40), Some(now.plus_seconds(40))),
        Verdict::Fail
    );
    assert_eq!(
        asked(Moment::MAX, Some(now.plus_seconds(3_600))),
        Verdict::Fail
    );
}

#[test]
fn a_target_can_not_park_an_execution() {
    const DAY: i64 = 86_400;
    let now = moment("2026-01-01T00:00:00Z");
    let forever = now.plus_seconds(i64::try_from(u64::MAX).unwrap_or(i64::MAX));
    let after = |seconds| now.plus_seconds(seconds);
    for (most, asked, expected) in [
        (60, after(DAY), Some(after(DAY))),
        (60, after(DAY).plus_millis(1), None),
        (60, after(10 * 365 * DAY), None),
        (60, forever, None),
        (60, Moment::MAX, None),
        (86_400, after(DAY), Some(after(DAY))),
        (86_400, after(DAY + 1), None),
    ] {
        let failure = Failure {
            retry_after: Some(asked),
            ..status(503)
        };
        let verdict = after_attempt(&job(3, 10, most), 1, &failure, now, None, 0);
        let expected = expected.map_or(Verdict::Fail, |at| Verdict::Retry { at });
        assert_eq!(verdict, expected, "{asked} with {most}");
    }
}

#[test]
fn never_past_the_next_occurrence() {
    let now = moment("2026-01-01T00:00:00Z");
    let verdict = |next: i64| {
        after_attempt(
            &job(3, 10, 60),
            1,
            &status(500),
            now,
            Some(now.plus_seconds(next)),
            0,
        )
    };
    assert_eq!(
        verdict(10),
        Verdict::Retry {
            at: now.plus_seconds(9)
        }
    );
    assert_eq!(verdict(9), Verdict::Fail);
    assert_eq!(verdict(-5), Verdict::Fail);
}

#[test]
fn a_lost_lease_is_taken_up_at_once_but_not_for_ever() {
    let now = moment("2026-01-01T00:00:00Z");
    for (attempts, last) in [(1, 5), (3, 7), (20, 24)] {
        let job = job(attempts, 1, 60);
        assert!(
            (1..=last)
                .all(|attempt| on_lost_lease(&job, attempt, now) == Verdict::Retry { at: now })
        );
        assert_eq!(on_lost_lease(&job, last + 1, now), Verdict::Lost);
    }
}

proptest! {
    #[test]
    fn the_spread_is_a_tenth(base in 1_u32..=3_600, most in 1_u32..=86_400, attempt in 1_u32..=20, random: u64) {
        let wait = wait_millis(base, most, attempt, random);
        let exact = (u64::from(base) << (attempt - 1)).min(u64::from(most)) as i64 * 1_000;
        prop_assert!(wait >= exact - exact / 10 && wait <= exact + exact / 10, "{} for {}", wait, exact);
    }

    #[test]
    fn a_retry_lies_between_now_and_the_next_occurrence(
        attempt in 1_u32..=25, status in 100_u16..=600, after in prop::option::of(-1_000_i64..1_000_000),
        next in prop::option::of(-1_000_i64..100_000), random: u64, now in 0_i64..2_000_000_000_000,
    ) {
        let now = Moment::from_millis(now);
        let failure = Failure {
            class: FailureClass::Status, status: Some(status), retry_after: after.map(|after| now.plus_millis(after)),
        };
        let next = next.map(|next| now.plus_millis(next));
        if let Verdict::Retry { at } = after_attempt(&job(20, 2, 300), attempt, &failure, now, next, random) {
            prop_assert!(at > now && attempt < 20 && failure.is_passing());
            prop_assert!(next.is_none_or(|next| at < next));
            prop_assert!(failure.retry_after.is_none_or(|after| at >= after));
        }
    }
}
