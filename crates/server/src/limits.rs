//! How often one address may show a wrong token.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Wrong tokens from one address in one window.
const MOST: u32 = 60;
const WINDOW: Duration = Duration::from_secs(60);
/// Addresses remembered; beyond that those whose window is over are forgotten.
const ADDRESSES: usize = 10_000;

/// Counts of wrong tokens, by address.
#[derive(Debug, Default)]
pub(crate) struct Failures(Mutex<HashMap<IpAddr, (Instant, u32)>>);

impl Failures {
    /// How long this address must wait, if it has shown too many wrong tokens.
    pub(crate) fn wait(&self, from: IpAddr, now: Instant) -> Option<Duration> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let &(since, count) = counts.get(&from)?;
        let passed = now.duration_since(since);
        (count >= MOST && passed < WINDOW).then(|| WINDOW - passed)
    }

    /// Counts a wrong token.
    pub(crate) fn count(&self, from: IpAddr, now: Instant) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= ADDRESSES {
            counts.retain(|_, (since, _)| now.duration_since(*since) < WINDOW);
        }
        let entry = counts.entry(from).or_insert((now, 0));
        if now.duration_since(entry.0) >= WINDOW {
            *entry = (now, 0);
        }
        entry.1 += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_waits_after_too_many_wrong_tokens_and_others_do_not() {
        let failures = Failures::default();
        let (bad, good) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let start = Instant::now();
        for _ in 0..MOST {
            assert_eq!(failures.wait(bad, start), None);
            failures.count(bad, start);
        }
        assert_eq!(failures.wait(bad, start), Some(WINDOW));
        assert_eq!(failures.wait(good, start), None);
        assert_eq!(failures.wait(bad, start + WINDOW), None);
        failures.count(bad, start + WINDOW);
        assert_eq!(failures.wait(bad, start + WINDOW), None);
    }
}
