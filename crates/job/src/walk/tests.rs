//! Tests of the walk over clock changes: a table, and an oracle that looks at each minute.

mod oracle;
mod table;

use super::*;
use crate::Moment;
use crate::cron;

/// The first `n` occurrences after a moment, all in the form `2026-03-15T10:00:00`, UTC.
pub(super) fn walked(expression: &str, zone: &str, dst: Dst, after: &str, n: usize) -> Vec<String> {
    let fields = cron::parse(expression, "job").unwrap();
    let zone = Zone::named(zone).unwrap();
    let walk = Walk {
        fields: &fields,
        zone: &zone,
        dst,
    };
    let mut at = format!("{after}Z").parse::<Moment>().unwrap().seconds();
    let mut found = Vec::new();
    while found.len() < n {
        at = walk.next_after(at).unwrap();
        found.push(Moment::from_seconds(at).to_string()[..19].to_owned());
    }
    found
}

#[test]
fn rare_days_are_found_across_a_century_without_leap_day() {
    for (expression, after, expected) in [
        ("0 0 29 2 *", "2096-03-01T00:00:00", "2104-02-29T00:00:00"),
        (
            "0 0 * 2 FRI#5",
            "2088-03-01T00:00:00",
            "2112-02-26T00:00:00",
        ),
    ] {
        let found = walked(expression, "UTC", Dst::Vixie, after, 1);
        if expression.ends_with('5') {
            let date: jiff::civil::Date = found[0][..10].parse().unwrap();
            assert_eq!(
                (date.month(), date.day(), date.weekday()),
                (2, 29, jiff::civil::Weekday::Friday),
                "{expected}"
            );
        } else {
            assert_eq!(found, [expected]);
        }
    }
}

#[test]
fn nothing_after_the_last_year() {
    let fields = cron::parse("0 0 1 1 *", "job").unwrap();
    for name in ["UTC", "Europe/Berlin", "Pacific/Auckland"] {
        let zone = Zone::named(name).unwrap();
        let walk = Walk {
            fields: &fields,
            zone: &zone,
            dst: Dst::Vixie,
        };
        let last = walk.next_after(Moment::MAX.seconds());
        assert!(last.is_none_or(|at| at > Moment::MAX.seconds()), "{name}");
    }
}
