//! The leases that are held: which wait, which run, which are done, and what ends them. Talks to no source; the calls
//! are in `calls`, their rhythm in `run`; what ends a lease from outside is in `ends`.

mod ends;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use padclock_api::WorkspaceId;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::counters::Counters;
use crate::failure::FailureKind;
use crate::run::gates::Gates;
use crate::run::perform::{self, Host, Perform};
use crate::settings::Settings;
use crate::source::{Completion, Held, Lease};

/// Held leases are looked over at least so often.
const LOOK: Duration = Duration::from_millis(500);

/// Everything that is held.
pub(crate) struct Work<P> {
    performer: Arc<P>,
    settings: Arc<Settings>,
    counters: Arc<Counters>,
    results: UnboundedSender<Completion>,
    held: HashMap<Held, Entry>,
    hosts: Gates<Host>,
    workspaces: Gates<WorkspaceId>,
    /// Leases that wait or run.
    active: usize,
    waiting: usize,
    /// Results for the source.
    done: Vec<Completion>,
    drain_until: Option<Instant>,
    next_look: Option<Instant>,
}

struct Entry {
    lease: Arc<Lease>,
    clock: Clock,
    deadline: Instant,
    host: Option<Host>,
    state: State,
}

enum State {
    Waiting { since: Instant, at: Gate },
    Running { since: Instant, task: AbortHandle },
    Done,
}

/// Where a lease waits.
#[derive(Clone, Copy)]
enum Gate {
    Host(Host),
    Workspace(WorkspaceId),
}

impl<P: Perform> Work<P> {
    pub(crate) fn new(
        performer: Arc<P>,
        settings: Arc<Settings>,
        counters: Arc<Counters>,
        results: UnboundedSender<Completion>,
    ) -> Self {
        Self {
            hosts: Gates::new(settings.per_host),
            workspaces: Gates::new(settings.max_per_workspace),
            performer,
            settings,
            counters,
            results,
            held: HashMap::new(),
            active: 0,
            waiting: 0,
            done: Vec::new(),
            drain_until: None,
            next_look: None,
        }
    }

