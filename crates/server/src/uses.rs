//! What a node remembers of the secrets that it used, until it writes it down: in one batch, away from the runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use padclock_api::SecretId;
use padclock_api::secret::SecretUsed;
use padclock_store::{Claimed, Store, USES};
use tokio_util::sync::CancellationToken;

/// Between two batches.
const PAUSE: Duration = Duration::from_secs(3);
/// The most secrets that wait to be written; of more, the use is forgotten, and nothing else.
const MOST: usize = 100_000;

/// The uses of secrets that were not written down yet.
#[derive(Debug, Default)]
pub(crate) struct Uses(Mutex<BTreeMap<SecretId, Vec<SecretUsed>>>);

impl Uses {
    fn waiting(&self) -> MutexGuard<'_, BTreeMap<SecretId, Vec<SecretUsed>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what a claim is about to use. It asks no one and writes nothing.
    pub(crate) fn note(&self, claimed: &[Claimed]) {
        if claimed.iter().all(|one| one.secrets.is_empty()) {
            return;
        }
        let mut waiting = self.waiting();
        for one in claimed {
            let used = SecretUsed {
                execution: one.execution,
                job_id: one.job_id,
                at: one.now,
            };
            for (_, secret) in &one.secrets {
                if waiting.len() >= MOST && !waiting.contains_key(&secret.id) {
                    continue;
                }
                let list = waiting.entry(secret.id).or_default();
                if list.last() == Some(&used) {
                    continue;
                }
                // Oldest first here: the newest is at the end, and what is too old goes from the front.
                if list.len() == USES {
                    list.remove(0);
                }
                list.push(used.clone());
            }
        }
    }

    async fn write(&self, store: &Store) {
        let batch = std::mem::take(&mut *self.waiting());
        if let Err(error) = store.record_uses(batch).await {
            tracing::warn!(%error, "the last uses of secrets could not be written down");
        }
    }
}

/// Writes uses down until the node stops, and what is left then.
pub(crate) async fn keep(uses: Arc<Uses>, store: Arc<Store>, stopping: CancellationToken) {
    while !stopping.is_cancelled() {
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = stopping.cancelled() => {}
        }
        uses.write(&store).await;
    }
}
