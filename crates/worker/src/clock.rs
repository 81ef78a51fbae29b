//! The source's clock, carried on: its time at the lease plus what has passed here since. Nothing else in this crate
//! tells calendar time.

use padclock_job::Moment;
use tokio::time::Instant;

/// The source's time at one instant of ours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    base: Moment,
    at: Instant,
}

impl Clock {
    /// A clock that shows `base` at `at`.
    pub(crate) const fn new(base: Moment, at: Instant) -> Self {
        Self { base, at }
    }

    /// The source's time now.
    pub(crate) fn now(&self) -> Moment {
        self.base.plus_millis(millis(self.at).cast_signed())
    }
}

/// Whole milliseconds since `start`.
pub(crate) fn millis(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}
