//! The API as a client uses it: the secret and the jobs that a benchmark needs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result};
use padclock_api::JobId;
use padclock_api::client::{Client, NewSecret};
use padclock_vault::Value;
use serde_json::json;

use crate::target::{HEADER, KEY, Target};

/// The secret's name.
const SECRET: &str = "BENCH_KEY";
/// Calls at once.
const IN_FLIGHT: usize = 64;

/// A client of one node.
#[derive(Clone, Debug)]
pub struct Caller(Arc<Client>);

/// When jobs become due.
#[derive(Clone, Copy, Debug)]
pub enum When {
    /// When asked to.
    Manual,
    /// Every so many seconds, from this time on (milliseconds since 1970).
    Every { seconds: u32, from: i64 },
}

impl Caller {
    /// As the holder of `token`.
    ///
    /// # Errors
    /// When the token is none.
    pub fn new(node: SocketAddr, token: &str) -> Result<Self> {
        let base = format!("http://{node}")
            .parse()
            .context("the node's address")?;
        Ok(Self(Arc::new(Client::new(
            base,
            &Value::new(token.as_bytes().to_vec()),
        )?)))
    }

    /// Stores the secret that the target expects.
    ///
    /// # Errors
    /// As each call.
    pub async fn create_secret(&self) -> Result<()> {
        let new = NewSecret {
            name: SECRET.to_owned(),
            ..NewSecret::default()
        };
        self.0
            .create_secret(&new, &Value::new(KEY.as_bytes().to_vec()))
            .await?;
        Ok(())
    }

    /// Stores a job that calls the target with the secret.
    ///
    /// # Errors
    /// As each call.
    pub async fn create_job(&self, name: &str, when: When, target: &Target) -> Result<JobId> {
        let (kind, schedule) = match when {
            When::Manual => ("manual", json!({})),
            When::Every { seconds, from } => (
                "recurring",
                json!({ "every_seconds": seconds, "start_at": moment(from) }),
            ),
        };
        let definition = json!({
            "name": name, "kind": kind, "schedule": schedule,
            "request": { "url": target.url(), "headers": { HEADER: format!("secret://{SECRET}") } },
        });
        Ok(self.0.create_job(&definition).await?.it.id)
    }

    /// Stores many such jobs, and tells how many a second.
    ///
    /// # Errors
    /// As each call.
    pub async fn create_jobs(&self, count: usize, when: When, target: &Target) -> Result<f64> {
        let begun = Instant::now();
        let next = Arc::new(AtomicUsize::new(0));
        let mut tasks = Vec::new();
        for _ in 0..IN_FLIGHT {
            let (caller, next, target) = (self.clone(), Arc::clone(&next), target.clone());
            tasks.push(tokio::spawn(async move {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        return anyhow::Ok(());
                    }
                    caller
                        .create_job(&format!("bench {index}"), when, &target)
                        .await?;
                }
            }));
        }
        for task in tasks {
            task.await??;
        }
        Ok(per_second(count, begun))
    }

    /// Starts an execution of a job; it is accepted when this returns.
    ///
    /// # Errors
    /// As each call.
    pub async fn run_now(&self, job: JobId) -> Result<()> {
        self.0.run_job(job).await?;
        Ok(())
    }
}

/// `count` things since `begun`, in things per second.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of at most some millions"
)]
pub fn per_second(count: usize, begun: Instant) -> f64 {
    count as f64 / begun.elapsed().as_secs_f64()
}

fn moment(millis: i64) -> padclock_job::Moment {
    padclock_job::Moment::from_millis(millis)
}
