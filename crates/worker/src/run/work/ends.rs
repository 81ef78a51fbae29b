//! What ends a lease from outside: its deadline, a revocation, too long a wait, the shutdown. Also its renewal, which
//! keeps it from ending.

use std::time::Duration;

use tokio::time::Instant;

use super::{Entry, Gate, LOOK, State, Work};
use crate::clock::millis;
use crate::failure::FailureKind;
use crate::run::perform::{self, Perform};
use crate::source::{Held, Renewed, Revoked};

/// Why a look ends a lease.
enum Ending {
    Expired,
    Waited(Gate),
    Drained,
}

impl<P: Perform> Work<P> {
    /// Looks all held leases over: those whose time is up, those that wait too long, and the end of a drain.
    pub(crate) fn look(&mut self, now: Instant) {
        self.next_look = None;
        let drained = self.drain_until.is_some_and(|until| until <= now);
        let mut overdue = Vec::new();
        for (&held, entry) in &self.held {
            let too_long = match entry.state {
                State::Done => continue,
                State::Waiting { since, at } if since + self.settings.longest_wait <= now => {
                    Some(Ending::Waited(at))
                }
                State::Running { .. } if drained => Some(Ending::Drained),
                _ => None,
            };
            let ending = if entry.deadline <= now {
                Some(Ending::Expired)
            } else {
                too_long
            };
            overdue.extend(ending.map(|ending| (held, ending)));
        }
        for (held, ending) in overdue {
            self.end(held, ending, now);
        }
        let earliest = self
            .held
            .values()
            .filter(|entry| !matches!(entry.state, State::Done))
            .map(|entry| entry.deadline);
        let earliest = earliest
            .chain(self.drain_until.filter(|until| *until > now))
            .min();
        // Results that wait for the source need their leases renewed as well.
        if !self.held.is_empty() {
            self.look_by(earliest.map_or(now + LOOK, |earliest| earliest.min(now + LOOK)));
        }
        self.gauge();
    }

    fn end(&mut self, held: Held, ending: Ending, now: Instant) {
        match ending {
            Ending::Expired => self.lose(held, now),
            Ending::Drained => self.interrupt(held, now),
            Ending::Waited(gate) => {
                match gate {
                    Gate::Host(host) => self.hosts.saturate(host),
                    Gate::Workspace(workspace) => self.workspaces.saturate(workspace),
                }
                let after = self.deferral(gate);
                self.release(held, now);
                self.hand_back(held, after);
            }
        }
    }

    fn interrupt(&mut self, held: Held, now: Instant) {
        let Some(ran) = self.ran(held) else { return };
        self.release(held, now);
        if let Some(entry) = self.held.get(&held) {
            self.done
                .push(perform::interrupted(&entry.lease, &entry.clock, ran));
            self.counters.fail(FailureKind::Interrupted);
        }
    }

    /// For how many milliseconds an attempt has been running.
    fn ran(&self, held: Held) -> Option<u64> {
        match self.held.get(&held)?.state {
            State::Running { since, .. } => Some(millis(since)),
            _ => None,
        }
    }

    /// The lease is someone else's by now: stop, and say nothing.
    fn lose(&mut self, held: Held, now: Instant) {
        self.release(held, now);
        if self.held.remove(&held).is_some() {
            self.done.retain(|completion| completion.held() != held);
            self.counters.lost.one();
            tracing::warn!(execution = %held.execution, "the lease was lost; its attempt is stopped");
        }
    }

    fn cancel(&mut self, held: Held, now: Instant) {
        let ran = self.ran(held);
        let open = self
            .held
            .get(&held)
            .is_some_and(|entry| !matches!(entry.state, State::Done));
        if !open {
            return;
        }
        self.release(held, now);
        if let Some(entry) = self.held.get(&held) {
            self.done
                .push(perform::canceled(&entry.lease, &entry.clock, ran));
            self.counters.canceled.one();
        }
    }

    /// The leases to renew now: all that are no longer fresh, as soon as one is old.
    pub(crate) fn to_renew(&self, now: Instant) -> Vec<Held> {
        let old = self
            .settings
            .lease_trust
            .saturating_sub(self.settings.renew_after);
        let stale = self
            .settings
            .lease_trust
            .saturating_sub(self.settings.renew_after / 2);
        let left = |entry: &Entry| entry.deadline.saturating_duration_since(now);
        if !self.held.values().any(|entry| left(entry) <= old) {
            return Vec::new();
        }
        self.held
            .iter()
            .filter(|(_, entry)| left(entry) <= stale)
            .map(|(held, _)| *held)
            .collect()
    }

    /// The answer of a call that began at `begun`.
    pub(crate) fn renewed(&mut self, renewed: Renewed, begun: Instant, now: Instant) {
        for held in renewed.kept {
            if let Some(entry) = self.held.get_mut(&held) {
                entry.deadline = begun + self.settings.lease_trust;
            }
        }
        for (held, why) in renewed.revoked {
            match why {
                Revoked::Lost => self.lose(held, now),
                Revoked::CancelRequested => self.cancel(held, now),
            }
        }
        self.gauge();
    }

    /// Takes no more leases; what has not started goes back, what runs may go on until `drain_until`.
    pub(crate) fn stop(&mut self, now: Instant) {
        let until = now + self.settings.drain_timeout;
        self.drain_until = Some(until);
        let waiting = self
            .held
            .iter()
            .filter(|(_, entry)| matches!(entry.state, State::Waiting { .. }));
        for held in waiting.map(|(held, _)| *held).collect::<Vec<_>>() {
            self.release(held, now);
            self.hand_back(held, Duration::ZERO);
        }
        self.look_by(until);
        self.gauge();
    }
}
