//! A stage for the loop: a source that is scripted and performers that wait to be told. Times are tokio's paused ones.

use std::collections::{HashSet, VecDeque};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use padclock_api::{AttemptStatus, ExecutionId, JobId, Trigger, WorkspaceId};
use padclock_job::{Anchor, Definition, Job, Kind, Moment};
use padclock_template::RequestSpec;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::counters::Counters;
use crate::run::Loop;
use crate::run::perform::{Host, Perform, canceled};
use crate::settings::Settings;
use crate::source::{Completion, End, Held, Lease, Renewed, Revoked, RunSource, SourceError};

pub const NOW: Moment = Moment::from_millis(1_773_068_400_000);
/// A lease's time, less its margin.
pub const TRUST: Duration = Duration::from_secs(25);

/// A lease whose job's first id byte is its host, and whose workspace is given.
pub fn lease(number: u8, host: u8, workspace: u8) -> Lease {
    let job_id = JobId::from_bytes([host; 16]);
    let mut definition = Definition::new("job", Kind::Manual);
    definition.request = Some(RequestSpec::get("http://127.0.0.1/"));
    let job = Job::compile(
        definition,
        &Anchor {
            job_id: "cj_x",
            created_at: NOW,
        },
    )
    .expect("a job");
    Lease {
        execution: ExecutionId::from_bytes([number; 16]),
        job_id,
        workspace: WorkspaceId::from_bytes([workspace; 16]),
        workspace_name: "team".into(),
        job: Arc::new(job),
        trigger: Trigger::Manual,
        fence: 1,
        attempt: 1,
        scheduled_for: NOW,
        started_at: NOW,
        now: NOW,
        last_run: None,
        next_due: None,
        require_policy: false,
        secrets: Arc::new([]),
        deadline: (Instant::now() + TRUST).into_std(),
    }
}

/// The number that `lease` was given.
pub fn number(execution: ExecutionId) -> u8 {
    execution.bytes()[0]
}

/// What the source does and has seen.
#[derive(Default)]
pub struct Script {
    queue: Mutex<VecDeque<Lease>>,
    more: Notify,
    pub wants: Mutex<Vec<usize>>,
    pub renewals: Mutex<Vec<Vec<Held>>>,
    pub revoked: Mutex<Vec<(Held, Revoked)>>,
    /// Leases that the source can't renew now.
    pub locked: Mutex<HashSet<Held>>,
    /// What the source hears of early, and that it does.
    pub heard: Mutex<Vec<(Held, Revoked)>>,
    pub hears: Notify,
    pub lease_calls: Mutex<Vec<Instant>>,
    pub lease_fails: AtomicBool,
    pub renew_fails: AtomicBool,
    pub complete_fails: AtomicUsize,
    pub refuses: AtomicBool,
    /// Complete calls wait here when they are held up.
    pub hold_completes: AtomicBool,
    pub completes: Semaphore2,
}

/// A semaphore that starts closed.
pub struct Semaphore2(pub Semaphore);

impl Default for Semaphore2 {
    fn default() -> Self {
        Self(Semaphore::new(0))
    }
}

pub struct Source {
    script: Arc<Script>,
    batches: UnboundedSender<Vec<Completion>>,
    calls: UnboundedSender<&'static str>,
}

impl Source {
    fn take(&self, want: usize) -> Vec<Lease> {
        let mut queue = self.script.queue.lock().unwrap();
        let count = want.min(queue.len());
        queue.drain(..count).collect()
    }
}

#[async_trait]
impl RunSource for Source {
    async fn lease(&self, want: usize) -> Result<Vec<Lease>, SourceError> {
        assert!(want > 0, "asked for nothing");
        self.script.wants.lock().unwrap().push(want);
        self.script.lease_calls.lock().unwrap().push(Instant::now());
        if self.script.lease_fails.load(Ordering::SeqCst) {
            let _ = self.calls.send("lease failed");
            return Err(SourceError::new("down"));
        }
        let mut more = pin!(self.script.more.notified());
        more.as_mut().enable();
        let taken = self.take(want);
        if !taken.is_empty() {
            return Ok(taken);
        }
        let _ = timeout(Duration::from_secs(5), more).await;
        Ok(self.take(want))
    }

    async fn renew(&self, held: &[Held]) -> Result<Renewed, SourceError> {
        if self.script.renew_fails.load(Ordering::SeqCst) {
            return Err(SourceError::new("down"));
        }
        self.script.renewals.lock().unwrap().push(held.to_vec());
        let locked = self.script.locked.lock().unwrap().clone();
        let revoked = std::mem::take(&mut *self.script.revoked.lock().unwrap());
        let is_kept = |held: &&Held| {
            !locked.contains(held) && revoked.iter().all(|(revoked, _)| revoked != *held)
        };
        Ok(Renewed {
            kept: held.iter().filter(is_kept).copied().collect(),
            revoked,
        })
    }

    async fn revoked(&self) -> Result<(Held, Revoked), SourceError> {
        loop {
            if let Some(heard) = self.script.heard.lock().unwrap().pop() {
                return Ok(heard);
            }
            self.script.hears.notified().await;
        }
    }

