//! Tests of parsing and of the sets of local times, with croner for a second opinion.

mod grammar;
mod opinion;

use super::*;

fn fields(text: &str) -> Fields {
    parse(text, "cj_test").unwrap_or_else(|errors| panic!("{text}: {errors:?}"))
}

/// The day numbers of a month that match, by stepping.
fn days(text: &str, year: i64, month: u32) -> Vec<u32> {
    let fields = fields(text);
    let first = Date {
        year,
        month,
        day: 1,
    }
    .day_number();
    let mut found = Vec::new();
    let mut day = first;
    while let Some(next) = fields.day_at_or_after(day) {
        let date = Date::of(next);
        if (date.year, date.month) != (year, month) {
            break;
        }
        found.push(date.day);
        day = next + 1;
    }
    found
}

#[test]
fn day_rules() {
    // August 2026 begins on a Saturday, February 2026 on a Sunday; May 2026 ends on a Sunday.
    for (text, year, month, expected) in [
        ("0 0 L * *", 2026, 2, vec![28]),
        ("0 0 L * *", 2028, 2, vec![29]),
        ("0 0 L,15 * *", 2026, 4, vec![15, 30]),
        ("0 0 LW * *", 2026, 5, vec![29]),
        ("0 0 LW * *", 2026, 8, vec![31]),
        ("0 0 1W * *", 2026, 8, vec![3]),
        ("0 0 1W * *", 2026, 2, vec![2]),
        ("0 0 15W * *", 2026, 8, vec![14]),
        ("0 0 16W * *", 2026, 8, vec![17]),
        ("0 0 31W * *", 2026, 5, vec![29]),
        ("0 0 31W * *", 2026, 4, vec![]),
        ("0 0 L,15W * *", 2026, 8, vec![14, 31]),
        ("0 0 * * 5L", 2026, 8, vec![28]),
        ("0 0 * * FRI#L", 2026, 8, vec![28]),
        ("0 0 * * MON#1", 2026, 8, vec![3]),
        ("0 0 * * 6#5", 2026, 8, vec![29]),
        ("0 0 * * 3#5", 2026, 8, vec![]),
        ("0 0 * * 1#1,5#3", 2026, 8, vec![3, 21]),
        ("0 0 * * 0", 2026, 8, vec![2, 9, 16, 23, 30]),
        ("0 0 * * 7", 2026, 8, vec![2, 9, 16, 23, 30]),
        (
            "0 0 * * SAT-SUN",
            2026,
            8,
            vec![1, 2, 8, 9, 15, 16, 22, 23, 29, 30],
        ),
        ("0 0 13 * FRI", 2026, 2, vec![6, 13, 20, 27]),
        ("0 0 13 * FRI", 2026, 8, vec![7, 13, 14, 21, 28]),
        ("0 0 ? * MON", 2026, 8, vec![3, 10, 17, 24, 31]),
        ("0 0 10 * ?", 2026, 8, vec![10]),
        ("0 0 */10 * *", 2026, 8, vec![1, 11, 21, 31]),
        ("0 0 * FEB *", 2026, 8, vec![]),
    ] {
        assert_eq!(
            days(text, year, month),
            expected,
            "{text} in {year}-{month}"
        );
    }
}

#[test]
fn times_of_day() {
    for (text, expected) in [
        ("0 0 * * *", vec![0]),
        ("30 6,18 * * *", vec![23_400, 66_600]),
        ("*/30 */12 * * *", vec![0, 1_800, 43_200, 45_000]),
        ("10,40 59 23 * * *", vec![86_350, 86_380]),
        ("0-59/20 0 0 * * *", vec![0, 20, 40]),
    ] {
        let fields = fields(text);
        let found: Vec<i64> =
            std::iter::successors(fields.at_or_after(0), |at| fields.at_or_after(at + 1))
                .take_while(|at| *at < DAY)
                .collect();
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn shortest_distances() {
    for (text, expected) in [
        ("* * * * *", 60),
        ("*/15 * * * *", 900),
        ("0 * * * *", 3_600),
        ("0 0 * * *", 86_400),
        ("* * * * * *", 1),
        ("0,59 * * * *", 60),
        ("0 0,23 * * *", 3_600),
        ("0 0,23 * * 1", 23 * 3_600),
        ("59 23 * * *", 86_400),
        ("0 0 1 * *", 172_800),
        ("50 10 0 * * *", 86_400),
        ("0 0 L,1 * *", 86_400),
        ("0 0 * * 1,3", 172_800),
        ("5,50 0-3 * * *", 900),
        ("0 0 29 2 *", 172_800),
        ("0 0 28 2 *", 172_800),
        ("0 1 29 2,3 *", 172_800),
    ] {
        assert_eq!(fields(text).shortest_distance(), expected, "{text}");
    }
}

#[test]
fn hashed_values_are_steady_and_spread() {
    // Written down once: other answers would move the times of existing jobs.
    let fixed = |id: &str| parse("H H H H H H", id).unwrap();
    let placed = |fields: &Fields| {
        let bits = [
            fields.seconds,
            fields.minutes,
            fields.hours.into(),
            fields.days.into(),
            fields.months.into(),
        ];
        (
            bits.map(u64::trailing_zeros),
            fields.weekdays.trailing_zeros(),
        )
    };
    assert_eq!(placed(&fixed("cj_1")), ([58, 45, 4, 14, 1], 2));
    assert_eq!(placed(&fixed("cj_2")), ([39, 1, 10, 3, 1], 6));
    let daily = |id: &str| parse("H H * * *", id).unwrap();
    let mut per_hour = [0_u32; 24];
    let mut minutes = 0_u64;
    for n in 0..1_000 {
        let fields = daily(&format!("cj_{n:026}"));
        assert_eq!(
            (fields.hours.count_ones(), fields.minutes.count_ones()),
            (1, 1)
        );
        per_hour[fields.hours.trailing_zeros() as usize] += 1;
        minutes |= fields.minutes;
    }
    assert_eq!(minutes.count_ones(), 60, "each minute is used");
    assert!(
        per_hour.iter().all(|jobs| (15..80).contains(jobs)),
        "{per_hour:?}"
    );
}

#[test]
fn hashed_values_keep_to_their_range() {
    for n in 0..300 {
        let id = format!("cj_{n}");
        let fields = parse("H(10-19) H(0-5) H H H", &id).unwrap();
        assert!((10..=19).contains(&fields.minutes.trailing_zeros()));
        assert!(fields.hours.trailing_zeros() <= 5);
        assert!((1..=28).contains(&fields.days.trailing_zeros()));
        assert!((1..=12).contains(&fields.months.trailing_zeros()));
        assert!(fields.weekdays.trailing_zeros() <= 6);
        assert!(!fields.floating);

        let stepped = parse("H/15 H(8-18)/4 * * *", &id).unwrap();
        assert_eq!(stepped.minutes.count_ones(), 4);
        let first = stepped.minutes.trailing_zeros();
        assert!(first < 15);
        assert_eq!(stepped.minutes >> first, 0x2000_4000_8001);
        assert!(
            (8..12).contains(&stepped.hours.trailing_zeros())
                && stepped.hours.leading_zeros() >= 32 - 19
        );
        assert!(stepped.floating);
    }
}

#[test]
fn a_set_stays_small() {
    assert!(size_of::<Fields>() <= 48, "{}", size_of::<Fields>());
}
