//! Whatever the schedule and however long the absence: nothing runs twice, nothing is lost.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::Timing;

fn schedules() -> impl Strategy<Value = (Definition, u32)> {
    let recurring = (1_u32..5_000).prop_map(|seconds| (every(seconds), seconds));
    let cron = (
        prop::sample::select(vec![
            ("* * * * *", 60),
            ("*/5 * * * *", 300),
            ("*/10 * * * * *", 10),
            ("0 2 * * *", 86_399),
            ("15,45 1-3 * * *", 1_799),
            ("0 0 * * 1", 86_400),
            ("30 */2 L * *", 7_199),
        ]),
        prop::sample::select(vec![
            "UTC",
            "Europe/Berlin",
            "America/New_York",
            "Australia/Lord_Howe",
            "Africa/Cairo",
        ]),
    );
    let cron = cron.prop_map(|((text, shortest), zone)| (cron_job(text, zone), shortest));
    prop_oneof![recurring, cron]
}

fn jobs() -> impl Strategy<Value = Job> {
    let misfire = prop::sample::select(vec![Misfire::Latest, Misfire::Skip, Misfire::All]);
    let window = prop_oneof![Just(0), Just(3_600), Just(86_400), 0_u32..2_592_000];
    (
        schedules(),
        misfire,
        window,
        prop_oneof![2 => Just(0.0), 1 => 0.0_f64..1.0],
    )
        .prop_map(
            |((mut definition, shortest), misfire, misfire_window_seconds, jitter)| {
                definition.schedule.jitter_seconds =
                    Some((f64::from(shortest - 1) * jitter) as u32);
                compiled(
                    Definition {
                        misfire,
                        misfire_window_seconds,
                        ..definition
                    },
                    "2020-01-01T00:00:00Z",
                )
            },
        )
}

/// All due by `now`, by stepping; `None` if there are too many to step over in a test.
fn stepped(timing: &Timing, due: Due, now: Moment) -> Option<Vec<Due>> {
    let mut all = vec![due];
    let mut next = timing.first_due(due.scheduled_for);
    while let Some(found) = next.filter(|found| found.run_at <= now) {
        all.push(found);
        if all.len() > 20_000 {
            return None;
        }
        next = timing.first_due(found.scheduled_for);
    }
    Some(all)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn each_occurrence_is_accounted_for_once(
        job in jobs(), from in 1_600_000_000_i64..1_900_000_000,
        late in prop_oneof![0_i64..100_000, 0_i64..10_000_000, 0_i64..4_000_000_000],
    ) {
        let due = job.first_due(Moment::from_seconds(from)).unwrap();
        let now = due.run_at.plus_millis(late);
        let fired = fire(&job, due, now);

        let ran: BTreeSet<_> = run_times(&fired).into_iter().collect();
        let skipped: BTreeSet<_> = fired.skipped.iter().map(|(at, _)| *at).collect();
        prop_assert_eq!((ran.len(), skipped.len()), (fired.run.len(), fired.skipped.len()));
        prop_assert!(ran.is_disjoint(&skipped));
        prop_assert!(fired.run.is_sorted() && fired.skipped.is_sorted_by_key(|(at, _)| *at));
        prop_assert!(ran.len() <= MOST_ROWS && skipped.len() <= MOST_ROWS);
        prop_assert!(fired.run.iter().all(|due| due.run_at <= now));
        prop_assert!(fired.next.is_some_and(|next| next.run_at > now));

        if let Some(all) = stepped(job.timing(), due, now) {
            let total = (ran.len() + skipped.len()) as u64 + fired.skipped_more;
            prop_assert_eq!(total, all.len() as u64);
            let newest: BTreeSet<_> =
                all.iter().rev().take(ran.len() + skipped.len()).map(|due| due.scheduled_for).collect();
            let told: BTreeSet<_> = ran.union(&skipped).copied().collect();
            prop_assert_eq!(told, newest);
            prop_assert_eq!(fired.next, job.first_due(all[all.len() - 1].scheduled_for));
        }
    }

    #[test]
    fn firing_again_and_again_runs_nothing_twice(
        job in jobs(), from in 1_600_000_000_i64..1_900_000_000, steps in prop::collection::vec(-60_000_i64..4_000_000, 1..30),
    ) {
        let mut now = Moment::from_seconds(from);
        let mut due = job.first_due(now).unwrap();
        let mut last = Moment::MIN;
        for step in steps {
            now = now.plus_millis(step);
            let fired = fire(&job, due, now);
            let mut seen: Vec<_> = run_times(&fired);
            seen.extend(fired.skipped.iter().map(|(at, _)| *at));
            seen.sort();
            prop_assert!(seen.first().is_none_or(|first| *first > last), "in order, nothing twice");
            last = seen.last().copied().unwrap_or(last);
            due = fired.next.unwrap();
            prop_assert!(due.run_at > now && due.scheduled_for > last);
        }
    }

    #[test]
    fn the_rule_decides_how_many_run(job in jobs(), from in 1_600_000_000_i64..1_900_000_000, late in 0_i64..4_000_000_000) {
        let due = job.first_due(Moment::from_seconds(from)).unwrap();
        let now = due.run_at.plus_millis(late);
        let fired = fire(&job, due, now);
        let on_time = fired.run.last().is_some_and(|due| now.since(due.run_at) <= ON_TIME_MILLIS);
        match job.definition().misfire {
            Misfire::Latest => prop_assert!(fired.run.len() <= 1),
            Misfire::Skip => prop_assert_eq!(fired.run.len(), usize::from(on_time)),
            Misfire::All => prop_assert!(fired.skipped.iter().all(|(_, reason)| *reason != SkipReason::Misfire)),
        }
        let window = i64::from(job.definition().misfire_window_seconds) * 1_000;
        prop_assert!(fired.run.iter().rev().skip(usize::from(on_time)).all(|due| now.since(due.run_at) <= window));
    }
}
