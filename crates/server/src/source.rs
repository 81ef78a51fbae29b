//! The store as the worker's source: claims become leases, completions become rows.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use padclock_api::ExecutionId;
use padclock_job::Overlap;
use padclock_store::{
    Claimed, End as StoredEnd, Finished, HeldLease, Refused as StoredRefusal, Revocation,
    SecretUse, Store, StoreError,
};
use padclock_worker::{
    Completion, End, Held, Lease, RefusedSecret, Renewed, Revoked, RunSource, SealedSecret,
    SourceError,
};
use serde::Serialize;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::keyrings::{Keyrings, KeysError};
use crate::uses::Uses;

/// The longest sleep without a look at the clock (scheduling contract).
const LONGEST_SLEEP: Duration = Duration::from_secs(5);
/// The shortest, when what is due is held by another node's transaction.
const SHORTEST_SLEEP: Duration = Duration::from_millis(4);
/// How much earlier than the database a holder gives its lease up.
const MARGIN: Duration = Duration::from_secs(5);

/// Leases from the store.
pub(crate) struct StoreSource {
    pub(crate) store: Arc<Store>,
    pub(crate) keyrings: Arc<Keyrings>,
    pub(crate) node: Arc<str>,
    pub(crate) ttl: Duration,
    pub(crate) work: Arc<Notify>,
    /// Told when someone may have asked for an end.
    pub(crate) ends: Arc<Notify>,
    /// The leases whose end was passed on, until they are completed.
    pub(crate) told: Mutex<HashSet<ExecutionId>>,
    pub(crate) uses: Arc<Uses>,
    pub(crate) stopping: CancellationToken,
}

fn failed(error: StoreError) -> SourceError {
    SourceError::new(error)
}

impl StoreSource {
    async fn claim(&self, want: usize) -> Result<Vec<Lease>, SourceError> {
        if self.keyrings.is_replaced() {
            return Err(SourceError::new(KeysError::Replaced));
        }
        let deadline = Instant::now() + self.ttl.saturating_sub(MARGIN.min(self.ttl / 4));
        let claimed = self
            .store
            .claim(Arc::clone(&self.node), want, self.ttl)
            .await
            .map_err(failed)?;
        if claimed
            .iter()
            .any(|one| one.job.definition().overlap == Overlap::CancelPrevious)
        {
            self.ends.notify_one();
        }
        let claimed = self.openable(claimed).await?;
        self.uses.lease(&claimed);
        Ok(claimed
            .into_iter()
            .map(|one| lease(one, deadline))
            .collect())
    }

    /// Learns the terms that this node meets for the first time before anything is handed out. What is sealed under terms
    /// that can't be had goes back to the queue: another node may have them.
    async fn openable(&self, claimed: Vec<Claimed>) -> Result<Vec<Claimed>, SourceError> {
        let keyring = self.keyrings.now();
        let strange = |one: &Claimed| {
            let mut terms = one.secrets.iter().map(|(_, secret)| secret.sealed.term);
            terms.any(|term| !keyring.has_term(term))
        };
        if !claimed.iter().any(strange) {
            return Ok(claimed);
        }
        let Err(error) = self.keyrings.learn().await else {
            return Ok(claimed);
        };
        tracing::error!(%error, "a key term can't be had: what it seals is left to other nodes");
        let (back, kept): (Vec<_>, Vec<_>) = claimed.into_iter().partition(strange);
        let back = back.iter().map(handed_back).collect();
        self.store
            .complete(Arc::clone(&self.node), back)
            .await
            .map_err(failed)?;
        if kept.is_empty() {
            return Err(SourceError::new(error));
        }
        Ok(kept)
    }

    fn told(&self) -> MutexGuard<'_, HashSet<ExecutionId>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long there is nothing to do, unless someone says otherwise.
    async fn pause(&self) -> Result<Duration, SourceError> {
        let (now, next) = self.store.next_wake().await.map_err(failed)?;
        let until = next.map_or(LONGEST_SLEEP, |at| {
            Duration::from_millis(u64::try_from(at.millis() - now.millis()).unwrap_or(0))
        });
        Ok(until.clamp(SHORTEST_SLEEP, LONGEST_SLEEP))
    }
}

fn lease(claimed: Claimed, deadline: Instant) -> Lease {
    let secrets = claimed
        .secrets
        .into_iter()
        .map(|(reference, secret)| SealedSecret {
            reference,
            name: secret.name.clone(),
            secret: secret.id,
            version: secret.version,
            policy: secret.egress.clone(),
            workspace: secret.workspace,
            policy_hash: secret.policy_hash,
            sealed: secret.sealed.clone(),
        });
    Lease {
        secrets: secrets.collect(),
        execution: claimed.execution,
        job_id: claimed.job_id,
        workspace: claimed.workspace,
        workspace_name: claimed.workspace_name,
        job: claimed.job,
        trigger: claimed.trigger,
        fence: claimed.fence,
        attempt: claimed.attempt,
        scheduled_for: claimed.scheduled_for,
        started_at: claimed.started_at,
        now: claimed.now,
        last_run: claimed.last_run,
        next_due: claimed.next_due,
        require_policy: claimed.require_policy,
        on_unresolved: claimed.on_unresolved,
        deadline,
    }
}