    /// How many more leases there is room for.
    pub(crate) fn free(&self) -> usize {
        self.settings.max_in_flight.saturating_sub(self.active)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Results that the source has not got yet.
    pub(crate) const fn unsent(&self) -> usize {
        self.done.len()
    }

    /// When [`Work::look`] is due.
    pub(crate) const fn next_look(&self) -> Option<Instant> {
        self.next_look
    }

    pub(crate) const fn drain_until(&self) -> Option<Instant> {
        self.drain_until
    }

    /// Takes new leases; each starts, waits, or is handed back.
    pub(crate) fn accept(&mut self, leases: Vec<Lease>, now: Instant) {
        for lease in leases {
            let held = Held {
                execution: lease.execution,
                fence: lease.fence,
            };
            if self.held.contains_key(&held) {
                tracing::warn!(execution = %lease.execution, "the source leased the same attempt twice");
                continue;
            }
            if Instant::from_std(lease.deadline) <= now {
                // The answer took too long to come: by now the attempt may be someone else's.
                self.counters.lost.one();
                tracing::warn!(execution = %lease.execution, "a lease came after its deadline and is not started");
                continue;
            }
            let entry = Entry {
                clock: Clock::new(lease.now, now),
                deadline: Instant::from_std(lease.deadline),
                host: self.performer.host(&lease),
                lease: Arc::new(lease),
                state: State::Done,
            };
            self.look_by(entry.deadline.min(now + LOOK));
            self.held.insert(held, entry);
            if self.drain_until.is_some() {
                self.hand_back(held, Duration::ZERO);
            } else {
                self.active += 1;
                self.admit(held, now, true);
            }
        }
        self.gauge();
    }

    fn look_by(&mut self, at: Instant) {
        self.next_look = Some(self.next_look.map_or(at, |next| next.min(at)));
    }

    /// Starts a lease, or lets it wait at the gate that is full; a newcomer may be turned away there.
    fn admit(&mut self, held: Held, now: Instant, newcomer: bool) {
        let Some(entry) = self.held.get(&held) else {
            return;
        };
        let (workspace, host) = (entry.lease.workspace, entry.host);
        let full = if !self.workspaces.has_room(workspace) {
            Some(Gate::Workspace(workspace))
        } else {
            host.filter(|host| !self.hosts.has_room(*host))
                .map(Gate::Host)
        };
        match full {
            None => self.start(held, now),
            Some(gate) if newcomer && self.turns_away(gate) => {
                self.active -= 1;
                let after = self.deferral(gate);
                self.hand_back(held, after);
            }
            Some(gate) => self.wait(held, gate, now, newcomer),
        }
    }

    fn wait(&mut self, held: Held, gate: Gate, now: Instant, newcomer: bool) {
        let Some(entry) = self.held.get_mut(&held) else {
            return;
        };
        // Moving from one gate to the other does not make the wait younger.
        let since = if let State::Waiting { since, .. } = entry.state {
            since
        } else {
            now
        };
        entry.state = State::Waiting { since, at: gate };
        self.waiting += usize::from(newcomer);
        match gate {
            Gate::Host(host) => self.hosts.wait(host, held),
            Gate::Workspace(workspace) => self.workspaces.wait(workspace, held),
        }
        self.look_by(since + self.settings.longest_wait);
    }

    fn start(&mut self, held: Held, now: Instant) {
        let Some(entry) = self.held.get_mut(&held) else {
            return;
        };
        if matches!(entry.state, State::Waiting { .. }) {
            self.waiting -= 1;
        }
        self.workspaces.enter(entry.lease.workspace);
        if let Some(host) = entry.host {
            self.hosts.enter(host);
        }
        let (lease, clock) = (Arc::clone(&entry.lease), entry.clock);
        let (performer, results) = (Arc::clone(&self.performer), self.results.clone());
        let counters = Arc::clone(&self.counters);
        let task = tokio::spawn(async move {
            let performed = AssertUnwindSafe(performer.perform(&lease, clock))
                .catch_unwind()
                .await;
            let completion = performed.unwrap_or_else(|_| {
                counters.fail(FailureKind::Internal);
                perform::panicked(&lease, &clock)
            });
            // Only a loop that is gone does not listen; then the lease expires.
            let _ = results.send(completion);
        });
        entry.state = State::Running {
            since: now,
            task: task.abort_handle(),
        };
        self.counters.started.one();
    }

    /// Takes the result of an attempt; one whose lease was given up meanwhile is dropped.
    pub(crate) fn finished(&mut self, completion: Completion, now: Instant) {
        let held = completion.held();
        if self
            .held
            .get(&held)
            .is_some_and(|entry| matches!(entry.state, State::Running { .. }))
        {
            self.release(held, now);
            self.done.push(completion);
        }
    }

    /// Ends the waiting or running of a lease, which is then done, and lets others follow.
    fn release(&mut self, held: Held, now: Instant) {
        let Some(entry) = self.held.get_mut(&held) else {
            return;
        };
        match std::mem::replace(&mut entry.state, State::Done) {
            State::Done => {}
            State::Waiting { at, .. } => {
                self.active -= 1;
                self.waiting -= 1;
                match at {
                    Gate::Host(host) => self.hosts.forget(host, held),
                    Gate::Workspace(workspace) => self.workspaces.forget(workspace, held),
                }
            }
            State::Running { task, .. } => {
                task.abort();
                self.active -= 1;
                let (workspace, host) = (entry.lease.workspace, entry.host);
                self.workspaces.leave(workspace);
                if let Some(host) = host {
                    self.hosts.leave(host);
                }
                self.follow(workspace, host, now);
            }
        }
    }

    /// Starts who waited for this workspace or host.
    fn follow(&mut self, workspace: WorkspaceId, host: Option<Host>, now: Instant) {
        while let Some(held) = self.workspaces.next(workspace) {
            self.admit(held, now, false);
        }
        while let Some(held) = host.and_then(|host| self.hosts.next(host)) {
            self.admit(held, now, false);
        }
    }

    fn turns_away(&self, gate: Gate) -> bool {
        match gate {
            Gate::Host(host) => self.hosts.turns_away(host),
            Gate::Workspace(workspace) => self.workspaces.turns_away(workspace),
        }
    }

    fn deferral(&mut self, gate: Gate) -> Duration {
        let unit = self.settings.longest_wait;
        match gate {
            Gate::Host(host) => self.hosts.deferral(host, unit),
            Gate::Workspace(workspace) => self.workspaces.deferral(workspace, unit),
        }
    }

    /// Gives a lease that does not run back to the source.
    fn hand_back(&mut self, held: Held, after: Duration) {
        let Some(entry) = self.held.get(&held) else {
            return;
        };
        let after = i64::try_from(after.as_millis()).unwrap_or(i64::MAX);
        let at = entry.clock.now().plus_millis(after);
        self.done
            .push(perform::handed_back(&entry.lease, &entry.clock, at));
        self.counters.handed_back.one();
    }

    /// At most `most` results to send.
    pub(crate) fn take_done(&mut self, most: usize) -> Vec<Completion> {
        let rest = self.done.split_off(most.min(self.done.len()));
        std::mem::replace(&mut self.done, rest)
    }

    /// The source has these results, or does not want them any more.
    pub(crate) fn recorded(&mut self, batch: &[Completion], accepted: &[bool]) {
        for (place, completion) in batch.iter().enumerate() {
            self.held.remove(&completion.held());
            if accepted.get(place) == Some(&false) {
                self.counters.lost.one();
                tracing::warn!(execution = %completion.execution, "a result came too late and was not accepted");
            }
        }
    }

    /// The source did not take these results: they wait in front, unless their lease was lost meanwhile.
    pub(crate) fn unrecorded(&mut self, mut batch: Vec<Completion>) {
        batch.retain(|completion| self.held.contains_key(&completion.held()));
        batch.append(&mut self.done);
        self.done = batch;
    }

    pub(crate) fn gauge(&self) {
        self.counters.in_flight.set(self.active - self.waiting);
        self.counters.waiting.set(self.waiting);
    }
}

impl<P> Drop for Work<P> {
    fn drop(&mut self) {
        // The loop may be dropped in the middle; its attempts must not run on.
        for entry in self.held.values() {
            if let State::Running { task, .. } = &entry.state {
                task.abort();
            }
        }
    }
}
