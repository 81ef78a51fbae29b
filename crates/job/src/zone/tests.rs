//! Tests of the stretches against the time zone library, over all zones.

use super::*;

const FROM: i64 = 946_684_800;
const TO: i64 = 2_208_988_800;

#[test]
fn stretches_cover_time_without_holes_in_every_zone() {
    for name in jiff::tz::db().available() {
        let zone = Zone::named(name.as_str()).unwrap();
        let library = TimeZone::get(name.as_str()).unwrap();
        let mut stretch = zone.stretch_at(FROM);
        assert!(
            stretch.start <= FROM && FROM < stretch.end,
            "{}",
            name.as_str()
        );
        while stretch.end < TO {
            let next = zone.stretch_at(stretch.end);
            assert_eq!(
                (next.start, next.before),
                (stretch.end, stretch.offset),
                "{}",
                name.as_str()
            );
            let middle = next.start + (next.end.min(TO) - next.start) / 2;
            for at in [next.start, middle, next.end.min(TO) - 1] {
                assert_eq!(
                    next.offset,
                    i64::from(library.to_offset(stamp(at)).seconds())
                );
            }
            assert_eq!(zone.stretch_at(middle), next);
            stretch = next;
        }
    }
}

#[test]
fn all_zones_of_the_database_are_there() {
    assert!(jiff::tz::db().available().count() > 590);
    for (given, name) in [
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("UTC", "UTC"),
        ("Australia/Lord_Howe", "Australia/Lord_Howe"),
        ("Asia/Calcutta", "Asia/Calcutta"),
    ] {
        assert_eq!(Zone::named(given).unwrap().name(), name);
    }
}

#[test]
fn what_is_no_zone_is_refused() {
    for name in [
        "",
        " ",
        "Mars/Olympus",
        "Europe",
        "+02:00",
        "CEST",
        "Etc/Unknown",
        "../UTC",
        "Europe/Berlin ",
        "Löndon",
    ] {
        assert!(Zone::named(name).is_none(), "{name}");
    }
    assert!(Zone::named(&"A".repeat(100_000)).is_none());
}

#[test]
fn a_zone_without_changes_is_one_stretch() {
    let stretch = Zone::UTC.stretch_at(0);
    assert_eq!(
        (stretch.start, stretch.end, stretch.offset, stretch.before),
        (i64::MIN, i64::MAX, 0, 0)
    );
}
