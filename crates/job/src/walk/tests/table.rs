//! The table of clock changes: occurrences worked out by hand from each zone's rules, and checked
//! against an independent implementation of the time zone database when it was written.

use crate::Dst::{Skip, Utc, Vixie};
use crate::walk::tests::walked;

/// What it shows, expression, zone, mode, the moment asked from, the occurrences after it; UTC.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    crate::Dst,
    &'static str,
    &'static [&'static str],
);
/// Northern zones that change by an hour in the small hours.
#[rustfmt::skip]
const NORTH_ATLANTIC: &[Row] = &[
    ("New York, fixed in the gap moves to 03:00", "30 2 * * *", "America/New_York", Vixie, "2026-03-08T05:00:00", &["2026-03-08T07:00:00", "2026-03-09T06:30:00"]),
    ("New York, fixed in the gap, skip", "30 2 * * *", "America/New_York", Skip, "2026-03-08T05:00:00", &["2026-03-09T06:30:00"]),
    ("New York, read in UTC", "30 2 * * *", "America/New_York", Utc, "2026-03-08T05:00:00", &["2026-03-09T02:30:00", "2026-03-10T02:30:00"]),
    ("New York, several fixed in the gap are one", "0,15,45 2 * * *", "America/New_York", Vixie, "2026-03-08T06:30:00", &["2026-03-08T07:00:00", "2026-03-09T06:00:00"]),
    ("New York, moved and native at 03:00 are one", "30 2,3 * * *", "America/New_York", Vixie, "2026-03-08T06:30:00", &["2026-03-08T07:00:00", "2026-03-08T07:30:00"]),
    ("New York, moved meets 03:00 itself", "0 2,3 * * *", "America/New_York", Vixie, "2026-03-08T06:30:00", &["2026-03-08T07:00:00", "2026-03-09T06:00:00"]),
    ("New York, range of hours is fixed", "0 1-4 * * *", "America/New_York", Vixie, "2026-03-08T05:59:00", &["2026-03-08T06:00:00", "2026-03-08T07:00:00", "2026-03-08T08:00:00"]),
    ("New York, step of minutes skips the gap", "*/20 2 * * *", "America/New_York", Vixie, "2026-03-08T05:00:00", &["2026-03-09T06:00:00", "2026-03-09T06:20:00"]),
    ("New York, wildcard hour skips the gap", "30 * * * *", "America/New_York", Vixie, "2026-03-08T06:00:00", &["2026-03-08T06:30:00", "2026-03-08T07:30:00"]),
    ("New York, each minute over the gap", "* * * * *", "America/New_York", Vixie, "2026-03-08T06:58:00", &["2026-03-08T06:59:00", "2026-03-08T07:00:00"]),
    ("New York, fixed in the repeated hour, once", "30 1 * * *", "America/New_York", Vixie, "2026-11-01T04:00:00", &["2026-11-01T05:30:00", "2026-11-02T06:30:00"]),
    ("New York, fixed, asked between the passes", "30 1 * * *", "America/New_York", Vixie, "2026-11-01T06:10:00", &["2026-11-02T06:30:00"]),
    ("New York, fixed list, asked in the second pass", "0,30 1,2 * * *", "America/New_York", Vixie, "2026-11-01T05:00:00", &["2026-11-01T05:30:00", "2026-11-01T07:00:00", "2026-11-01T07:30:00"]),
    ("New York, step in the repeated hour, twice", "*/30 1 * * *", "America/New_York", Vixie, "2026-11-01T04:00:00", &["2026-11-01T05:00:00", "2026-11-01T05:30:00", "2026-11-01T06:00:00", "2026-11-01T06:30:00", "2026-11-02T06:00:00"]),
    ("New York, wildcard hour in both passes", "15 * * * *", "America/New_York", Vixie, "2026-11-01T05:00:00", &["2026-11-01T05:15:00", "2026-11-01T06:15:00", "2026-11-01T07:15:00"]),
    ("New York, wildcard under skip, first pass only", "15 * * * *", "America/New_York", Skip, "2026-11-01T05:00:00", &["2026-11-01T05:15:00", "2026-11-01T07:15:00"]),
    ("New York, seconds step around 02:00", "*/30 59 1 * * *", "America/New_York", Vixie, "2026-11-01T05:58:00", &["2026-11-01T05:59:00", "2026-11-01T05:59:30", "2026-11-01T06:59:00", "2026-11-01T06:59:30"]),
    ("New York, fixed seconds in the gap", "15 30 2 * * *", "America/New_York", Vixie, "2026-03-08T05:00:00", &["2026-03-08T07:00:00", "2026-03-09T06:30:15"]),
    ("Berlin, gap", "0 2 * * *", "Europe/Berlin", Vixie, "2026-03-28T12:00:00", &["2026-03-29T01:00:00", "2026-03-30T00:00:00"]),
    ("Berlin, only that Sunday", "30 2 * 3 SUN#5", "Europe/Berlin", Vixie, "2026-03-01T00:00:00", &["2026-03-29T01:00:00"]),
    ("Berlin, repeated hour, once", "30 2 * * *", "Europe/Berlin", Vixie, "2026-10-24T12:00:00", &["2026-10-25T00:30:00", "2026-10-26T01:30:00"]),
    ("Berlin, repeated hour, every 15 minutes", "*/15 2 25 10 *", "Europe/Berlin", Vixie, "2026-10-24T23:59:00", &["2026-10-25T00:00:00", "2026-10-25T00:15:00", "2026-10-25T00:30:00", "2026-10-25T00:45:00", "2026-10-25T01:00:00", "2026-10-25T01:15:00", "2026-10-25T01:30:00", "2026-10-25T01:45:00", "2027-10-25T00:00:00"]),
    ("London, fixed at the edge of the gap", "0 1 * * *", "Europe/London", Vixie, "2026-03-28T12:00:00", &["2026-03-29T01:00:00", "2026-03-30T00:00:00"]),
    ("Dublin, winter time is the exception, fold", "30 1 * * *", "Europe/Dublin", Vixie, "2026-10-24T12:00:00", &["2026-10-25T00:30:00", "2026-10-26T01:30:00"]),
];

