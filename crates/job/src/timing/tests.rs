//! Tests of next occurrences, counts and jitter of the four kinds.

use proptest::prelude::*;

use super::*;
use crate::testing::{compiled, cron_job, every, moment};
use crate::{Definition, Kind};

fn times(timing: &Timing, after: &str, n: usize) -> Vec<String> {
    let next = |at: &Moment| timing.next_after(*at);
    std::iter::successors(timing.next_after(moment(after)), next)
        .take(n)
        .map(|at| at.to_string())
        .collect()
}

#[test]
fn recurring_is_aligned_to_creation() {
    let job = compiled(every(3_600), "2026-03-15T10:07:30.250Z");
    assert_eq!(
        times(job.timing(), "2026-03-15T10:07:30.250Z", 2),
        ["2026-03-15T11:07:30.250Z", "2026-03-15T12:07:30.250Z"]
    );
    assert_eq!(
        times(job.timing(), "2027-01-01T00:00:00.000Z", 1),
        ["2027-01-01T00:07:30.250Z"]
    );
    assert_eq!(
        times(job.timing(), "2026-03-15T11:07:30.249Z", 1),
        ["2026-03-15T11:07:30.250Z"]
    );
}

#[test]
fn recurring_is_aligned_to_its_start() {
    let mut definition = every(5_400);
    definition.schedule.start_at = Some(moment("2026-03-16T00:00:00Z"));
    let job = compiled(definition, "2026-03-15T10:07:30.250Z");
    assert_eq!(
        times(job.timing(), "2026-03-15T10:07:30.250Z", 3),
        [
            "2026-03-16T00:00:00.000Z",
            "2026-03-16T01:30:00.000Z",
            "2026-03-16T03:00:00.000Z"
        ]
    );
}

#[test]
fn a_start_in_the_past_still_aligns() {
    let mut definition = every(86_400);
    definition.schedule.start_at = Some(moment("2020-01-01T06:00:00Z"));
    let job = compiled(definition, "2026-03-15T10:00:00Z");
    assert_eq!(
        times(job.timing(), "2026-03-15T10:00:00Z", 1),
        ["2026-03-16T06:00:00.000Z"]
    );
}

#[test]
fn start_and_end_bound_a_cron_job() {
    let mut definition = cron_job("0 * * * *", "UTC");
    definition.schedule.start_at = Some(moment("2026-03-15T12:00:00Z"));
    definition.schedule.end_at = Some(moment("2026-03-15T14:00:00Z"));
    let job = compiled(definition.clone(), "2026-03-15T00:30:00Z");
    let all = [
        "2026-03-15T12:00:00.000Z",
        "2026-03-15T13:00:00.000Z",
        "2026-03-15T14:00:00.000Z",
    ];
    assert_eq!(times(job.timing(), "2026-03-15T00:30:00Z", 9), all);
    assert_eq!(
        job.timing().count(
            moment("2026-03-01T00:00:00Z"),
            moment("2026-04-01T00:00:00Z")
        ),
        3
    );
    definition.schedule.start_at = Some(moment("2026-03-15T12:00:00.001Z"));
    assert_eq!(
        times(
            compiled(definition, "2026-03-15T00:30:00Z").timing(),
            "2026-03-15T00:30:00Z",
            9
        ),
        all[1..]
    );
}

#[test]
fn one_time_and_manual() {
    let mut definition = Definition {
        kind: Kind::OneTime,
        ..every(1)
    };
    definition.schedule = crate::ScheduleSpec {
        run_at: Some(moment("2026-05-01T00:00:00.5Z")),
        ..Default::default()
    };
    let job = compiled(definition, "2026-04-01T00:00:00Z");
    assert_eq!(
        times(job.timing(), "2026-04-01T00:00:00Z", 5),
        ["2026-05-01T00:00:00.500Z"]
    );
    assert_eq!(
        times(job.timing(), "2026-05-01T00:00:00.500Z", 5),
        Vec::<String>::new()
    );
    assert_eq!(
        job.timing().count(
            moment("2026-04-01T00:00:00Z"),
            moment("2026-05-01T00:00:00.5Z")
        ),
        1
    );

    let manual = Definition {
        kind: Kind::Manual,
        schedule: crate::ScheduleSpec::default(),
        ..every(1)
    };
    let manual = compiled(manual, "2026-04-01T00:00:00Z");
    assert_eq!(
        (
            manual.first_due(Moment::EPOCH),
            manual.timing().count(Moment::MIN, Moment::MAX)
        ),
        (None, 0)
    );
}

#[test]
fn jitter_is_the_same_for_the_same_job_and_occurrence() {
    let mut definition = every(60);
    definition.schedule.jitter_seconds = Some(59);
    let (a, b) = (
        compiled(definition.clone(), "2026-01-01T00:00:00Z"),
        compiled(definition, "2026-01-01T00:00:00Z"),
    );
    let at = moment("2026-01-01T00:05:00Z");
    assert_eq!(a.timing().due(at), b.timing().due(at));
    // Written down once: another answer would move pending occurrences.
    assert_eq!(
        a.timing().due(at).run_at,
        moment("2026-01-01T00:05:12.294Z")
    );
    let spread: std::collections::BTreeSet<_> = (1..=100)
        .map(|n| {
            a.timing()
                .due(at.plus_seconds(60 * n))
                .run_at
                .since(at.plus_seconds(60 * n))
        })
        .collect();
    assert!(spread.len() > 90, "{}", spread.len());
    assert!(*spread.last().unwrap() > 50_000 && *spread.first().unwrap() < 9_000);
}

