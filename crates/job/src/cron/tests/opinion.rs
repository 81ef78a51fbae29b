//! croner as a second opinion on random expressions, in UTC. Left out is where it is known to
//! answer otherwise: it never finds `7L`.

use croner::Cron;
use jiff::{Timestamp, tz::TimeZone};
use proptest::prelude::*;

use crate::cron::parse;

fn list(item: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    prop::collection::vec(item, 1..4).prop_map(|items| items.join(","))
}

fn numbers(low: u32, high: u32) -> impl Strategy<Value = String> {
    let item = prop_oneof![
        (low..=high).prop_map(|value| value.to_string()),
        (low..=high, low..=high).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
        (low..=high, low..=high, 1..=high.min(9)).prop_map(|(a, b, step)| format!(
            "{}-{}/{step}",
            a.min(b),
            a.max(b)
        )),
        (1..=high.min(9)).prop_map(|step| format!("*/{step}")),
    ];
    prop_oneof![1 => Just("*".to_owned()), 3 => list(item)]
}

fn days() -> impl Strategy<Value = String> {
    let nearest =
        prop_oneof![3 => (1..=31_u32).prop_map(|day| format!("{day}W")), 1 => Just("L".to_owned())];
    prop_oneof![4 => numbers(1, 31), 1 => Just("L".to_owned()), 1 => Just("LW".to_owned()), 1 => list(nearest), 1 => Just("?".to_owned())]
}

fn weekdays() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "SUN", "mon", "TUE", "WED", "thu", "FRI", "SAT", "0", "3", "7",
    ]);
    let nth = (
        name.clone().prop_filter("not 7L", |day| *day != "7"),
        prop::sample::select(vec!["#1", "#2", "#3", "#4", "#5", "L", "#L"]),
    );
    let nth = nth.prop_map(|(day, nth)| format!("{day}{nth}"));
    prop_oneof![3 => numbers(0, 7), 2 => list(name.prop_map(str::to_owned)), 2 => list(nth), 1 => Just("?".to_owned())]
}

fn months() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["JAN", "feb", "APR", "JUL", "oct", "DEC", "FEB-MAY"]);
    prop_oneof![3 => Just("*".to_owned()), 2 => numbers(1, 12), 1 => list(name.prop_map(str::to_owned))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn croner_finds_the_same_times(
        minute in numbers(0, 59), hour in numbers(0, 23), day in days(), month in months(), weekday in weekdays(),
        from in 0_i64..4_000_000_000,
    ) {
        let text = format!("{minute} {hour} {day} {month} {weekday}");
        let Ok(ours) = parse(&text, "cj") else {
            // Months without such a day.
            return Ok(());
        };
        let theirs: Cron = text.parse().unwrap();
        let mut at = from;
        for _ in 0..8 {
            let zoned = Timestamp::from_second(at).unwrap().to_zoned(TimeZone::UTC);
            let expected = theirs.find_next_occurrence(&zoned, false).unwrap().timestamp().as_second();
            prop_assert_eq!(ours.at_or_after(at + 1), Some(expected), "{} after {}", text, zoned);
            at = expected;
        }
    }

    #[test]
    fn croner_takes_what_we_take(text in "[0-9*,/-]{1,6} [0-9*,/-]{1,6} [0-9*LW]{1,3} [0-9*]{1,2} [0-9*#L]{1,3}") {
        // We take `*` in a list too, as Vixie cron does.
        let star_in_list = text.contains(",*") || text.contains("*,");
        if !star_in_list && parse(&text, "cj").is_ok() {
            prop_assert!(text.parse::<Cron>().is_ok(), "{}", text);
        }
    }
}
