//! Tests of what a schedule may say.

use crate::testing::{compiled, cron_job, every, moment, problems};
use crate::{Anchor, Definition, Dst, Job, Kind, ScheduleSpec};

fn with(kind: Kind, schedule: ScheduleSpec) -> Definition {
    Definition {
        kind,
        schedule,
        ..every(1)
    }
}

fn empty() -> ScheduleSpec {
    ScheduleSpec::default()
}

#[test]
fn each_kind_needs_its_own() {
    for (kind, field) in [
        (Kind::Recurring, "schedule.every_n_minutes"),
        (Kind::Cron, "schedule.expression"),
        (Kind::OneTime, "schedule.run_at"),
    ] {
        assert_eq!(
            problems(with(kind, empty())),
            [(field.to_owned(), "required")]
        );
    }
    assert_eq!(problems(with(Kind::Manual, empty())), []);
}

#[test]
fn what_belongs_to_another_kind_is_refused() {
    let all = ScheduleSpec {
        every_n_minutes: Some(5),
        every_seconds: Some(5),
        expression: Some("@daily".to_owned()),
        run_at: Some(moment("2027-01-01T00:00:00Z")),
        dst: Some(Dst::Skip),
        ..empty()
    };
    let fields = |kind| {
        let found = problems(with(kind, all.clone()));
        found
            .into_iter()
            .filter(|(_, code)| *code == "wrong_kind")
            .map(|(field, _)| field)
            .collect::<Vec<_>>()
    };
    assert_eq!(fields(Kind::Manual).len(), 5);
    assert_eq!(
        fields(Kind::Cron),
        [
            "schedule.every_n_minutes",
            "schedule.every_seconds",
            "schedule.run_at"
        ]
    );
    assert_eq!(fields(Kind::OneTime).len(), 4);
    assert_eq!(
        fields(Kind::Recurring),
        ["schedule.expression", "schedule.dst", "schedule.run_at"]
    );
}

#[test]
fn intervals_have_bounds() {
    for (minutes, seconds, expected) in [
        (
            Some(0),
            None,
            Some(("schedule.every_n_minutes", "out_of_range")),
        ),
        (Some(1), None, None),
        (Some(1_440), None, None),
        (
            Some(1_441),
            None,
            Some(("schedule.every_n_minutes", "out_of_range")),
        ),
        (
            None,
            Some(0),
            Some(("schedule.every_seconds", "out_of_range")),
        ),
        (None, Some(1), None),
        (None, Some(31_536_000), None),
        (
            None,
            Some(31_536_001),
            Some(("schedule.every_seconds", "out_of_range")),
        ),
        (
            None,
            Some(u32::MAX),
            Some(("schedule.every_seconds", "out_of_range")),
        ),
        (
            Some(1),
            Some(60),
            Some(("schedule.every_seconds", "conflict")),
        ),
    ] {
        let spec = ScheduleSpec {
            every_n_minutes: minutes,
            every_seconds: seconds,
            ..empty()
        };
        let expected: Vec<_> = expected
            .map(|(field, code)| (field.to_owned(), code))
            .into_iter()
            .collect();
        assert_eq!(
            problems(with(Kind::Recurring, spec)),
            expected,
            "{minutes:?} {seconds:?}"
        );
    }
}

#[test]
fn zone_and_expression_are_both_told() {
    let anchor = Anchor {
        job_id: "cj",
        created_at: moment("2026-01-01T00:00:00Z"),
    };
    let found = Job::compile(cron_job("0 25 * * 9", "Mars/Olympus"), &anchor).unwrap_err();
    let found: Vec<_> = found
        .iter()
        .map(|problem| (&*problem.field, problem.code, problem.position))
        .collect();
    assert_eq!(
        found,
        [
            ("schedule.timezone", "unknown_timezone", None),
            ("schedule.expression", "out_of_range", Some(2)),
            ("schedule.expression", "out_of_range", Some(9)),
        ]
    );
}

#[test]
fn what_never_fires_is_refused() {
    let ending = |mut definition: Definition, end: &str| {
        definition.schedule.end_at = Some(moment(end));
        definition
    };
    let once = |at: &str| {
        with(
            Kind::OneTime,
            ScheduleSpec {
                run_at: Some(moment(at)),
                ..empty()
            },
        )
    };
    for (definition, field) in [
        (cron_job("0 0 31 2 *", "UTC"), "schedule.expression"),
        (
            ending(cron_job("0 0 1 1 *", "UTC"), "2026-12-31T23:59:59Z"),
            "schedule.end_at",
        ),
        (
            ending(every(3_600), "2026-01-01T00:59:59Z"),
            "schedule.end_at",
        ),
        (
            ending(every(3_600), "2025-06-01T00:00:00Z"),
            "schedule.end_at",
        ),
        (once("2025-12-31T23:59:59Z"), "schedule.run_at"),
        (once("2026-01-01T00:00:00Z"), "schedule.run_at"),
        (
            ending(once("2026-05-01T00:00:00Z"), "2026-04-01T00:00:00Z"),
            "schedule.run_at",
        ),
    ] {
        assert_eq!(problems(definition), [(field.to_owned(), "never_fires")]);
    }
    assert_eq!(problems(ending(every(3_600), "2026-01-01T01:00:00Z")), []);
    assert_eq!(problems(once("2026-01-01T00:00:00.001Z")), []);
}

#[test]
fn end_must_follow_start() {
    let mut definition = every(60);
    definition.schedule.start_at = Some(moment("2026-02-01T00:00:00Z"));
    definition.schedule.end_at = definition.schedule.start_at;
    assert_eq!(
        problems(definition),
        [("schedule.end_at".to_owned(), "out_of_range")]
    );
}

#[test]
fn jitter_must_be_shorter_than_the_shortest_interval() {
    for (mut definition, longest) in [
        (every(60), 59),
        (every(200_000), 86_400),
        (cron_job("* * * * *", "UTC"), 59),
        (cron_job("0,59 * * * *", "UTC"), 59),
        (cron_job("0 0 * * *", "UTC"), 86_399),
        (cron_job("0 0 1 * *", "UTC"), 86_400),
        (cron_job("*/2 * * * * *", "UTC"), 1),
    ] {
        definition.schedule.jitter_seconds = Some(longest);
        assert_eq!(problems(definition.clone()), [], "{definition:?}");
        definition.schedule.jitter_seconds = Some(longest + 1);
        let expected = [("schedule.jitter_seconds".to_owned(), "out_of_range")];
        assert_eq!(problems(definition.clone()), expected, "{definition:?}");
    }
    let mut definition = every(1);
    definition.schedule.jitter_seconds = Some(0);
    assert_eq!(problems(definition), []);
}

#[test]
fn the_zone_is_utc_when_missing() {
    let mut definition = cron_job("30 6 * * *", "UTC");
    definition.schedule.timezone = None;
    let job = compiled(definition, "2026-01-01T00:00:00Z");
    assert_eq!(
        job.first_due(moment("2026-01-01T00:00:00Z"))
            .unwrap()
            .run_at,
        moment("2026-01-01T06:30:00Z")
    );
}