/// Shifts of a half, three quarters, or two hours, or of a day; odd hours.
#[rustfmt::skip]
const ODD_SHIFTS: &[Row] = &[
    ("Lord Howe, half-hour gap moves", "15 2 * * *", "Australia/Lord_Howe", Vixie, "2026-10-03T12:00:00", &["2026-10-03T15:30:00", "2026-10-04T15:15:00"]),
    ("Lord Howe, after the half-hour gap stays", "45 2 * * *", "Australia/Lord_Howe", Vixie, "2026-10-03T12:00:00", &["2026-10-03T15:45:00", "2026-10-04T15:45:00"]),
    ("Lord Howe, step skips the half hour", "*/15 2 * * *", "Australia/Lord_Howe", Vixie, "2026-10-03T12:00:00", &["2026-10-03T15:30:00", "2026-10-03T15:45:00", "2026-10-04T15:00:00"]),
    ("Lord Howe, repeated half hour, once", "45 1 * * *", "Australia/Lord_Howe", Vixie, "2026-04-04T12:00:00", &["2026-04-04T14:45:00", "2026-04-05T15:15:00"]),
    ("Lord Howe, before the repeated half hour", "15 1 * * *", "Australia/Lord_Howe", Vixie, "2026-04-04T12:00:00", &["2026-04-04T14:15:00", "2026-04-05T14:45:00"]),
    ("Lord Howe, repeated half hour, both", "*/15 1 * * *", "Australia/Lord_Howe", Vixie, "2026-04-04T13:59:00", &["2026-04-04T14:00:00", "2026-04-04T14:15:00", "2026-04-04T14:30:00", "2026-04-04T14:45:00", "2026-04-04T15:00:00", "2026-04-04T15:15:00", "2026-04-05T14:30:00"]),
    ("Chatham, gap at 02:45 moves", "0 3 * * *", "Pacific/Chatham", Vixie, "2026-09-26T12:00:00", &["2026-09-26T14:00:00", "2026-09-27T13:15:00"]),
    ("Chatham, just before the gap stays", "44 2 * * *", "Pacific/Chatham", Vixie, "2026-09-26T12:00:00", &["2026-09-26T13:59:00", "2026-09-27T12:59:00"]),
    ("Chatham, repeated hour from 02:45, once", "0 3 * * *", "Pacific/Chatham", Vixie, "2026-04-04T12:00:00", &["2026-04-04T13:15:00", "2026-04-05T14:15:00"]),
    ("Chatham, repeated hour, hourly at :50", "50 * * * *", "Pacific/Chatham", Vixie, "2026-04-04T12:30:00", &["2026-04-04T13:05:00", "2026-04-04T14:05:00", "2026-04-04T15:05:00"]),
    ("Troll, two hours missing", "30 1,2 * * *", "Antarctica/Troll", Vixie, "2026-03-28T12:00:00", &["2026-03-29T01:00:00", "2026-03-29T23:30:00", "2026-03-30T00:30:00"]),
    ("Troll, two hours repeated", "0 * 25 10 *", "Antarctica/Troll", Vixie, "2026-10-24T22:30:00", &["2026-10-24T23:00:00", "2026-10-25T00:00:00", "2026-10-25T01:00:00", "2026-10-25T02:00:00", "2026-10-25T03:00:00"]),
    ("Apia 2011, a whole day is missing", "0 9 30 12 *", "Pacific/Apia", Vixie, "2011-12-01T00:00:00", &["2011-12-30T10:00:00", "2012-12-29T19:00:00"]),
    ("Apia 2011, daily over the missing day", "0 9 * * *", "Pacific/Apia", Vixie, "2011-12-29T12:00:00", &["2011-12-29T19:00:00", "2011-12-30T10:00:00", "2011-12-30T19:00:00"]),
    ("Apia 2011, missing day skipped", "0 9 * * *", "Pacific/Apia", Skip, "2011-12-29T12:00:00", &["2011-12-29T19:00:00", "2011-12-30T19:00:00"]),
    ("Apia 2011, hourly is not moved", "0 * * * *", "Pacific/Apia", Vixie, "2011-12-30T08:30:00", &["2011-12-30T09:00:00", "2011-12-30T10:00:00"]),
    ("Kathmandu 1986, fifteen minutes missing", "10 0 * * *", "Asia/Kathmandu", Vixie, "1985-12-31T12:00:00", &["1985-12-31T18:30:00", "1986-01-01T18:25:00"]),
    ("Pyongyang 2018, last half hour of a day missing", "45 23 * * *", "Asia/Pyongyang", Vixie, "2018-05-04T12:00:00", &["2018-05-04T15:00:00", "2018-05-05T14:45:00"]),
    ("Pyongyang 2015, half hour repeated", "45 23 * * *", "Asia/Pyongyang", Vixie, "2015-08-14T12:00:00", &["2015-08-14T14:45:00", "2015-08-15T15:15:00"]),
    ("Caracas 2016, half hour missing", "45 2 * * *", "America/Caracas", Vixie, "2016-04-30T12:00:00", &["2016-05-01T07:00:00", "2016-05-02T06:45:00"]),
];

