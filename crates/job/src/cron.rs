//! A cron expression as bit sets, and the local times that it names. No zones: local time here is
//! a count of seconds on the wall clock, as if each day had 86,400 of them.
//!
//! Why not croner, which the tests ask for a second opinion: its errors have no positions; its
//! parsed form takes more than 5 KB; it takes lists such as `0,30 2 * * *` for intervals when
//! clocks change, gives up on gaps longer than two hours, drops a moved occurrence whose gap ends
//! on another day, and never finds `7L`.

mod describe;
mod hashed;
mod parse;
mod syntax;

pub(crate) use hashed::{hash, mix};
pub(crate) use parse::parse;
pub(crate) use syntax::CronError;

use crate::calendar::{DAY, Date, days_in_month, is_leap, weekday};

/// A parsed expression: the seconds, minutes … it names, as bits, and the day rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields {
    pub(crate) seconds: u64,
    pub(crate) minutes: u64,
    pub(crate) hours: u32,
    /// Bits 1 to 31.
    pub(crate) days: u32,
    /// `nW`: the weekday nearest to day n, bits 1 to 31.
    pub(crate) nearest: u32,
    /// Bits 1 to 12.
    pub(crate) months: u16,
    /// Bits 0 (Sunday) to 6.
    pub(crate) weekdays: u8,
    /// `d#n`: the n-th weekday d of the month, bit d of entry n − 1.
    pub(crate) nth: [u8; 5],
    /// `dL`: the last weekday d of the month.
    pub(crate) last_of: u8,
    /// `L` as a day.
    pub(crate) last_day: bool,
    /// `LW`: the last Monday to Friday of the month.
    pub(crate) last_weekday: bool,
    /// The day field is `*`: the weekday field alone decides.
    pub(crate) any_day: bool,
    /// The weekday field is `*`: the day field alone decides.
    pub(crate) any_weekday: bool,
    /// A `*` or a step among seconds, minutes and hours: not a list of fixed times (the
    /// scheduling contract's DST rule).
    pub(crate) floating: bool,
    /// The expression has a seconds field.
    pub(crate) with_seconds: bool,
}

/// No pattern leaves out more years in a row: 29 February on one weekday comes back after at
/// most 40 years, across a century without a leap day.
const LONGEST_PAUSE_YEARS: i64 = 48;

impl Fields {
    /// The first local time at or after `local` that the expression names.
    pub(crate) fn at_or_after(&self, local: i64) -> Option<i64> {
        let (day, second) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        let found = self.day_at_or_after(day)?;
        if found > day {
            return Some(found * DAY + self.time_at_or_after(0)?);
        }
        if let Some(time) = self.time_at_or_after(second) {
            return Some(day * DAY + time);
        }
        Some(self.day_at_or_after(day + 1)? * DAY + self.time_at_or_after(0)?)
    }

    /// The second of the day at or after `second` that the time fields name.
    fn time_at_or_after(&self, second: i64) -> Option<i64> {
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        let (hour, minute, second) = (hour as u32, minute as u32, second as u32);
        let hours = u64::from(self.hours);
        if hours >> hour & 1 == 1 {
            if self.minutes >> minute & 1 == 1
                && let Some(s) = bit_from(self.seconds, second)
            {
                return Some(time(hour, minute, s));
            }
            if let Some(m) = bit_from(self.minutes, minute + 1) {
                return Some(time(hour, m, bit_from(self.seconds, 0)?));
            }
        }
        let h = bit_from(hours, hour + 1)?;
        Some(time(
            h,
            bit_from(self.minutes, 0)?,
            bit_from(self.seconds, 0)?,
        ))
    }

