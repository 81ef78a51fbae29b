//! An oracle that shares nothing with the code but the rules: it walks over real minutes (or
//! seconds), reads the wall clock by the time zone library, and matches the fields one by one.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use crate::walk::Walk;
use crate::zone::Zone;
use crate::{Dst, cron};

/// One field: its text, the values it names, and whether it is a wildcard or has a step.
#[derive(Clone, Debug)]
struct Field {
    text: String,
    values: BTreeSet<i8>,
    loose: bool,
}

#[derive(Clone, Debug)]
struct Expression {
    second: Option<Field>,
    minute: Field,
    hour: Field,
    day: Field,
    month: Field,
    weekday: Field,
}

impl Expression {
    fn text(&self) -> String {
        let second = self
            .second
            .as_ref()
            .map(|field| format!("{} ", field.text))
            .unwrap_or_default();
        let rest = [
            &self.minute,
            &self.hour,
            &self.day,
            &self.month,
            &self.weekday,
        ];
        second + &rest.map(|field| field.text.as_str()).join(" ")
    }

    fn is_loose(&self) -> bool {
        self.minute.loose
            || self.hour.loose
            || self.second.as_ref().is_some_and(|field| field.loose)
    }

    fn names(&self, wall: jiff::civil::DateTime) -> bool {
        let second = self.second.as_ref().map_or(wall.second() == 0, |field| {
            field.values.contains(&wall.second())
        });
        let by_day = self.day.values.contains(&wall.day());
        let by_weekday = self
            .weekday
            .values
            .contains(&wall.weekday().to_sunday_zero_offset());
        let day = match (self.day.text == "*", self.weekday.text == "*") {
            (true, true) => true,
            (true, false) => by_weekday,
            (false, true) => by_day,
            (false, false) => by_day || by_weekday,
        };
        second
            && day
            && self.minute.values.contains(&wall.minute())
            && self.hour.values.contains(&wall.hour())
            && self.month.values.contains(&wall.month())
    }
}

/// A field of values `low..=max`, those written out from `low..=high`.
fn field(low: i8, high: i8, max: i8) -> impl Strategy<Value = Field> {
    let value = low..=high;
    let item = prop_oneof![
        2 => value.clone().prop_map(|v| (v.to_string(), BTreeSet::from([v]), false)),
        1 => (value.clone(), value).prop_map(|(a, b)| {
            let (a, b) = (a.min(b), a.max(b));
            (format!("{a}-{b}"), (a..=b).collect(), false)
        }),
        1 => (1..=(high / 2).max(1)).prop_map(move |step| {
            (format!("*/{step}"), (low..=max).step_by(step as usize).collect(), true)
        }),
    ];
    let list = prop::collection::vec(item, 1..3).prop_map(|items| Field {
        text: items
            .iter()
            .map(|item| item.0.as_str())
            .collect::<Vec<_>>()
            .join(","),
        values: items.iter().flat_map(|item| item.1.clone()).collect(),
        loose: items.iter().any(|item| item.2),
    });
    prop_oneof![1 => Just(star(low, max)), 3 => list]
}

fn star(low: i8, high: i8) -> Field {
    Field {
        text: "*".to_owned(),
        values: (low..=high).collect(),
        loose: true,
    }
}

/// Mostly near the hours at which clocks change, and mostly on any day.
fn expression(with_seconds: bool) -> impl Strategy<Value = Expression> {
    let hour = prop_oneof![field(0, 23, 23), field(0, 3, 23), Just(star(0, 23))];
    let day = prop_oneof![3 => Just(star(1, 31)), 1 => field(1, 28, 31)];
    let weekday = prop_oneof![3 => Just(star(0, 6)), 1 => field(0, 6, 6)];
    let month = prop_oneof![4 => Just(star(1, 12)), 1 => field(1, 12, 12)];
    let second = if with_seconds {
        field(0, 59, 59).prop_map(Some).boxed()
    } else {
        Just(None).boxed()
    };
    (second, field(0, 59, 59), hour, day, month, weekday).prop_map(
        |(second, minute, hour, day, month, weekday)| Expression {
            second,
            minute,
            hour,
            day,
            month,
            weekday,
        },
    )
}