/// A claim that goes back as if it had not been made.
fn handed_back(claimed: &Claimed) -> Finished {
    Finished {
        execution: claimed.execution,
        job: claimed.job_id,
        workspace: claimed.workspace,
        fence: claimed.fence,
        end: StoredEnd::HandBack { at: claimed.now },
        job_name: claimed.job.definition().name.clone(),
        attempt: String::new(),
        secrets: None,
        unresolved: None,
        warnings: None,
        refused: None,
        queues: queues(&claimed.job),
    }
}

fn json<T: Serialize>(list: &[T]) -> Option<String> {
    if list.is_empty() {
        None
    } else {
        serde_json::to_string(list).ok()
    }
}

/// Whether others of the job may stand behind one of its executions.
fn queues(job: &padclock_job::Job) -> bool {
    let definition = job.definition();
    matches!(definition.overlap, Overlap::QueueOne | Overlap::QueueAll)
        || definition.max_concurrent.is_some()
}

fn named(secret: &RefusedSecret) -> SecretUse {
    SecretUse {
        name: secret.name.clone(),
        id: Some(secret.secret.to_string()),
        version: Some(secret.version),
    }
}

fn finished(done: &Completion) -> Result<Finished, SourceError> {
    let end = match &done.end {
        End::Succeeded => StoredEnd::Succeeded,
        End::Failed { reason } => StoredEnd::Failed {
            reason: reason.clone(),
        },
        End::Canceled => StoredEnd::Canceled,
        End::Retry { at } => StoredEnd::Retry { at: *at },
        End::HandBack { at } => StoredEnd::HandBack { at: *at },
    };
    Ok(Finished {
        execution: done.execution,
        job: done.job_id,
        workspace: done.workspace,
        fence: done.fence,
        end,
        job_name: done.job.definition().name.clone(),
        attempt: serde_json::to_string(&done.attempt).map_err(SourceError::new)?,
        secrets: json(&done.secrets),
        unresolved: json(&done.unresolved),
        warnings: json(&done.warnings),
        queues: queues(&done.job),
        refused: done.refused.as_ref().map(|refused| StoredRefusal {
            secrets: refused.secrets.iter().map(named).collect(),
            host: refused.host.clone(),
        }),
    })
}

#[async_trait]
impl RunSource for StoreSource {
    async fn lease(&self, want: usize) -> Result<Vec<Lease>, SourceError> {
        let leases = self.claim(want).await?;
        if !leases.is_empty() || want == 0 {
            return Ok(leases);
        }
        let pause = self.pause().await?;
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.work.notified() => {}
            () = self.stopping.cancelled() => return Ok(Vec::new()),
        }
        self.claim(want).await
    }

    async fn renew(&self, held: &[Held]) -> Result<Renewed, SourceError> {
        let leases = held
            .iter()
            .map(|held| HeldLease {
                execution: held.execution,
                fence: held.fence,
            })
            .collect();
        let revoked = self.store.renew(leases, self.ttl).await.map_err(failed)?;
        let told = |(lease, why): (HeldLease, Revocation)| {
            let why = match why {
                Revocation::Lost => Revoked::Lost,
                Revocation::Cancel => Revoked::CancelRequested,
            };
            (
                Held {
                    execution: lease.execution,
                    fence: lease.fence,
                },
                why,
            )
        };
        let revoked: Vec<_> = revoked.into_iter().map(told).collect();
        let ended: HashSet<Held> = revoked.iter().map(|(held, _)| *held).collect();
        let kept = held
            .iter()
            .filter(|held| !ended.contains(held))
            .copied()
            .collect();
        Ok(Renewed { kept, revoked })
    }

    async fn revoked(&self) -> Result<(Held, Revoked), SourceError> {
        loop {
            let asked = self
                .store
                .asked_to_stop(Arc::clone(&self.node))
                .await
                .map_err(failed)?;
            if let Some(lease) = asked
                .into_iter()
                .find(|lease| self.told().insert(lease.execution))
            {
                let held = Held {
                    execution: lease.execution,
                    fence: lease.fence,
                };
                return Ok((held, Revoked::CancelRequested));
            }
            self.ends.notified().await;
        }
    }

    async fn complete(&self, done: &[Completion]) -> Result<Vec<bool>, SourceError> {
        self.uses.note(done);
        let rows = done.iter().map(finished).collect::<Result<_, _>>()?;
        let accepted = self
            .store
            .complete(Arc::clone(&self.node), rows)
            .await
            .map_err(failed)?;
        {
            let mut told = self.told();
            if !told.is_empty() {
                told.retain(|told| done.iter().all(|one| one.execution != *told));
            }
        }
        // A lease call that waits has counted on what was due before this: let it look again.
        let sooner = |one: &Completion| {
            queues(&one.job) || matches!(one.end, End::Retry { .. } | End::HandBack { .. })
        };
        if done.iter().any(sooner) {
            self.work.notify_one();
        }
        Ok(accepted)
    }
}