    async fn complete(&self, done: &[Completion]) -> Result<Vec<bool>, SourceError> {
        let _ = self.calls.send("complete");
        if self.script.hold_completes.load(Ordering::SeqCst) {
            self.script.completes.0.acquire().await.unwrap().forget();
        }
        let fails = &self.script.complete_fails;
        if fails
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            })
            .is_ok()
        {
            let _ = self.calls.send("complete failed");
            return Err(SourceError::new("down"));
        }
        let _ = self.batches.send(done.to_vec());
        Ok(vec![
            !self.script.refuses.load(Ordering::SeqCst);
            done.len()
        ])
    }
}

/// Attempts that end when they are released.
pub struct Cast {
    release: Semaphore,
    running: AtomicUsize,
    pub most: AtomicUsize,
    started: UnboundedSender<u8>,
    dropped: UnboundedSender<u8>,
    pub panics: Mutex<HashSet<u8>>,
}

/// Tells of an attempt that was stopped.
struct OnStage<'c> {
    cast: &'c Cast,
    number: u8,
    done: bool,
}

impl Drop for OnStage<'_> {
    fn drop(&mut self) {
        self.cast.running.fetch_sub(1, Ordering::SeqCst);
        if !self.done {
            let _ = self.cast.dropped.send(self.number);
        }
    }
}

impl Perform for Cast {
    fn host(&self, lease: &Lease) -> Option<Host> {
        Some(Host::from(lease.job_id.bytes()[0]))
    }

    async fn perform(&self, lease: &Lease, clock: Clock) -> Completion {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        let number = number(lease.execution);
        let mut on_stage = OnStage {
            cast: self,
            number,
            done: false,
        };
        let _ = self.started.send(number);
        self.release.acquire().await.unwrap().forget();
        on_stage.done = true;
        assert!(
            !self.panics.lock().unwrap().contains(&number),
            "this attempt panics"
        );
        let mut completion = canceled(lease, &clock, None);
        completion.end = End::Succeeded;
        completion.attempt.status = AttemptStatus::Succeeded;
        completion
    }
}

/// A running loop.
pub struct Stage {
    pub script: Arc<Script>,
    pub cast: Arc<Cast>,
    pub counters: Arc<Counters>,
    pub shutdown: CancellationToken,
    pub started: UnboundedReceiver<u8>,
    pub dropped: UnboundedReceiver<u8>,
    pub batches: UnboundedReceiver<Vec<Completion>>,
    pub calls: UnboundedReceiver<&'static str>,
    pub loop_task: JoinHandle<()>,
}

/// Small numbers, so that limits are met soon.
pub fn settings() -> Settings {
    Settings {
        max_in_flight: 8,
        per_host: 8,
        max_per_workspace: 8,
        lease_trust: TRUST,
        ..Settings::default()
    }
}

impl Stage {
    pub fn new(settings: Settings) -> Self {
        let script = Arc::new(Script::default());
        let (started_in, started) = mpsc::unbounded_channel();
        let (dropped_in, dropped) = mpsc::unbounded_channel();
        let (batches_in, batches) = mpsc::unbounded_channel();
        let (calls_in, calls) = mpsc::unbounded_channel();
        let cast = Arc::new(Cast {
            release: Semaphore::new(0),
            running: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            started: started_in,
            dropped: dropped_in,
            panics: Mutex::default(),
        });
        let source = Source {
            script: Arc::clone(&script),
            batches: batches_in,
            calls: calls_in,
        };
        let (counters, shutdown) = (Arc::new(Counters::default()), CancellationToken::new());
        let running = Loop::new(
            Arc::new(source),
            Arc::clone(&cast),
            Arc::new(settings),
            Arc::clone(&counters),
        );
        let loop_task = tokio::spawn(running.run(shutdown.clone()));
        Self {
            script,
            cast,
            counters,
            shutdown,
            started,
            dropped,
            batches,
            calls,
            loop_task,
        }
    }

    /// Offers leases.
    pub fn queue(&self, leases: impl IntoIterator<Item = Lease>) {
        self.script.queue.lock().unwrap().extend(leases);
        self.script.more.notify_waiters();
    }

    /// Lets so many attempts end.
    pub fn release(&self, count: usize) {
        self.cast.release.add_permits(count);
    }

    /// The next `count` attempts that start, sorted.
    pub async fn starts(&mut self, count: usize) -> Vec<u8> {
        let mut numbers = Vec::new();
        for _ in 0..count {
            numbers.push(self.started.recv().await.unwrap());
        }
        numbers.sort_unstable();
        numbers
    }

    /// Whether an attempt starts within a second.
    pub async fn starts_more(&mut self) -> bool {
        timeout(Duration::from_secs(1), self.started.recv())
            .await
            .is_ok()
    }

    /// The next `count` results that the source took.
    pub async fn results(&mut self, count: usize) -> Vec<Completion> {
        let mut results = Vec::new();
        while results.len() < count {
            results.extend(self.batches.recv().await.unwrap());
        }
        results
    }

    /// Asks to stop and waits for the end.
    pub async fn stop(self) -> UnboundedReceiver<Vec<Completion>> {
        self.shutdown.cancel();
        self.loop_task.await.unwrap();
        self.batches
    }
}