    /// The first day (from 1970-01-01) at or after `day` that the day, month and weekday fields
    /// name; `None` if there is none in [`LONGEST_PAUSE_YEARS`].
    fn day_at_or_after(&self, day: i64) -> Option<i64> {
        let date = Date::of(day);
        let (mut year, mut month, mut from) = (date.year, date.month, date.day);
        while year <= date.year + LONGEST_PAUSE_YEARS {
            if self.months >> month & 1 == 1 {
                let first = Date {
                    year,
                    month,
                    day: 1,
                }
                .day_number();
                let days = self.days_of(is_leap(year), weekday(first), month);
                if let Some(found) = bit_from(u64::from(days), from) {
                    return Some(first + i64::from(found) - 1);
                }
            }
            from = 1;
            month += 1;
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
        None
    }

    /// The days of a month that match, bits 1 to 31. `first` is the weekday of its first day.
    fn days_of(&self, leap: bool, first: u32, month: u32) -> u32 {
        let length = days_in_month(leap, month);
        let all = ((1_u64 << (length + 1)) - 2) as u32;
        match (self.any_day, self.any_weekday) {
            (true, true) => all,
            (true, false) => self.by_weekday(first, length) & all,
            (false, true) => self.by_day(first, length) & all,
            (false, false) => (self.by_day(first, length) | self.by_weekday(first, length)) & all,
        }
    }

    fn by_day(&self, first: u32, length: u32) -> u32 {
        let mut days = self.days;
        if self.last_day {
            days |= 1 << length;
        }
        if self.last_weekday {
            days |= 1 << nearest_weekday(length, first, length);
        }
        let mut nearest = self.nearest;
        while nearest != 0 {
            let day = nearest.trailing_zeros();
            nearest &= nearest - 1;
            if day <= length {
                days |= 1 << nearest_weekday(day, first, length);
            }
        }
        days
    }

    fn by_weekday(&self, first: u32, length: u32) -> u32 {
        let mut days = 0;
        for weekday in 0..7 {
            let day = 1 + (weekday + 7 - first) % 7;
            let bit = 1_u8 << weekday;
            if self.weekdays & bit != 0 {
                days |= 0x1020_4081_u32 << day;
            }
            for (nth, set) in (0..).zip(self.nth) {
                if set & bit != 0 && day + 7 * nth <= length {
                    days |= 1 << (day + 7 * nth);
                }
            }
            if self.last_of & bit != 0 {
                days |= 1 << (day + (length - day) / 7 * 7);
            }
        }
        days
    }

    /// Whether no day of any year matches. Years come in fourteen forms only: leap or not, and
    /// the weekday they begin on.
    pub(crate) fn never_matches(&self) -> bool {
        (0..14).all(|form| {
            let (leap, mut first) = (form >= 7, form % 7);
            (1..=12).all(|month| {
                let none = self.months >> month & 1 == 0 || self.days_of(leap, first, month) == 0;
                first = (first + days_in_month(leap, month)) % 7;
                none
            })
        })
    }

    /// How many local times in `from..to` the expression names.
    pub(crate) fn count(&self, from: i64, to: i64) -> u64 {
        if from >= to {
            return 0;
        }
        let (first, last) = (from.div_euclid(DAY), to.div_euclid(DAY));
        let before = |local: i64, day: i64| {
            if self.day_at_or_after(day) == Some(day) {
                self.times_before(local.rem_euclid(DAY))
            } else {
                0
            }
        };
        self.count_days(first, last) * self.times_before(DAY) + before(to, last)
            - before(from, first)
    }

    /// How many seconds of a day before `second` the time fields name.
    fn times_before(&self, second: i64) -> u64 {
        let below = |bits: u64, end: i64| u64::from((bits & ((1 << end) - 1)).count_ones());
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        let per_minute = u64::from(self.seconds.count_ones());
        let per_hour = per_minute * u64::from(self.minutes.count_ones());
        let mut times = below(u64::from(self.hours), hour) * per_hour;
        if hour < 24 && self.hours >> hour & 1 == 1 {
            times += below(self.minutes, minute) * per_minute;
            if self.minutes >> minute & 1 == 1 {
                times += below(self.seconds, second);
            }
        }
        times
    }

    /// How many days in `from..to` match.
    fn count_days(&self, from: i64, to: i64) -> u64 {
        let mut total = 0;
        let mut at = from;
        while at < to {
            let date = Date::of(at);
            let first = at - i64::from(date.day) + 1;
            let leap = is_leap(date.year);
            let length = days_in_month(leap, date.month);
            let end = to.min(first + i64::from(length));
            if self.months >> date.month & 1 == 1 {
                let days = u64::from(self.days_of(leap, weekday(first), date.month));
                let window = ((1_u64 << (end - first + 1)) - 1) & !((1_u64 << date.day) - 1);
                total += u64::from((days & window).count_ones());
            }
            at = end;
        }
        total
    }

    /// The shortest distance between two local times the expression names, in seconds; looks no
    /// further than two days. The wall clock counts: a change of clocks may bring two closer.
    pub(crate) fn shortest_distance(&self) -> i64 {
        let (low, high) = (
            |bits: u64| i64::from(bits.trailing_zeros()),
            |bits: u64| 63 - i64::from(bits.leading_zeros()),
        );
        let hours = u64::from(self.hours);
        let in_minute = high(self.seconds) - low(self.seconds);
        let in_hour = (high(self.minutes) - low(self.minutes)) * 60 + in_minute;
        let in_day = (high(hours) - low(hours)) * 3_600 + in_hour;
        let days = if self.has_neighbours() { 1 } else { 2 };
        [
            smallest_step(self.seconds),
            smallest_step(self.minutes).map(|step| step * 60 - in_minute),
            smallest_step(hours).map(|step| step * 3_600 - in_hour),
            Some(days * DAY - in_day),
        ]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(DAY)
    }

    /// Whether two days in a row can match.
    fn has_neighbours(&self) -> bool {
        let leap_cycle = Date {
            year: 2_000,
            month: 1,
            day: 1,
        }
        .day_number();
        let mut last = None;
        let mut day = leap_cycle;
        while let Some(found) = self.day_at_or_after(day) {
            if last == Some(found - 1) {
                return true;
            }
            if found > leap_cycle + 28 * 366 {
                return false;
            }
            (last, day) = (Some(found), found + 1);
        }
        false
    }
}

const fn time(hour: u32, minute: u32, second: u32) -> i64 {
    hour as i64 * 3_600 + minute as i64 * 60 + second as i64
}

/// The lowest set bit at or above `from`.
const fn bit_from(bits: u64, from: u32) -> Option<u32> {
    if from > 63 {
        return None;
    }
    let rest = bits >> from << from;
    if rest == 0 {
        None
    } else {
        Some(rest.trailing_zeros())
    }
}

/// The smallest distance between two set bits.
fn smallest_step(bits: u64) -> Option<i64> {
    (1..64).find(|step| bits & bits >> step != 0)
}

/// The Monday to Friday nearest to `day`, in the same month.
const fn nearest_weekday(day: u32, first: u32, length: u32) -> u32 {
    match (first + day - 1) % 7 {
        6 if day == 1 => 3,
        6 => day - 1,
        0 if day == length => day - 2,
        0 => day + 1,
        _ => day,
    }
}

#[cfg(test)]
mod tests;
