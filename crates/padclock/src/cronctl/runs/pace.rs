//! How often a watched execution is looked at. Durations in, durations out; the waiting itself is elsewhere.

use std::time::Duration;

const QUICK: Duration = Duration::from_millis(200);
const SLOW: Duration = Duration::from_secs(1);
/// Looks that may go wrong one after the other: a server that restarts is back by then.
const FAILURES: u32 = 10;

/// The distance between two looks: short after a change, longer while nothing happens.
#[derive(Debug, Default)]
pub(super) struct Pace {
    quiet: u32,
    failed: u32,
}

impl Pace {
    /// The wait after a look that came about.
    pub(super) fn after_look(&mut self, changed: bool) -> Duration {
        self.failed = 0;
        self.quiet = if changed {
            0
        } else {
            self.quiet.saturating_add(1)
        };
        let doubled = QUICK.saturating_mul(1 << self.quiet.min(8));
        doubled.min(SLOW)
    }

    /// The wait after a look that went wrong, or none: then it is given up.
    pub(super) fn after_failure(&mut self) -> Option<Duration> {
        self.failed += 1;
        (self.failed <= FAILURES).then_some(SLOW)
    }
}

#[cfg(test)]
mod tests;