/// A zone and one of its changes of clocks between 1975 and 2040, if it has one.
fn place() -> impl Strategy<Value = (String, i64)> {
    let names: Vec<String> = jiff::tz::db()
        .available()
        .map(|name| name.to_string())
        .collect();
    let often = [
        "Australia/Lord_Howe",
        "Pacific/Chatham",
        "America/Sao_Paulo",
        "Asia/Beirut",
        "Africa/Cairo",
        "Antarctica/Troll",
        "Pacific/Apia",
        "Africa/Casablanca",
        "Asia/Pyongyang",
        "America/New_York",
    ];
    let often: Vec<String> = often.map(str::to_owned).into();
    let name = prop_oneof![prop::sample::select(often), prop::sample::select(names)];
    (name, 157_766_400_i64..2_208_988_800).prop_map(|(name, from)| {
        let zone = TimeZone::get(&name).unwrap();
        let change = zone.following(Timestamp::from_second(from).unwrap()).next();
        (
            name,
            change.map_or(from, |change| change.timestamp().as_second()),
        )
    })
}

/// All occurrences in `after + 1 ..= upto`, by looking at each step of real time.
fn occurrences(
    expression: &Expression,
    zone: &TimeZone,
    dst: Dst,
    after: i64,
    upto: i64,
) -> Vec<i64> {
    let step = if expression.second.is_some() { 1 } else { 60 };
    let read = |at: i64| {
        let at = Timestamp::from_second(at).unwrap();
        if dst == Dst::Utc {
            TimeZone::UTC.to_datetime(at)
        } else {
            zone.to_datetime(at)
        }
    };
    let once = dst == Dst::Skip || !expression.is_loose();
    let moves = dst == Dst::Vixie && !expression.is_loose();
    let mut found = Vec::new();
    let mut at = (after - 30 * 3_600).div_euclid(step) * step;
    let mut last = read(at);
    let mut latest = last;
    while at < upto {
        at += step;
        let wall = read(at);
        let mut hit = expression.names(wall) && !(once && wall <= latest && dst != Dst::Utc);
        let mut missing = last.checked_add(jiff::Span::new().seconds(step)).unwrap();
        while moves && missing < wall {
            hit |= missing > latest && expression.names(missing);
            missing = missing
                .checked_add(jiff::Span::new().seconds(step))
                .unwrap();
        }
        last = wall;
        latest = latest.max(wall);
        if hit && at > after && at <= upto {
            found.push(at);
        }
    }
    found
}

fn agrees(
    expression: &Expression,
    name: &str,
    dst: Dst,
    after: i64,
    upto: i64,
) -> Result<(), TestCaseError> {
    let Ok(fields) = cron::parse(&expression.text(), "job") else {
        // A day that no month of the expression has.
        return Ok(());
    };
    let zone = Zone::named(name).unwrap();
    let walk = Walk {
        fields: &fields,
        zone: &zone,
        dst,
    };
    let expected = occurrences(expression, &TimeZone::get(name).unwrap(), dst, after, upto);
    let next = |at: &i64| walk.next_after(*at);
    let found: Vec<i64> = std::iter::successors(walk.next_after(after), next)
        .take_while(|at| *at <= upto)
        .take(100_000)
        .collect();
    prop_assert_eq!(
        &found,
        &expected,
        "{} in {} ({:?}) after {}",
        expression.text(),
        name,
        dst,
        after
    );
    prop_assert_eq!(walk.count(after, upto), expected.len() as u64);
    Ok(())
}

fn modes() -> impl Strategy<Value = Dst> {
    prop_oneof![3 => Just(Dst::Vixie), 1 => Just(Dst::Skip), 1 => Just(Dst::Utc)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn agrees_minute_by_minute(
        expression in expression(false), place in place(), dst in modes(),
        before in 0_i64..40 * 3_600, length in 3_600_i64..72 * 3_600,
    ) {
        let after = place.1 - before;
        agrees(&expression, &place.0, dst, after, after + length)?;
    }

    #[test]
    fn agrees_second_by_second(
        expression in expression(true), place in place(), dst in modes(),
        before in -7_200_i64..5_400, length in 60_i64..7_200,
    ) {
        let after = place.1 - before;
        agrees(&expression, &place.0, dst, after, after + length)?;
    }

    #[test]
    fn strictly_increasing_and_never_past(
        expression in expression(false), place in place(), dst in modes(), before in -86_400_i64..86_400,
    ) {
        if let Ok(fields) = cron::parse(&expression.text(), "job") {
            let zone = Zone::named(&place.0).unwrap();
            let walk = Walk { fields: &fields, zone: &zone, dst };
            let mut at = place.1 - before;
            for _ in 0..20 {
                let next = walk.next_after(at).unwrap();
                prop_assert!(next > at);
                // Asked from anywhere in between, the answer is the same.
                prop_assert_eq!(walk.next_after(at + (next - at) / 2), Some(next).filter(|_| (next - at) / 2 < next - at));
                at = next;
            }
        }
    }
}
