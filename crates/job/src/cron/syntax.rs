//! What a cron field may say: its range, its names, and the words for what is wrong with it.

/// Why an expression is refused, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct CronError {
    pub(crate) code: &'static str,
    /// What would be right.
    pub(crate) message: String,
    /// Byte offset in the expression.
    pub(crate) position: usize,
}

impl CronError {
    pub(super) fn new(code: &'static str, position: usize, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            position,
        }
    }
}

/// One field of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Second,
    Minute,
    Hour,
    Day,
    Month,
    Weekday,
}

const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

impl Slot {
    /// The fields in the order in which they are written.
    pub(super) const ALL: [Self; 6] = [
        Self::Second,
        Self::Minute,
        Self::Hour,
        Self::Day,
        Self::Month,
        Self::Weekday,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day of the month",
            Self::Month => "month",
            Self::Weekday => "weekday",
        }
    }

    pub(super) const fn min(self) -> u32 {
        match self {
            Self::Day | Self::Month => 1,
            _ => 0,
        }
    }

    /// The largest value that may be written; 7 is Sunday too.
    pub(super) const fn max(self) -> u32 {
        match self {
            Self::Second | Self::Minute => 59,
            Self::Hour => 23,
            Self::Day => 31,
            Self::Month => 12,
            Self::Weekday => 7,
        }
    }

    /// The largest value that `*` and `H` stand for: each month has a 28th, and 7 is 0.
    pub(super) const fn hashed_max(self) -> u32 {
        match self {
            Self::Day => 28,
            Self::Weekday => 6,
            other => other.max(),
        }
    }

    /// What may be written, for messages.
    pub(super) const fn allowed(self) -> &'static str {
        match self {
            Self::Second | Self::Minute => "0 to 59",
            Self::Hour => "0 to 23",
            Self::Day => "1 to 31",
            Self::Month => "1 to 12 or JAN to DEC",
            Self::Weekday => "0 to 7 or SUN to SAT (0 and 7 are Sunday)",
        }
    }

    /// The value of a three-letter name, in any case.
    pub(super) fn named(self, text: &str) -> Option<u32> {
        let position = |names: &[&str]| {
            names
                .iter()
                .position(|name| name.eq_ignore_ascii_case(text))
        };
        let found = match self {
            Self::Month => position(&MONTHS)? + 1,
            Self::Weekday => position(&WEEKDAYS)?,
            _ => return None,
        };
        u32::try_from(found).ok()
    }
}
