//! Waiting after a source that does not answer: longer each time, with jitter, never more than 5 s.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use tokio::time::Instant;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

/// When one kind of call may be made again.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
    until: Option<Instant>,
    random: RandomState,
}

impl Backoff {
    /// The source answered.
    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
        self.until = None;
    }

    /// The source did not answer.
    pub(crate) fn failed(&mut self, now: Instant) {
        let longest = FIRST
            .saturating_mul(1 << self.failures.min(16))
            .min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        // Between half and all of it, so that nodes that failed together do not come back together.
        let spread = self.random.hash_one(self.failures) % 1024;
        let wait = longest / 2 + longest.mul_f64(spread as f64 / 2048.0);
        self.until = Some(now + wait);
    }

    /// Whether the last call failed.
    pub(crate) const fn is_failing(&self) -> bool {
        self.failures > 0
    }

    /// Not before this; `None`: at once.
    pub(crate) fn wait_until(&self, now: Instant) -> Option<Instant> {
        self.until.filter(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_grow_to_five_seconds_and_end_with_success() {
        let mut backoff = Backoff::default();
        let now = Instant::now();
        assert_eq!(backoff.wait_until(now), None);
        for failure in 0..12 {
            backoff.failed(now);
            let longest = FIRST.saturating_mul(1 << failure).min(LONGEST);
            let wait = backoff.wait_until(now).expect("it waits") - now;
            assert!(
                wait >= longest / 2 && wait <= longest,
                "failure {failure}: {wait:?}"
            );
        }
        assert!(backoff.is_failing());
        assert_eq!(backoff.wait_until(now + LONGEST), None, "the time comes");
        backoff.succeeded();
        assert_eq!(backoff.wait_until(now), None);
    }
}
