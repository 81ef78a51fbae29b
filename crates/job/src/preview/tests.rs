//! Tests of previews, descriptions and DST notes.

use crate::testing::{compiled, cron_job, every, moment};
use crate::{Definition, Dst, Kind, Moment, ScheduleSpec};

const CREATED: &str = "2026-01-01T00:00:00Z";

fn locals(definition: Definition, now: &str, n: usize) -> Vec<String> {
    compiled(definition, CREATED)
        .preview(moment(now), n)
        .into_iter()
        .map(|next| next.local)
        .collect()
}

#[test]
fn the_next_times_carry_zone_and_offset() {
    assert_eq!(
        locals(
            cron_job("30 2 * * *", "Europe/Berlin"),
            "2026-03-27T12:00:00Z",
            4
        ),
        [
            "2026-03-28T02:30:00+01:00",
            "2026-03-29T03:00:00+02:00",
            "2026-03-30T02:30:00+02:00",
            "2026-03-31T02:30:00+02:00"
        ]
    );
    assert_eq!(
        locals(
            cron_job("45 1 * * *", "Australia/Lord_Howe"),
            "2026-10-02T12:00:00Z",
            2
        ),
        ["2026-10-03T01:45:00+10:30", "2026-10-04T01:45:00+10:30"]
    );
    assert_eq!(
        locals(
            cron_job("0 0 * * *", "America/St_Johns"),
            "2026-01-01T12:00:00Z",
            1
        ),
        ["2026-01-02T00:00:00-03:30"]
    );
    let next =
        &compiled(cron_job("0 0 * * *", "asia/tokyo"), CREATED).preview(moment(CREATED), 1)[0];
    assert_eq!(
        (next.zone.as_str(), next.at),
        ("Asia/Tokyo", moment("2026-01-01T15:00:00Z"))
    );
}

#[test]
fn a_recurring_job_is_shown_in_its_zone() {
    let mut definition = every(86_400);
    definition.schedule.timezone = Some("Asia/Kolkata".to_owned());
    definition.schedule.start_at = Some(moment("2026-01-02T00:00:00.250Z"));
    assert_eq!(
        locals(definition, CREATED, 1),
        ["2026-01-02T05:30:00.250+05:30"]
    );
}

#[test]
fn a_page_is_the_most() {
    assert_eq!(locals(every(60), CREATED, 5).len(), 5);
    assert_eq!(locals(every(60), CREATED, 1_000).len(), 100);
    let mut definition = every(60);
    definition.schedule.end_at = Some(moment("2026-01-01T00:02:30Z"));
    assert_eq!(locals(definition, CREATED, 5).len(), 2);
}

#[test]
fn descriptions() {
    let described = |definition| compiled(definition, CREATED).describe();
    for (seconds, expected) in [
        (1, "Every second"),
        (60, "Every minute"),
        (90, "Every 90 seconds"),
        (3_600, "Every hour"),
        (5_400, "Every 90 minutes"),
        (7_200, "Every 2 hours"),
        (86_400, "Every day"),
        (604_800, "Every 7 days"),
    ] {
        assert_eq!(described(every(seconds)), expected);
    }
    assert_eq!(
        described(cron_job("0 9 * * MON-FRI", "Europe/Berlin")),
        "At 09:00 on Monday to Friday, Europe/Berlin"
    );
    let mut definition = cron_job("*/15 * * * *", "Europe/Berlin");
    definition.schedule.dst = Some(Dst::Utc);
    definition.schedule.jitter_seconds = Some(90);
    definition.schedule.start_at = Some(moment("2026-02-01T00:00:00Z"));
    assert_eq!(
        described(definition),
        "Every 15 minutes, UTC, up to 90 seconds later, from 2026-02-01T01:00:00+01:00"
    );
    assert_eq!(
        described(Definition {
            kind: Kind::Manual,
            schedule: ScheduleSpec::default(),
            ..every(1)
        }),
        "Only when asked to"
    );
    let once = ScheduleSpec {
        run_at: Some(moment("2026-07-01T10:00:00Z")),
        timezone: Some("Europe/Berlin".to_owned()),
        ..Default::default()
    };
    assert_eq!(
        described(Definition {
            kind: Kind::OneTime,
            schedule: once,
            ..every(1)
        }),
        "Once, at 2026-07-01T12:00:00+02:00"
    );
}

fn notes(expression: &str, zone: &str, dst: Dst) -> Vec<String> {
    let mut definition = cron_job(expression, zone);
    definition.schedule.dst = Some(dst);
    compiled(definition, CREATED).dst_notes(moment(CREATED))
}

#[test]
fn notes_tell_what_is_moved_left_out_or_doubled() {
    assert_eq!(
        notes("30 2 * * *", "Europe/Berlin", Dst::Vixie),
        [
            "On 2026-03-29 clocks in Europe/Berlin go forward: the occurrence at 02:30 runs at 03:00, the first moment after the gap",
            "On 2026-10-25 clocks in Europe/Berlin go back: the occurrence at 02:30 runs once, at the first pass",
        ]
    );
    assert_eq!(
        notes("*/30 * * * *", "Europe/Berlin", Dst::Vixie),
        [
            "On 2026-03-29 clocks in Europe/Berlin go forward: 2 occurrences from 02:00 are left out",
            "On 2026-10-25 clocks in Europe/Berlin go back: 2 occurrences from 02:00 run twice, in both passes",
        ]
    );
    assert_eq!(
        notes("30 2 * * *", "Europe/Berlin", Dst::Skip)[0],
        "On 2026-03-29 clocks in Europe/Berlin go forward: the occurrence at 02:30 is left out"
    );
    assert_eq!(
        notes("0,15,30 2 * * *", "Australia/Lord_Howe", Dst::Vixie),
        [
            "On 2026-10-04 clocks in Australia/Lord_Howe go forward: 2 occurrences from 02:00 run as one at 02:30, the first moment after the gap"
        ]
    );
    assert_eq!(
        notes("0 0 * * *", "Africa/Cairo", Dst::Vixie)[0],
        "On 2026-04-24 clocks in Africa/Cairo go forward: the occurrence at 00:00 runs at 01:00, the first moment after the gap"
    );
}

#[test]
fn no_note_where_nothing_changes() {
    assert!(notes("30 2 * * *", "Europe/Berlin", Dst::Utc).is_empty());
    assert!(notes("30 2 * * *", "UTC", Dst::Vixie).is_empty());
    assert!(notes("30 2 * * *", "Asia/Kolkata", Dst::Vixie).is_empty());
    assert!(notes("0 9 * * *", "Europe/Berlin", Dst::Vixie).is_empty());
    assert!(notes("30 2 * * MON", "Europe/Berlin", Dst::Vixie).is_empty());
    assert!(
        compiled(every(60), CREATED)
            .dst_notes(moment(CREATED))
            .is_empty()
    );
    let mut definition = cron_job("30 2 * * *", "Europe/Berlin");
    definition.schedule.end_at = Some(moment("2026-03-01T00:00:00Z"));
    assert!(
        compiled(definition, CREATED)
            .dst_notes(moment(CREATED))
            .is_empty()
    );
}

#[test]
fn every_zone_can_be_shown() {
    for name in jiff::tz::db().available() {
        let job = compiled(cron_job("30 2 * * *", name.as_str()), CREATED);
        let next = &job.preview(moment(CREATED), 1)[0];
        let back: Moment = next.local.parse().unwrap();
        assert_eq!(back, next.at, "{}", next.local);
        assert!(
            job.dst_notes(moment(CREATED)).len() <= 5,
            "{}",
            name.as_str()
        );
    }
}
