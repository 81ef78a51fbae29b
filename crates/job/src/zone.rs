//! Time zones as stretches of one offset each, from the bundled IANA database.
//! Nothing here knows about schedules, and nothing reads the system's zones or environment.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A stretch of time in which a zone's offset stays the same. All in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// Its first second, since the Unix epoch; `i64::MIN` if there is none.
    pub(crate) start: i64,
    /// The first second after it; `i64::MAX` if there is none.
    pub(crate) end: i64,
    /// Local time minus UTC.
    pub(crate) offset: i64,
    /// The offset in force just before `start`.
    pub(crate) before: i64,
}

impl Stretch {
    /// Local times that the change at the start of this stretch left out: `from..to`, empty if
    /// clocks went back.
    pub(crate) const fn gap(&self) -> (i64, i64) {
        (
            self.start.saturating_add(self.before),
            self.start.saturating_add(self.offset),
        )
    }

    /// The first local time of this stretch that had not been reached before it.
    pub(crate) const fn first_new(&self) -> i64 {
        let offset = if self.before > self.offset {
            self.before
        } else {
            self.offset
        };
        self.start.saturating_add(offset)
    }
}

/// An IANA time zone. Its table is shared by all who use the zone.
#[derive(Clone, Debug)]
pub(crate) struct Zone(TimeZone);

impl Zone {
    pub(crate) const UTC: Self = Self(TimeZone::UTC);

    /// By its IANA name, in any case.
    pub(crate) fn named(name: &str) -> Option<Self> {
        if name.len() > 64 || name.eq_ignore_ascii_case("Etc/Unknown") {
            return None;
        }
        TimeZone::get(name).ok().map(Self)
    }

    /// Its name as the database spells it.
    pub(crate) fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// Local time minus UTC at an instant, in seconds.
    pub(crate) fn offset_at(&self, instant: i64) -> i64 {
        i64::from(self.0.to_offset(stamp(instant)).seconds())
    }

    /// The stretch that holds an instant.
    pub(crate) fn stretch_at(&self, instant: i64) -> Stretch {
        let offset = self.offset_at(instant);
        let start = self.start_before(instant);
        let end = self.0.following(stamp(instant)).next();
        let end = end.map_or(i64::MAX, |change| change.timestamp().as_second());
        let before = if start == i64::MIN {
            offset
        } else {
            self.offset_at(start - 1)
        };
        Stretch {
            start,
            end,
            offset,
            before,
        }
    }

    /// The last change of offset at or before an instant. The library, looking backwards from
    /// just after a zone's last tabled change, passes over it to where the rule for the future
    /// would have had one (America/Ciudad_Juarez in 2022); looking forwards it does not.
    fn start_before(&self, instant: i64) -> i64 {
        let Some(change) = self.0.preceding(stamp(instant.saturating_add(1))).next() else {
            return i64::MIN;
        };
        let from = change.timestamp();
        let later = self
            .0
            .following(from)
            .map(|change| change.timestamp().as_second());
        later
            .take_while(|second| *second <= instant)
            .last()
            .unwrap_or(from.as_second())
    }
}

/// Seconds as the library's type; what is out of its range becomes the end of it.
fn stamp(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(if second < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

#[cfg(test)]
mod tests;
