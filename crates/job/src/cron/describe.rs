//! An expression in plain English. Written for reading aloud; nothing reads it back.

use super::{Fields, bit_from};

/// Up to so many times of day are listed one by one.
const MOST_TIMES: u32 = 6;

const MONTHS: [&str; 13] = [
    "",
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
const ORDINALS: [&str; 5] = ["first", "second", "third", "fourth", "fifth"];

impl Fields {
    /// Such as `At 09:00 on Monday to Friday`, or `Every 15 minutes in January`.
    pub(crate) fn describe(&self) -> String {
        let mut text = self.describe_times();
        let days = self.describe_days();
        let months = self.describe_months();
        if days.is_empty()
            && text.starts_with("At ")
            && !text.contains("every")
            && !text.contains("from")
        {
            text.push_str(" every day");
        }
        text + &days + &months
    }

    fn describe_times(&self) -> String {
        let (minutes, hours) = (
            Pattern::of(self.minutes, 60),
            Pattern::of(u64::from(self.hours), 24),
        );
        if self.seconds != 1 {
            return self.describe_seconds(&minutes, &hours);
        }
        match (&minutes, &hours) {
            (Pattern::One(0), Pattern::Step(step)) => format!("Every {step} hours"),
            (Pattern::One(0), Pattern::All) => "Every hour".to_owned(),
            (Pattern::One(_) | Pattern::Several, Pattern::All) => {
                format!("At {} of every hour", numbers("minute", self.minutes, 60))
            }
            (Pattern::One(_) | Pattern::Several, Pattern::Step(step)) => {
                format!(
                    "At {}, every {step} hours",
                    numbers("minute", self.minutes, 60)
                )
            }
            (Pattern::One(_) | Pattern::Several, _) if self.is_short() => {
                format!("At {}", self.listed_times())
            }
            (Pattern::One(_) | Pattern::Several, _) => {
                format!(
                    "At {} of {}",
                    numbers("minute", self.minutes, 60),
                    numbers("hour", u64::from(self.hours), 24)
                )
            }
            (Pattern::All, _) => format!("Every minute{}", self.within_hours(&hours)),
            (Pattern::Step(step), _) => {
                format!("Every {step} minutes{}", self.within_hours(&hours))
            }
        }
    }

    fn describe_seconds(&self, minutes: &Pattern, hours: &Pattern) -> String {
        let seconds = match Pattern::of(self.seconds, 60) {
            Pattern::All => "Every second".to_owned(),
            Pattern::Step(step) => format!("Every {step} seconds"),
            Pattern::One(_) if self.is_short() => return format!("At {}", self.listed_times()),
            _ => format!("At {}", numbers("second", self.seconds, 60)),
        };
        let minutes = match minutes {
            Pattern::All if seconds.starts_with("At") => " of every minute".to_owned(),
            Pattern::All => String::new(),
            Pattern::Step(step) => format!(" of every {}", ordinal_minute(*step)),
            _ => format!(" of {}", numbers("minute", self.minutes, 60)),
        };
        let hours = match hours {
            Pattern::All if minutes.contains("minute ") || minutes.contains("minutes ") => {
                " of every hour".to_owned()
            }
            other => self.within_hours(other),
        };
        seconds + &minutes + &hours
    }

    /// ` from 09:00 to 17:59`, or the hours one by one.
    fn within_hours(&self, hours: &Pattern) -> String {
        let bits = u64::from(self.hours);
        match hours {
            Pattern::All => String::new(),
            Pattern::Step(step) => format!(" of every {}", ordinal_hour(*step)),
            _ => {
                let runs = runs(bits, 24)
                    .into_iter()
                    .map(|(low, high)| format!("from {low:02}:00 to {high:02}:59"));
                format!(" {}", joined(runs.collect(), "and"))
            }
        }
    }

    fn is_short(&self) -> bool {
        let times = self.hours.count_ones() * self.minutes.count_ones() * self.seconds.count_ones();
        times <= MOST_TIMES
    }

    /// `09:00 and 17:30`.
    fn listed_times(&self) -> String {
        let mut times = Vec::new();
        let mut at = 0;
        while let Some(time) = self.time_at_or_after(at) {
            let (hour, minute, second) = (time / 3_600, time / 60 % 60, time % 60);
            times.push(match self.seconds {
                1 => format!("{hour:02}:{minute:02}"),
                _ => format!("{hour:02}:{minute:02}:{second:02}"),
            });
            at = time + 1;
        }
        joined(times, "and")
    }

    fn describe_days(&self) -> String {
        let mut parts = Vec::new();
        if !self.any_day {
            parts.extend(self.day_parts());
        }
        if !self.any_weekday {
            parts.extend(self.weekday_parts());
        }
        if parts.is_empty() {
            String::new()
        } else {
            format!(" {}", joined(parts, "or"))
        }
    }

    fn day_parts(&self) -> Vec<String> {
        let mut parts = Vec::new();
        if self.days != 0 {
            parts.push(format!(
                "on {} of the month",
                numbers("day", u64::from(self.days), 32)
            ));
        }
        if self.last_day {
            parts.push("on the last day of the month".to_owned());
        }
        if self.last_weekday {
            parts.push("on the last working day (Monday to Friday) of the month".to_owned());
        }
        for day in bits(u64::from(self.nearest)) {
            parts.push(format!(
                "on the working day (Monday to Friday) nearest to day {day} of the month"
            ));
        }
        parts
    }

    fn weekday_parts(&self) -> Vec<String> {
        let mut parts = Vec::new();
        if self.weekdays != 0 {
            // From Monday on, so that a weekend stays together.
            let from_monday = u64::from(self.weekdays >> 1) | u64::from(self.weekdays & 1) << 6;
            let name = |day: u32| WEEKDAYS[(day as usize + 1) % 7].to_owned();
            parts.push(format!("on {}", names(from_monday, 7, name)));
        }
        for (ordinal, set) in ORDINALS.into_iter().zip(self.nth) {
            for day in bits(u64::from(set)) {
                parts.push(format!(
                    "on the {ordinal} {} of the month",
                    WEEKDAYS[day as usize % 7]
                ));
            }
        }
        for day in bits(u64::from(self.last_of)) {
            parts.push(format!(
                "on the last {} of the month",
                WEEKDAYS[day as usize % 7]
            ));
        }
        parts
    }

    fn describe_months(&self) -> String {
        if self.months == 0x1ffe {
            return String::new();
        }
        let name = |month: u32| MONTHS[month as usize % 13].to_owned();
        format!(" in {}", names(u64::from(self.months), 13, name))
    }
}

/// The shape of a set of values.
enum Pattern {
    All,
    /// From 0 on, with a step that divides the whole.
    Step(u32),
    One(u32),
    Several,
}

impl Pattern {
    fn of(set: u64, size: u32) -> Self {
        let count = set.count_ones();
        if count == size {
            return Self::All;
        }
        if count == 1 {
            return Self::One(set.trailing_zeros());
        }
        let step = size / count;
        let even = size.is_multiple_of(count) && (0..count).all(|nth| set >> (nth * step) & 1 == 1);
        if even {
            Self::Step(step)
        } else {
            Self::Several
        }
    }
}

/// The set bits.
fn bits(set: u64) -> impl Iterator<Item = u32> {
    std::iter::successors(bit_from(set, 0), move |bit| bit_from(set, bit + 1))
}

/// Stretches of values in a row.
fn runs(set: u64, size: u32) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for bit in bits(set).take_while(|bit| *bit < size) {
        match runs.last_mut() {
            Some((_, high)) if *high + 1 == bit => *high = bit,
            _ => runs.push((bit, bit)),
        }
    }
    runs
}

