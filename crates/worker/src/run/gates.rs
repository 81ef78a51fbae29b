//! How many attempts may run at once for each host, or for each workspace, and who waits. Pure: times come in.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::Duration;

use crate::source::Held;

/// The longest time for which a busy gate sends leases away.
const LONGEST_DEFERRAL: Duration = Duration::from_secs(60);

/// One limit, applied to each key by itself.
#[derive(Debug)]
pub(crate) struct Gates<K> {
    limit: usize,
    gates: HashMap<K, Gate>,
}

#[derive(Debug, Default)]
struct Gate {
    running: usize,
    waiting: VecDeque<Held>,
    /// Someone has waited too long here; new ones are sent away until nobody waits any more.
    saturated: bool,
    deferred: u32,
}

impl<K: Hash + Eq + Copy> Gates<K> {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit: limit.max(1),
            gates: HashMap::new(),
        }
    }

    /// Whether one more may run.
    pub(crate) fn has_room(&self, key: K) -> bool {
        self.gates
            .get(&key)
            .is_none_or(|gate| gate.running < self.limit)
    }

    /// Counts one that runs.
    pub(crate) fn enter(&mut self, key: K) {
        self.gates.entry(key).or_default().running += 1;
    }

    /// One that ran is done.
    pub(crate) fn leave(&mut self, key: K) {
        if let Some(gate) = self.gates.get_mut(&key) {
            gate.running = gate.running.saturating_sub(1);
        }
        self.tidy(key);
    }

    /// Lets one wait.
    pub(crate) fn wait(&mut self, key: K, held: Held) {
        self.gates.entry(key).or_default().waiting.push_back(held);
    }

    /// The first that waits, if it may run now.
    pub(crate) fn next(&mut self, key: K) -> Option<Held> {
        let gate = self
            .gates
            .get_mut(&key)
            .filter(|gate| gate.running < self.limit)?;
        let next = gate.waiting.pop_front();
        self.tidy(key);
        next
    }

    /// Takes one away that waits no longer.
    pub(crate) fn forget(&mut self, key: K, held: Held) {
        if let Some(gate) = self.gates.get_mut(&key) {
            gate.waiting.retain(|waiting| *waiting != held);
        }
        self.tidy(key);
    }

    /// Someone has waited too long at this gate.
    pub(crate) fn saturate(&mut self, key: K) {
        if let Some(gate) = self.gates.get_mut(&key) {
            gate.saturated = true;
        }
    }

    /// Whether a newcomer should rather not wait here: the gate is saturated and enough wait already to keep it busy.
    pub(crate) fn turns_away(&self, key: K) -> bool {
        let share = (self.limit / 4).max(1);
        self.gates
            .get(&key)
            .is_some_and(|gate| gate.saturated && gate.waiting.len() >= share)
    }

    /// For how long one is sent away: longer the more were, so that a long queue elsewhere does not turn in circles.
    pub(crate) fn deferral(&mut self, key: K, unit: Duration) -> Duration {
        let Some(gate) = self.gates.get_mut(&key) else {
            return unit;
        };
        gate.deferred = gate.deferred.saturating_add(1);
        let rounds = 1 + gate.deferred / u32::try_from(self.limit).unwrap_or(u32::MAX);
        unit.saturating_mul(rounds).min(LONGEST_DEFERRAL)
    }

    /// Forgets what an empty gate remembers, and the gate itself when nothing runs.
    fn tidy(&mut self, key: K) {
        let Some(gate) = self.gates.get_mut(&key) else {
            return;
        };
        if gate.waiting.is_empty() {
            gate.saturated = false;
            gate.deferred = 0;
            if gate.running == 0 {
                self.gates.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests;
