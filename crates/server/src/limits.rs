//! How often somebody may fail to be let in: by address, and by account.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use padclock_api::ErrorCode;

use crate::failure::{Answer, Failure};

const WINDOW: Duration = Duration::from_secs(60);
/// Keys remembered; beyond that those whose window is over are forgotten.
const KEYS: usize = 10_000;

/// Counts of failures in one window, by key.
#[derive(Debug)]
pub(crate) struct Failures<K> {
    most: u32,
    counts: Mutex<HashMap<K, (Instant, u32)>>,
}

impl<K: Hash + Eq> Failures<K> {
    /// At most so many in a minute.
    pub(crate) fn new(most: u32) -> Self {
        Self {
            most,
            counts: Mutex::default(),
        }
    }

    /// How long this key must wait, if it has failed too often.
    pub(crate) fn wait<Q: Hash + Eq + ?Sized>(&self, key: &Q, now: Instant) -> Option<Duration>
    where
        K: Borrow<Q>,
    {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let &(since, count) = counts.get(key)?;
        let passed = now.duration_since(since);
        (count >= self.most && passed < WINDOW).then(|| WINDOW - passed)
    }

    /// Refuses a key that has failed too often.
    pub(crate) fn admit<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Answer<()>
    where
        K: Borrow<Q>,
    {
        match self.wait(key, Instant::now()) {
            None => Ok(()),
            Some(wait) => {
                let failure = Failure::new(
                    ErrorCode::RateLimited,
                    "too many failed attempts; wait a minute",
                );
                Err(failure.retry_after(wait.as_secs() + 1))
            }
        }
    }

    /// Takes one back.
    pub(crate) fn forgive<Q: Hash + Eq + ?Sized>(&self, key: &Q)
    where
        K: Borrow<Q>,
    {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, count)) = counts.get_mut(key) {
            *count = count.saturating_sub(1);
        }
    }

    /// Counts a failure.
    pub(crate) fn count(&self, key: K, now: Instant) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= KEYS {
            counts.retain(|_, (since, _)| now.duration_since(*since) < WINDOW);
        }
        let entry = counts.entry(key).or_insert((now, 0));
        if now.duration_since(entry.0) >= WINDOW {
            *entry = (now, 0);
        }
        entry.1 += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn an_address_waits_after_too_many_failures_and_others_do_not() {
        let failures = Failures::new(60);
        let (bad, good) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let start = Instant::now();
        for _ in 0..60 {
            assert_eq!(failures.wait(&bad, start), None);
            failures.count(bad, start);
        }
        assert_eq!(failures.wait(&bad, start), Some(WINDOW));
        assert_eq!(failures.wait(&good, start), None);
        assert_eq!(failures.wait(&bad, start + WINDOW), None);
        failures.count(bad, start + WINDOW);
        assert_eq!(failures.wait(&bad, start + WINDOW), None);
    }
}
