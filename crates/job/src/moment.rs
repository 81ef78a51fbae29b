//! `Moment`: a point in time to the millisecond, as it is stored, compared and printed everywhere.
//! No clock, no zones and no calendar rules beyond writing a UTC date.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{KnownFormat, RefOr, Schema};

use crate::calendar::Date;

/// Milliseconds since the Unix epoch, in UTC. Written as RFC 3339 with milliseconds,
/// `2026-03-15T10:00:00.000Z` (the API contract's form).
///
/// The range is the years 0000 to 9999, so that each value has a written form; arithmetic stays
/// in it by saturating.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(i64);

/// Not an RFC 3339 time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time; give RFC 3339 with an offset, such as 2026-03-15T10:00:00.000Z")]
pub struct BadMoment;

/// The length of the written form, in bytes.
const WRITTEN: usize = 24;
const DAY: i64 = 86_400_000;

impl Moment {
    /// The Unix epoch.
    pub const EPOCH: Self = Self(0);
    /// `0000-01-01T00:00:00.000Z`.
    pub const MIN: Self = Self(-62_167_219_200_000);
    /// `9999-12-30T22:00:00.000Z`, the last second that the time zone library can also hold.
    pub const MAX: Self = Self(253_402_207_200_000);

    /// From milliseconds since the Unix epoch; beyond the range, the nearest end of it.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        if millis < Self::MIN.0 {
            Self::MIN
        } else if millis > Self::MAX.0 {
            Self::MAX
        } else {
            Self(millis)
        }
    }

    /// From whole seconds since the Unix epoch; saturates as [`Moment::from_millis`] does.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self::from_millis(seconds.saturating_mul(1_000))
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Later by so many milliseconds (earlier if negative); saturates.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// Later by so many seconds (earlier if negative); saturates.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        self.plus_millis(seconds.saturating_mul(1_000))
    }

    /// Milliseconds from `earlier` to this moment; negative if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// The written form as bytes, without going through a formatter.
    #[must_use]
    pub fn written(self) -> [u8; WRITTEN] {
        let mut out = *b"0000-00-00T00:00:00.000Z";
        let date = Date::of(self.0.div_euclid(DAY));
        let rest = self.0.rem_euclid(DAY);
        digits(&mut out[0..4], date.year);
        digits(&mut out[5..7], i64::from(date.month));
        digits(&mut out[8..10], i64::from(date.day));
        digits(&mut out[11..13], rest / 3_600_000);
        digits(&mut out[14..16], rest / 60_000 % 60);
        digits(&mut out[17..19], rest / 1_000 % 60);
        digits(&mut out[20..23], rest % 1_000);
        out
    }
}

fn digits(out: &mut [u8], mut number: i64) {
    for digit in out.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = self.written();
        f.pad(std::str::from_utf8(&written).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Moment {
    type Err = BadMoment;

    /// Reads RFC 3339, any offset; what is finer than a millisecond is cut off.
    fn from_str(text: &str) -> Result<Self, BadMoment> {
        let bytes = text.as_bytes();
        let shaped = bytes.len() >= 20
            && bytes[..4].iter().all(u8::is_ascii_digit)
            && matches!(bytes[10], b'T' | b't' | b' ')
            && !text.contains(['[', ',']);
        if !shaped {
            return Err(BadMoment);
        }
        let stamp: jiff::Timestamp = text.parse().map_err(|_| BadMoment)?;
        let millis = stamp.as_nanosecond().div_euclid(1_000_000);
        let moment = Self::from_millis(i64::try_from(millis).map_err(|_| BadMoment)?);
        Ok(moment)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = self.written();
        let text = std::str::from_utf8(&written).map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(text)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl utoipa::PartialSchema for Moment {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("RFC 3339 in UTC with milliseconds"))
            .examples(["2026-03-15T10:00:00.000Z"])
            .into()
    }
}

impl utoipa::ToSchema for Moment {}

#[cfg(test)]
mod tests;