/// Zones that change at midnight, and the rest.
#[rustfmt::skip]
const MIDNIGHT: &[Row] = &[
    ("Sao Paulo 2018, midnight does not exist", "0 0 * * *", "America/Sao_Paulo", Vixie, "2018-11-03T12:00:00", &["2018-11-04T03:00:00", "2018-11-05T02:00:00"]),
    ("Sao Paulo 2018, midnight skipped", "0 0 * * *", "America/Sao_Paulo", Skip, "2018-11-03T12:00:00", &["2018-11-05T02:00:00"]),
    ("Sao Paulo 2018, half past midnight on Sundays", "30 0 * * SUN", "America/Sao_Paulo", Vixie, "2018-11-03T12:00:00", &["2018-11-04T03:00:00", "2018-11-11T02:30:00"]),
    ("Sao Paulo 2018, last hour of Saturday repeated", "30 23 * * SAT", "America/Sao_Paulo", Vixie, "2018-02-17T12:00:00", &["2018-02-18T01:30:00", "2018-02-25T02:30:00"]),
    ("Sao Paulo 2018, repeated hour, both", "*/30 23 17 2 *", "America/Sao_Paulo", Vixie, "2018-02-17T12:00:00", &["2018-02-18T01:00:00", "2018-02-18T01:30:00", "2018-02-18T02:00:00", "2018-02-18T02:30:00", "2019-02-18T02:00:00"]),
    ("Beirut, midnight gap on the 29th", "0 0 29 3 *", "Asia/Beirut", Vixie, "2026-03-01T00:00:00", &["2026-03-28T22:00:00", "2027-03-28T21:00:00"]),
    ("Beirut, daily at a quarter past midnight", "15 0 * * *", "Asia/Beirut", Vixie, "2026-03-28T12:00:00", &["2026-03-28T22:00:00", "2026-03-29T21:15:00"]),
    ("Beirut, midnight after the repeated hour", "0 0 * * *", "Asia/Beirut", Vixie, "2026-10-24T12:00:00", &["2026-10-24T22:00:00", "2026-10-25T22:00:00"]),
    ("Cairo, midnight gap on a Friday", "0 0 * * FRI", "Africa/Cairo", Vixie, "2025-04-24T12:00:00", &["2025-04-24T22:00:00", "2025-05-01T21:00:00"]),
    ("Cairo, hour before midnight repeated", "15 23 * * *", "Africa/Cairo", Vixie, "2025-10-30T12:00:00", &["2025-10-30T20:15:00", "2025-10-31T21:15:00"]),
    ("Cairo, hourly through midnight gap", "0 */1 * * *", "Africa/Cairo", Vixie, "2025-04-24T20:30:00", &["2025-04-24T21:00:00", "2025-04-24T22:00:00", "2025-04-24T23:00:00"]),
    ("Havana, midnight repeated, once", "0 0 * * *", "America/Havana", Vixie, "2026-10-31T12:00:00", &["2026-11-01T04:00:00", "2026-11-02T05:00:00"]),
    ("Havana, midnight gap", "10 0 * * *", "America/Havana", Vixie, "2026-03-07T12:00:00", &["2026-03-08T05:00:00", "2026-03-09T04:10:00"]),
    ("Azores, gap across midnight UTC", "30 0 * * *", "Atlantic/Azores", Vixie, "2026-03-28T12:00:00", &["2026-03-29T01:00:00", "2026-03-30T00:30:00"]),
    ("Casablanca 2025, Ramadan, clocks back", "30 2 * * *", "Africa/Casablanca", Vixie, "2025-02-22T12:00:00", &["2025-02-23T01:30:00", "2025-02-24T02:30:00"]),
    ("Casablanca 2025, after Ramadan, gap", "30 2 * * *", "Africa/Casablanca", Vixie, "2025-04-05T12:00:00", &["2025-04-06T02:00:00", "2025-04-07T01:30:00"]),
    ("Tehran 2022, midnight gap", "0 0 * * *", "Asia/Tehran", Vixie, "2022-03-21T12:00:00", &["2022-03-21T20:30:00", "2022-03-22T19:30:00"]),
    ("Asuncion 2024, midnight gap", "5 0 * * SUN", "America/Asuncion", Vixie, "2024-10-05T12:00:00", &["2024-10-06T04:00:00", "2024-10-13T03:05:00"]),
    ("Kolkata, no changes", "30 5 * * *", "Asia/Kolkata", Vixie, "2026-03-29T00:00:00", &["2026-03-30T00:00:00", "2026-03-31T00:00:00"]),
    ("Leap day in Auckland", "0 12 29 2 *", "Pacific/Auckland", Vixie, "2026-01-01T00:00:00", &["2028-02-28T23:00:00", "2032-02-28T23:00:00"]),
    ("Sydney, last Friday", "0 2 * * 5L", "Australia/Sydney", Vixie, "2026-03-20T00:00:00", &["2026-03-26T15:00:00", "2026-04-23T16:00:00"]),
    ("Sydney, gap on the first Sunday of October", "30 2 * 10 SUN#1", "Australia/Sydney", Vixie, "2026-09-01T00:00:00", &["2026-10-03T16:00:00", "2027-10-02T16:00:00"]),
];

fn check(rows: &[Row]) {
    for (name, expression, zone, dst, after, expected) in rows {
        assert_eq!(
            walked(expression, zone, *dst, after, expected.len()),
            *expected,
            "{name}"
        );
    }
}

#[test]
fn hour_changes() {
    check(NORTH_ATLANTIC);
}

#[test]
fn odd_shifts() {
    check(ODD_SHIFTS);
}

#[test]
fn midnight_changes() {
    check(MIDNIGHT);
}
