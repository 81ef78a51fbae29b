//! A source in memory: gives what it was given, and hands on what comes back.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use padclock_worker::{Completion, Held, Lease, Renewed, RunSource, SourceError, Worker};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

/// Gives its leases once.
pub struct OneShot {
    leases: Mutex<Vec<Lease>>,
    done: UnboundedSender<Vec<Completion>>,
    shutdown: CancellationToken,
}

impl OneShot {
    /// Has a worker perform these leases, and answers the completions in the order of their executions.
    pub async fn perform(worker: &Worker, leases: Vec<Lease>) -> Vec<Completion> {
        let count = leases.len();
        let shutdown = CancellationToken::new();
        let (done, mut results) = unbounded_channel();
        let source = Self {
            leases: Mutex::new(leases),
            done,
            shutdown: shutdown.clone(),
        };
        let collect = async {
            let mut completions = Vec::new();
            while completions.len() < count {
                completions.extend(results.recv().await.expect("the source lives"));
            }
            shutdown.cancel();
            completions
        };
        let ((), mut completions) =
            tokio::join!(worker.run(Arc::new(source), shutdown.clone()), collect);
        completions.sort_by_key(|completion: &Completion| completion.execution);
        completions
    }
}

#[async_trait]
impl RunSource for OneShot {
    async fn lease(&self, want: usize) -> Result<Vec<Lease>, SourceError> {
        let taken: Vec<_> = {
            let mut leases = self.leases.lock().unwrap();
            let count = want.min(leases.len());
            leases.drain(..count).collect()
        };
        if taken.is_empty() {
            self.shutdown.cancelled().await;
        }
        Ok(taken)
    }

    async fn renew(&self, held: &[Held]) -> Result<Renewed, SourceError> {
        Ok(Renewed {
            kept: held.to_vec(),
            revoked: Vec::new(),
        })
    }

    async fn complete(&self, done: &[Completion]) -> Result<Vec<bool>, SourceError> {
        let _ = self.done.send(done.to_vec());
        Ok(vec![true; done.len()])
    }
}