#[test]
fn jitter_keeps_the_order_where_clocks_bring_times_together() {
    // 02:15 and 02:45 move to 03:00, a quarter of an hour before 03:15.
    let mut definition = cron_job("15,45 2,3 * * *", "America/New_York");
    definition.schedule.jitter_seconds = Some(1_799);
    for id in 0..50 {
        let job = crate::Job::compile(
            definition.clone(),
            &Anchor {
                job_id: &format!("cj_{id}"),
                created_at: moment("2026-01-01T00:00:00Z"),
            },
        )
        .unwrap();
        let first = job.first_due(moment("2026-03-08T06:00:00Z")).unwrap();
        let second = job.first_due(first.scheduled_for).unwrap();
        assert_eq!(first.scheduled_for, moment("2026-03-08T07:00:00Z"));
        assert_eq!(second.scheduled_for, moment("2026-03-08T07:15:00Z"));
        assert!(first.run_at < second.run_at && first.run_at < second.scheduled_for);
    }
}

#[test]
fn a_span_can_be_filled_back() {
    let job = compiled(
        cron_job("0 */6 * * *", "Europe/Berlin"),
        "2026-03-15T10:00:00Z",
    );
    let (from, to) = (
        moment("2026-03-01T00:00:00Z"),
        moment("2026-03-02T23:00:00Z"),
    );
    let found = job.timing().between(from, to, 1_000);
    assert_eq!(found.len() as u64, job.timing().count(from, to));
    assert_eq!((found[0], found[7]), (moment("2026-03-01T05:00:00Z"), to));
    assert_eq!(job.timing().between(from, to, 3), found[..3]);
    // A recurring job keeps its alignment before its creation.
    let job = compiled(every(3_600), "2026-03-15T10:07:00Z");
    assert_eq!(
        job.timing()
            .between(from, moment("2026-03-01T02:00:00Z"), 9),
        [
            moment("2026-03-01T00:07:00Z"),
            moment("2026-03-01T01:07:00Z"),
        ]
    );
}

#[test]
fn the_schedule_compiles_alone() {
    let anchor = Anchor {
        job_id: "cj_test",
        created_at: moment("2026-03-15T10:00:00Z"),
    };
    let definition = Definition {
        request: None,
        ..cron_job("H H * * *", "Asia/Tokyo")
    };
    let alone = Timing::compile(&definition, &anchor).unwrap();
    let whole = compiled(cron_job("H H * * *", "Asia/Tokyo"), "2026-03-15T10:00:00Z");
    assert_eq!(
        alone.first_due(anchor.created_at),
        whole.first_due(anchor.created_at)
    );
    assert!(Timing::compile(&cron_job("0 0 31 2 *", "UTC"), &anchor).is_err());
}

#[test]
fn a_schedule_stays_small() {
    assert!(size_of::<Timing>() <= 128, "{}", size_of::<Timing>());
}

proptest! {
    #[test]
    fn recurring_counts_what_it_steps_over(
        seconds in 1_u32..100_000, created in 0_i64..2_000_000_000_000, after in 0_i64..2_000_000_000_000, steps in 0_usize..50,
    ) {
        let job = compiled(every(seconds), &Moment::from_millis(created).to_string());
        let timing = job.timing();
        let after = Moment::from_millis(after.max(created));
        let mut at = after;
        for _ in 0..steps {
            let next = timing.next_after(at).unwrap();
            prop_assert!(next > at);
            prop_assert!(next.since(at) <= i64::from(seconds) * 1_000);
            at = next;
        }
        prop_assert_eq!(timing.count(after, at), steps as u64);
        prop_assert_eq!(at.since(Moment::from_millis(created)) % (i64::from(seconds) * 1_000) == 0 || steps == 0, true);
    }

    #[test]
    fn due_times_keep_their_order(
        jitter in 1_u32..60, from in 1_500_000_000_i64..2_000_000_000,
        zone in prop::sample::select(vec!["Europe/Berlin", "Australia/Lord_Howe", "UTC", "Africa/Casablanca"]),
        text in prop::sample::select(vec!["* * * * *", "*/5 1-3 * * *", "59 1 * * *", "0,30 * * * *", "1,59 0-23 * * *"]),
    ) {
        let mut definition = cron_job(text, zone);
        definition.schedule.jitter_seconds = Some(jitter);
        let job = compiled(definition, "2010-01-01T00:00:00Z");
        let mut last = job.first_due(Moment::from_seconds(from)).unwrap();
        for _ in 0..30 {
            let next = job.first_due(last.scheduled_for).unwrap();
            prop_assert!(next.run_at > last.run_at && next.run_at >= next.scheduled_for);
            prop_assert!(next.run_at.since(next.scheduled_for) <= i64::from(jitter) * 1_000);
            last = next;
        }
    }
}
