//! Tests of the calendar against the time zone library's.

use super::*;

#[test]
fn each_day_of_four_centuries_agrees() {
    let mut date = jiff::civil::date(1800, 1, 1);
    let mut number = -62_091;
    while date.year() <= 2_210 {
        let ours = Date::of(number);
        assert_eq!(
            (ours.year, ours.month, ours.day),
            (
                i64::from(date.year()),
                date.month() as u32,
                date.day() as u32
            ),
        );
        assert_eq!(ours.day_number(), number);
        assert_eq!(
            weekday(number),
            date.weekday().to_sunday_zero_offset() as u32
        );
        assert_eq!(is_leap(ours.year), date.in_leap_year());
        assert_eq!(
            days_in_month(is_leap(ours.year), ours.month),
            date.days_in_month() as u32
        );
        date = date.tomorrow().unwrap();
        number += 1;
    }
}
