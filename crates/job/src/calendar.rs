//! Days, dates and weekdays of the Gregorian calendar as plain integers. No zones, no clock.

/// Seconds in a day.
pub(crate) const DAY: i64 = 86_400;

/// A calendar date; `month` 1 to 12, `day` from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date {
    pub(crate) year: i64,
    pub(crate) month: u32,
    pub(crate) day: u32,
}

impl Date {
    /// The date of a day counted from 1970-01-01 (Hinnant's `civil_from_days`).
    pub(crate) const fn of(day: i64) -> Self {
        let shifted = day + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * of_year + 2) / 153;
        let day = (of_year - (153 * shifted_month + 2) / 5 + 1) as u32;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        } as u32;
        Self {
            year: year_of_era + era * 400 + (month <= 2) as i64,
            month,
            day,
        }
    }

    /// The day counted from 1970-01-01 (Hinnant's `days_from_civil`).
    pub(crate) const fn day_number(self) -> i64 {
        let year = self.year - (self.month <= 2) as i64;
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let shifted_month = (self.month as i64 + 9) % 12;
        let of_year = (153 * shifted_month + 2) / 5 + self.day as i64 - 1;
        let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
        era * 146_097 + of_era - 719_468
    }
}

/// The weekday of a day counted from 1970-01-01, 0 for Sunday.
pub(crate) const fn weekday(day_number: i64) -> u32 {
    (day_number + 4).rem_euclid(7) as u32
}

/// Days in a month, `month` 1 to 12.
pub(crate) const fn days_in_month(leap: bool, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 31,
    }
}

/// Whether a year has a 29 February.
pub(crate) const fn is_leap(year: i64) -> bool {
    year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0)
}

#[cfg(test)]
mod tests;