/// `minute 5`, `minutes 0 to 10 and 30`.
fn numbers(unit: &str, set: u64, size: u32) -> String {
    let plural = if set.count_ones() == 1 { "" } else { "s" };
    format!(
        "{unit}{plural} {}",
        names(set, size, |value| value.to_string())
    )
}

/// Values by name, three and more in a row as `a to b`.
fn names(set: u64, size: u32, name: impl Fn(u32) -> String) -> String {
    let mut parts = Vec::new();
    for (low, high) in runs(set, size) {
        match high - low {
            0 => parts.push(name(low)),
            1 => parts.extend([name(low), name(high)]),
            _ => parts.push(format!("{} to {}", name(low), name(high))),
        }
    }
    joined(parts, "and")
}

/// `a, b and c`.
fn joined(mut parts: Vec<String>, word: &str) -> String {
    match parts.pop() {
        None => String::new(),
        Some(last) if parts.is_empty() => last,
        Some(last) => format!("{} {word} {last}", parts.join(", ")),
    }
}

fn ordinal_minute(step: u32) -> String {
    format!("{} minute", ordinal(step))
}

fn ordinal_hour(step: u32) -> String {
    format!("{} hour", ordinal(step))
}

fn ordinal(number: u32) -> String {
    let end = match (number % 10, number % 100) {
        (1, tens) if tens != 11 => "st",
        (2, tens) if tens != 12 => "nd",
        (3, tens) if tens != 13 => "rd",
        _ => "th",
    };
    format!("{number}{end}")
}

#[cfg(test)]
mod tests;
