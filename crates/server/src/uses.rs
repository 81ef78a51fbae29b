//! What a node remembers of the secrets that it used, until it writes it down: in one batch, away from the runs.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use padclock_api::secret::SecretUsed;
use padclock_api::{ExecutionId, SecretId};
use padclock_store::{Claimed, SealedSecret, Store, USES};
use padclock_worker::Completion;
use tokio_util::sync::CancellationToken;

/// Between two batches.
const PAUSE: Duration = Duration::from_secs(3);
/// The most secrets that wait to be written; of more, the use is forgotten, and nothing else.
const MOST: usize = 100_000;

/// The most executions whose end is waited for. One that this node has lost never ends here: then all are forgotten.
const MOST_OPEN: usize = 100_000;

/// A use that is about to be made.
struct Leased {
    secret: Arc<SealedSecret>,
    used: SecretUsed,
}

/// The uses of secrets that were not written down yet.
#[derive(Default)]
pub(crate) struct Uses {
    /// What claims have handed out; whether it was opened is known at the end.
    leased: Mutex<HashMap<ExecutionId, Vec<Leased>>>,
    waiting: Mutex<BTreeMap<SecretId, Vec<SecretUsed>>>,
}

impl Uses {
    fn waiting(&self) -> MutexGuard<'_, BTreeMap<SecretId, Vec<SecretUsed>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leased(&self) -> MutexGuard<'_, HashMap<ExecutionId, Vec<Leased>>> {
        self.leased.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what a claim may use. It asks no one and writes nothing.
    pub(crate) fn lease(&self, claimed: &[Claimed]) {
        if claimed.iter().all(|one| one.secrets.is_empty()) {
            return;
        }
        let mut leased = self.leased();
        if leased.len() > MOST_OPEN {
            leased.clear();
        }
        for one in claimed.iter().filter(|one| !one.secrets.is_empty()) {
            let of = |(_, secret): &(_, Arc<SealedSecret>)| Leased {
                secret: Arc::clone(secret),
                used: SecretUsed {
                    execution: one.execution,
                    job_id: one.job_id,
                    at: one.now,
                },
            };
            leased.insert(one.execution, one.secrets.iter().map(of).collect());
        }
    }

    /// Notes what an attempt has opened, of what it was leased: what was refused or never begun is no use.
    pub(crate) fn note(&self, done: &[Completion]) {
        let ended: Vec<Leased> = {
            let mut leased = self.leased();
            let opened = |one: &Completion| {
                let mut list = leased.remove(&one.execution).unwrap_or_default();
                list.retain(|leased| {
                    let name = &leased.secret.name;
                    one.secrets.iter().any(|used| used.name == *name)
                });
                list
            };
            done.iter().flat_map(opened).collect()
        };
        if ended.is_empty() {
            return;
        }
        let mut waiting = self.waiting();
        for Leased { secret, used } in ended {
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
            list.push(used);
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
