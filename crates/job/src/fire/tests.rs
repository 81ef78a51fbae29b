//! Tests of firing: tables of what runs and what is skipped, and properties against a plain count.

mod properties;

use super::*;
use crate::testing::{compiled, cron_job, every, moment};
use crate::{Definition, Misfire};

/// A job every minute from 10:00.
fn minutely(misfire: Misfire, window: u32) -> Job {
    let definition = Definition {
        misfire,
        misfire_window_seconds: window,
        ..every(60)
    };
    compiled(definition, "2026-03-15T10:00:00Z")
}

fn at(time: &str) -> Moment {
    moment(&format!("2026-03-15T{time}Z"))
}

fn plain(scheduled_for: Moment) -> Due {
    Due {
        run_at: scheduled_for,
        scheduled_for,
    }
}

fn run_times(fired: &Fired) -> Vec<Moment> {
    fired.run.iter().map(|due| due.scheduled_for).collect()
}

#[test]
fn the_common_case() {
    for misfire in [Misfire::Latest, Misfire::Skip, Misfire::All] {
        let fired = fire(
            &minutely(misfire, 0),
            plain(at("10:05:00")),
            at("10:05:00.120"),
        );
        let expected = Fired {
            run: vec![plain(at("10:05:00"))],
            next: Some(plain(at("10:06:00"))),
            ..Fired::default()
        };
        assert_eq!(fired, expected, "{misfire:?}");
    }
}

#[test]
fn a_clock_that_went_back_runs_nothing() {
    let due = plain(at("10:05:00"));
    let fired = fire(&minutely(Misfire::All, 86_400), due, at("10:04:59.999"));
    assert_eq!(
        fired,
        Fired {
            next: Some(due),
            ..Fired::default()
        }
    );
}

#[test]
fn five_minutes_missed() {
    // 10:01 to 10:05 are due; the newest is 30 s late, on time.
    let now = at("10:05:30");
    let minutes = |range: std::ops::RangeInclusive<i64>| {
        range
            .map(|n| at("10:00:00").plus_seconds(60 * n))
            .collect::<Vec<_>>()
    };
    for (misfire, window, runs, reasons) in [
        (
            Misfire::Latest,
            86_400,
            minutes(5..=5),
            vec![SkipReason::Misfire; 4],
        ),
        (
            Misfire::Skip,
            86_400,
            minutes(5..=5),
            vec![SkipReason::Misfire; 4],
        ),
        (Misfire::All, 86_400, minutes(1..=5), vec![]),
        (
            Misfire::All,
            150,
            minutes(3..=5),
            vec![SkipReason::MisfireWindow; 2],
        ),
        (
            Misfire::Latest,
            150,
            minutes(5..=5),
            vec![
                SkipReason::MisfireWindow,
                SkipReason::MisfireWindow,
                SkipReason::Misfire,
                SkipReason::Misfire,
            ],
        ),
        (
            Misfire::All,
            0,
            minutes(5..=5),
            vec![SkipReason::MisfireWindow; 4],
        ),
    ] {
        let fired = fire(&minutely(misfire, window), plain(at("10:01:00")), now);
        assert_eq!(run_times(&fired), runs, "{misfire:?} {window}");
        let expected: Vec<_> = minutes(1..=4).into_iter().zip(reasons).collect();
        assert_eq!(fired.skipped, expected, "{misfire:?} {window}");
        assert_eq!(
            (fired.skipped_more, fired.next),
            (0, Some(plain(at("10:06:00"))))
        );
    }
}

#[test]
fn one_hour_late_alone() {
    let daily = |misfire, window| {
        let definition = Definition {
            misfire,
            misfire_window_seconds: window,
            ..cron_job("0 9 * * *", "UTC")
        };
        fire(
            &compiled(definition, "2026-03-01T00:00:00Z"),
            plain(at("09:00:00")),
            at("10:00:00"),
        )
    };
    let skipped = |reason| vec![(at("09:00:00"), reason)];
    for (misfire, window, runs, expected) in [
        (Misfire::Latest, 86_400, 1, vec![]),
        (Misfire::All, 86_400, 1, vec![]),
        (Misfire::Skip, 86_400, 0, skipped(SkipReason::Misfire)),
        (Misfire::Latest, 3_600, 1, vec![]),
        (
            Misfire::Latest,
            3_599,
            0,
            skipped(SkipReason::MisfireWindow),
        ),
        (Misfire::All, 3_599, 0, skipped(SkipReason::MisfireWindow)),
    ] {
        let fired = daily(misfire, window);
        assert_eq!(
            (fired.run.len(), fired.skipped),
            (runs, expected),
            "{misfire:?} {window}"
        );
        assert_eq!(fired.next, Some(plain(moment("2026-03-16T09:00:00Z"))));
    }
}

