//! Many jobs due at the same instant, again and again: how long until each execution's end is durable. Shared by the
//! embedded store's benchmark and PostgreSQL's.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail, ensure};
use tokio::time::sleep;

use crate::arguments::Options;
use crate::caller::{Caller, When};
use crate::target::Target;
use crate::watch::Eyes;

/// Jobs that are made first, to learn how long all will take.
const PROBES: usize = 500;
/// How much longer the making may take than the probes promise.
const ROOM: f64 = 1.6;
const LOOK: Duration = Duration::from_millis(3);
/// What a burst must leave of its period, for the yardstick.
const REST: i64 = 1_500;

/// The jobs, and when they are due.
#[derive(Debug)]
pub struct Bursts {
    jobs: usize,
    period: i64,
    next: i64,
    target: Target,
    /// Jobs made a second, each durable when answered.
    pub made_per_second: f64,
}

/// One burst.
#[derive(Clone, Copy, Debug)]
pub struct Burst {
    /// Executions a second, from the due time to the last durable end.
    pub per_second: f64,
    /// From the due time to the first request at the target, in milliseconds.
    pub first: f64,
}

impl Bursts {
    /// Stores the secret and the jobs.
    ///
    /// # Errors
    /// When a call fails, or the jobs were not made before they were due.
    pub async fn prepare(caller: &Caller, target: &Target, options: &Options) -> Result<Self> {
        caller.create_secret().await?;
        let probed = caller.create_jobs(PROBES, When::Manual, target).await?;
        let jobs = options.jobs();
        let next = now() + 3_000 + span(count(jobs) / probed * ROOM * 1_000.0);
        let every = When::Every {
            seconds: options.period(),
            from: next,
        };
        let made_per_second = caller.create_jobs(jobs, every, target).await?;
        ensure!(
            now() < next - 500,
            "making the jobs took longer than a probe promised: try again on a quieter machine"
        );
        eprintln!("  {jobs} jobs made, {made_per_second:.0} a second");
        let period = i64::from(options.period()) * 1_000;
        Ok(Self {
            jobs,
            period,
            next,
            target: target.clone(),
            made_per_second,
        })
    }

    /// Waits for the next burst and measures it.
    ///
    /// # Errors
    /// When one execution did not succeed, or came without the secret, or the bursts run into each other.
    pub async fn next(&mut self, eyes: &Eyes) -> Result<Burst> {
        let due = self.next;
        ensure!(
            now() < due,
            "the rounds run into each other: give a longer --period"
        );
        let (open, ended, succeeded) = (
            eyes.unfinished(due - 1).await?,
            eyes.ended().await?,
            eyes.succeeded().await?,
        );
        ensure!(
            open == 0,
            "{open} executions of the burst before are still open"
        );
        self.target.reset();
        sleep(Duration::from_millis(
            u64::try_from(due - now()).unwrap_or(0),
        ))
        .await;
        let first = self.first(due).await?;
        let end = self.last(due, eyes).await?;
        self.next += self.period;
        let (ended, succeeded) = (
            eyes.ended().await? - ended,
            eyes.succeeded().await? - succeeded,
        );
        let (right, wrong) = (self.target.right(), self.target.wrong());
        let all = i64::try_from(self.jobs)?;
        ensure!(
            succeeded == all && ended == all && right == self.jobs && wrong == 0,
            "{all} jobs were due: {ended} ended, {succeeded} succeeded, the target saw {right} with the secret and {wrong} without"
        );
        let seconds = (end - millis(due)) / 1_000.0;
        Ok(Burst {
            per_second: count(self.jobs) / seconds,
            first: first - millis(due),
        })
    }

    async fn first(&self, due: i64) -> Result<f64> {
        while self.target.right() == 0 {
            self.too_long(due)?;
            sleep(Duration::from_millis(1)).await;
        }
        Ok(now_exact())
    }

    /// The database is asked only when the target has seen all: before that it could not be over.
    async fn last(&self, due: i64, eyes: &Eyes) -> Result<f64> {
        while self.target.right() < self.jobs || eyes.unfinished(due).await? > 0 {
            self.too_long(due)?;
            sleep(LOOK).await;
        }
        Ok(now_exact())
    }

    fn too_long(&self, due: i64) -> Result<()> {
        if now() < due + self.period - REST {
            return Ok(());
        }
        let (right, wrong, jobs) = (self.target.right(), self.target.wrong(), self.jobs);
        bail!(
            "a burst was not over in its time: the target saw {right} of {jobs}, and {wrong} without the secret; a longer --period may help"
        );
    }
}

/// Milliseconds since 1970, by the clock that the server and its database have too.
fn now_exact() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64()
        * 1_000.0
}

fn now() -> i64 {
    span(now_exact())
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "milliseconds of this century"
)]
fn span(millis: f64) -> i64 {
    millis as i64
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of this century")]
fn millis(at: i64) -> f64 {
    at as f64
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of at most some millions"
)]
fn count(jobs: usize) -> f64 {
    jobs as f64
}