#[test]
fn a_year_of_missed_seconds() {
    let created = "2025-03-15T10:00:00Z";
    let recurring = |misfire| {
        compiled(
            Definition {
                misfire,
                ..every(1)
            },
            created,
        )
    };
    let cron = |misfire| {
        compiled(
            Definition {
                misfire,
                ..cron_job("* * * * * *", "Europe/Berlin")
            },
            created,
        )
    };
    let due = plain(moment("2025-03-15T10:00:01Z"));
    let now = at("10:00:00.500");
    let year = 365 * 86_400;
    for (name, make) in [
        ("recurring", &recurring as &dyn Fn(Misfire) -> Job),
        ("cron", &cron),
    ] {
        let latest = fire(&make(Misfire::Latest), due, now);
        assert_eq!(run_times(&latest), [at("10:00:00")], "{name}");
        assert_eq!(
            (latest.skipped.len(), latest.skipped_more),
            (100, year - 101),
            "{name}"
        );
        assert_eq!(latest.skipped[99], (at("09:59:59"), SkipReason::Misfire));
        assert_eq!(latest.next, Some(plain(at("10:00:01"))));

        let all = fire(&make(Misfire::All), due, now);
        assert_eq!(
            (all.run.len(), all.skipped.len(), all.skipped_more),
            (100, 100, year - 200),
            "{name}"
        );
        assert_eq!(all.run[0], plain(at("09:58:21")));
        assert_eq!(all.skipped[99], (at("09:58:20"), SkipReason::MisfireLimit));
    }
}

#[test]
fn one_time_ends() {
    let mut definition = Definition {
        kind: crate::Kind::OneTime,
        ..every(1)
    };
    definition.schedule = crate::ScheduleSpec {
        run_at: Some(at("12:00:00")),
        ..Default::default()
    };
    let job = compiled(definition, "2026-03-15T10:00:00Z");
    let fired = fire(&job, plain(at("12:00:00")), at("12:00:01"));
    assert_eq!(
        fired,
        Fired {
            run: vec![plain(at("12:00:00"))],
            ..Fired::default()
        }
    );
}

#[test]
fn the_last_before_its_end() {
    let mut definition = every(60);
    definition.schedule.end_at = Some(at("10:03:00"));
    let job = compiled(definition, "2026-03-15T10:00:00Z");
    let fired = fire(&job, plain(at("10:01:00")), at("11:00:00"));
    assert_eq!(
        (run_times(&fired), fired.skipped.len(), fired.next),
        (vec![at("10:03:00")], 2, None)
    );
}

#[test]
fn missed_over_a_repeated_hour() {
    let definition = Definition {
        misfire: Misfire::All,
        ..cron_job("*/30 * * * *", "Europe/Berlin")
    };
    let job = compiled(definition, "2026-01-01T00:00:00Z");
    let fired = fire(
        &job,
        plain(moment("2026-10-25T00:00:00Z")),
        moment("2026-10-25T02:10:00Z"),
    );
    assert_eq!(fired.run.len(), 5);
    assert_eq!(fired.next, Some(plain(moment("2026-10-25T02:30:00Z"))));
}

#[test]
fn reasons_have_codes_and_words() {
    let reasons = [
        SkipReason::Misfire,
        SkipReason::MisfireWindow,
        SkipReason::MisfireLimit,
        SkipReason::Overlap,
        SkipReason::QueueFull,
    ];
    let codes: std::collections::BTreeSet<_> = reasons.iter().map(|reason| reason.code()).collect();
    assert_eq!(codes.len(), reasons.len());
    assert!(reasons.iter().all(|reason| !reason.message().is_empty()));
}
