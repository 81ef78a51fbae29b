//! The first durable commit of an execution: one transaction turns due rows into occurrences, decides overlap and
//! misfires, leases what is to run, and records which secrets it will use.
//!
//! `read` fetches what the decision needs, `plan` decides without any I/O, `apply` writes the plan.

mod apply;
mod parts;
mod plan;
mod read;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use padclock_api::{ExecutionId, JobId, Trigger, WorkspaceId};
use padclock_job::{Job, Moment};
use padclock_template::SecretRef;
use padclock_vault::Label;

use crate::audit::{self, Action, Actor, Detail, Entry, SecretUse};
use crate::cache::Fresh;
use crate::error::Result;
use crate::field::{Field, Row, fields};
use crate::resolve::{self, Asker, SealedSecret};
use crate::tx::{Rows, Sql, Tx, one_batch};
use crate::{Store, body};

/// An attempt that this node now holds.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The execution.
    pub execution: ExecutionId,
    /// Its job.
    pub job_id: JobId,
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// The workspace's name.
    pub workspace_name: Arc<str>,
    /// The job, compiled.
    pub job: Arc<Job>,
    /// What started the execution.
    pub trigger: Trigger,
    /// The attempt token: only its bearer can complete the attempt.
    pub fence: i64,
    /// The attempt's number, from 1.
    pub attempt: u32,
    /// The due time it stands for.
    pub scheduled_for: Moment,
    /// When its first attempt began.
    pub started_at: Moment,
    /// The database's clock at the claim.
    pub now: Moment,
    /// When the job's previous execution began, if its request names it.
    pub last_run: Option<Moment>,
    /// The job's next occurrence, which no retry outlives.
    pub next_due: Option<Moment>,
    /// Whether the workspace lets no secret without an egress policy be sent.
    pub require_policy: bool,
    /// What the job's references mean now; one that means nothing is absent.
    pub secrets: Vec<(SecretRef, Arc<SealedSecret>)>,
}

/// A lease as its holder names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldLease {
    /// The execution.
    pub execution: ExecutionId,
    /// The attempt token.
    pub fence: i64,
}

/// Why a holder must stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocation {
    /// Another node has it, or it is over.
    Lost,
    /// Someone asked for its end.
    Cancel,
}

static RENEW: Sql = Sql::each(
    "UPDATE open_executions SET wake_at = $1 WHERE id = $2 AND fence = $3 AND status = 'running' RETURNING id, cancel_requested",
    "UPDATE open_executions o SET wake_at = k.until
     FROM (SELECT k.until, r.id FROM unnest($1::bigint[], $2::bytea[], $3::bigint[]) AS k(until, id, fence)
       JOIN open_executions r ON r.id = k.id AND r.fence = k.fence AND r.status = 'running' FOR UPDATE OF r SKIP LOCKED) k
     WHERE o.id = k.id RETURNING o.id, o.cancel_requested",
);
/// What [`RENEW`] did not answer is lost, or is being written by someone else right now. In the second case it keeps the
/// lease it has until the next renewal; to wait for the other could be to wait in a ring.
static STILL_HELD: Sql = Sql::each(
    "SELECT id, cancel_requested FROM open_executions WHERE id = $1 AND fence = $2 AND status = 'running'",
    "SELECT o.id, o.cancel_requested FROM unnest($1::bytea[], $2::bigint[]) AS k(id, fence)
     JOIN open_executions o ON o.id = k.id AND o.fence = k.fence AND o.status = 'running'",
);
static REVOKED: Sql = Sql::both(
    "SELECT id, fence FROM open_executions WHERE node = $1 AND status = 'running' AND cancel_requested = 1",
);
static NEXT_OPEN: Sql = Sql::both("SELECT wake_at FROM open_executions ORDER BY wake_at LIMIT 1");
static NEXT_DUE: Sql = Sql::both("SELECT run_at FROM due ORDER BY run_at LIMIT 1");
static TAKE_OVER: Sql =
    Sql::both("UPDATE open_executions SET wake_at = $1 WHERE status = 'running'");

/// What a claim needs besides the transaction.
struct Claim {
    node: Arc<str>,
    want: usize,
    ttl_millis: i64,
    caches: (Arc<crate::cache::Jobs>, Arc<crate::cache::Secrets>),
}

impl Claim {
    async fn run(
        &self,
        tx: &mut dyn Tx,
        audit_key: &padclock_vault::DerivedKey,
    ) -> Result<(Vec<Claimed>, Fresh)> {
        let mut fresh = Fresh::default();
        let now = Moment::from_millis(tx.now().await?);
        let found = read::due_and_awake(tx, now, self.want).await?;
        if found.is_empty() {
            return Ok((Vec::new(), fresh));
        }
        let jobs = read::jobs(tx, (&self.caches.0, &mut fresh), &found).await?;
        let open = read::open_of(tx, &jobs, &found).await?;
        let plan = plan::plan(parts::Situation {
            now,
            want: self.want,
            lease_until: now.plus_millis(self.ttl_millis),
            found,
            jobs,
            open,
        });
        let leases = apply::apply(tx, &self.node, now, plan).await?;
        let mut claimed = self.resolved(tx, now, leases, &mut fresh).await?;
        add_last_runs(tx, &mut claimed).await?;
        let entries = claimed.iter().filter_map(|lease| self.use_entry(lease));
        // Last, since it takes the lock of the audit chain.
        audit::append(tx, audit_key, now.millis(), entries.collect()).await?;
        Ok((claimed, fresh))
    }

    /// Adds what the references mean.
    async fn resolved(
        &self,
        tx: &mut dyn Tx,
        now: Moment,
        leases: Vec<parts::Lease>,
        fresh: &mut Fresh,
    ) -> Result<Vec<Claimed>> {
        let ids: BTreeSet<WorkspaceId> = leases.iter().map(|lease| lease.known.workspace).collect();
        let mut wanted = BTreeSet::new();
        for lease in &leases {
            wanted.extend(
                lease
                    .known
                    .job
                    .references()
                    .iter()
                    .map(|(reference, _)| (lease.known.workspace, reference.name.as_str())),
            );
        }
        let workspaces = resolve::workspaces(tx, &ids, !wanted.is_empty()).await?;
        let candidates =
            resolve::candidates(tx, (&self.caches.1, fresh), &workspaces, wanted).await?;
        let mut claimed = Vec::with_capacity(leases.len());
        for lease in &leases {
            let definition = lease.known.job.definition();
            let environment = definition.environment.as_deref().unwrap_or("production");
            let asker = Asker {
                owner: lease.known.owner,
                environment,
                now,
            };
            let mut secrets = Vec::new();
            for reference in distinct(lease.known.job.references()) {
                let of_name = candidates.get(&(lease.known.workspace, reference.name.clone()));
                let chosen = of_name.and_then(|list| resolve::choose(list, reference, asker));
                secrets.extend(chosen.map(|secret| (reference.clone(), secret)));
            }
            let workspace_name = workspaces
                .get(&lease.known.workspace)
                .map_or_else(|| Arc::from(""), |known| Arc::clone(&known.name));
            let require_policy = workspaces
                .get(&lease.known.workspace)
                .is_none_or(|known| known.require_policy);
            claimed.push(Claimed {
                require_policy,
                ..lease.claimed(now, workspace_name, secrets)
            });
        }
        Ok(claimed)
    }

    fn use_entry(&self, lease: &Claimed) -> Option<Entry> {
        if lease.secrets.is_empty() {
            return None;
        }
        let mut used: Vec<SecretUse> = lease
            .secrets
            .iter()
            .map(|(_, secret)| SecretUse {
                name: secret.name.clone(),
                id: Some(secret.id.to_string()),
                version: Some(secret.version),
            })
            .collect();
        used.sort_unstable();
        used.dedup();
        Some(Entry {
            workspace: lease.workspace,
            actor: Actor::Node(Arc::clone(&self.node)).to_string(),
            action: Action::SecretUse,
            target: lease.execution.to_string(),
            detail: Detail {
                job: Some(lease.job_id.to_string()),
                attempt: Some(lease.attempt),
                secrets: used,
                ..Detail::default()
            },
        })
    }
}

fn distinct(references: &[(SecretRef, padclock_vault::Place)]) -> impl Iterator<Item = &SecretRef> {
    let mut seen = BTreeSet::new();
    references
        .iter()
        .map(|(reference, _)| reference)
        .filter(move |reference| seen.insert(*reference))
}

fn uses_last_run(lease: &Claimed) -> bool {
    lease
        .job
        .request()
        .is_some_and(padclock_template::Request::uses_last_run)
}

static LAST_RUN: Sql = Sql::both(
    "SELECT started_at FROM executions WHERE job_id = $1 AND id < $2 AND started_at IS NOT NULL ORDER BY id DESC LIMIT 1",
);
static LAST_OPEN: Sql = Sql::both(
    "SELECT max(started_at) FROM open_executions WHERE job_id = $1 AND id < $2 AND started_at IS NOT NULL",
);

/// Tells each claimed execution whose request names `last_run` when the one before it began. Such requests are rare.
async fn add_last_runs(tx: &mut dyn Tx, claimed: &mut [Claimed]) -> Result<()> {
    for lease in claimed.iter_mut().filter(|lease| uses_last_run(lease)) {
        for sql in [&LAST_RUN, &LAST_OPEN] {
            let started = tx
                .query(sql, fields![lease.job_id, lease.execution])
                .await?
                .first()
                .map_or(Ok(None), |row| row.opt_moment(0))?;
            lease.last_run = lease.last_run.max(started);
        }
    }
    Ok(())
}

impl Store {
    /// Claims up to `want` attempts for a node: what is due, what waits, and what a dead node left behind. Each is leased
    /// for `ttl`, and the audit record of the secrets it will use is durable when this returns.
    ///
    /// # Errors
    /// When the database can't be written, or the chain is locked: then nothing was claimed.
    pub async fn claim(&self, node: Arc<str>, want: usize, ttl: Duration) -> Result<Vec<Claimed>> {
        let keys = self.keys()?;
        let caches = (Arc::clone(&self.jobs), Arc::clone(&self.secrets));
        let claim = Claim {
            node,
            want,
            ttl_millis: i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX),
            caches,
        };
        let (claimed, fresh) = self
            .write(body!(|tx| claim.run(tx, keys.derived(Label::Audit)).await))
            .await?;
        fresh.keep(&self.jobs, &self.secrets);
        Ok(claimed)
    }

    /// Prolongs leases by `ttl`; answers those that their holder must stop, and why.
    ///
    /// # Errors
    /// When the database can't be written: then no lease was prolonged.
    pub async fn renew(
        &self,
        held: Vec<HeldLease>,
        ttl: Duration,
    ) -> Result<Vec<(HeldLease, Revocation)>> {
        self.write(body!(|tx| {
            let until = tx
                .now()
                .await?
                .saturating_add(i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX));
            let rows = Rows::new(held.iter().map(|lease| {
                [
                    until.into(),
                    Field::from(lease.execution),
                    lease.fence.into(),
                ]
            }));
            let answers = one_batch(tx, &RENEW, rows).await?;
            let kept =
                |row: &Row| Ok((row.id::<padclock_api::ids::ExecutionKind>(0)?, row.flag(1)?));
            let mut known: std::collections::BTreeMap<ExecutionId, bool> =
                answers.iter().map(kept).collect::<Result<_>>()?;
            let missing = held
                .iter()
                .filter(|lease| !known.contains_key(&lease.execution));
            let missing =
                Rows::new(missing.map(|lease| [Field::from(lease.execution), lease.fence.into()]));
            for row in one_batch(tx, &STILL_HELD, missing).await? {
                known.extend([kept(&row)?]);
            }
            let revoked = |lease: &HeldLease| match known.get(&lease.execution) {
                None => Some((*lease, Revocation::Lost)),
                Some(true) => Some((*lease, Revocation::Cancel)),
                Some(false) => None,
            };
            Ok(held.iter().filter_map(revoked).collect())
        }))
        .await
    }

    /// The leases of a node whose end someone has asked for.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn asked_to_stop(&self, node: Arc<str>) -> Result<Vec<HeldLease>> {
        self.read(body!(|tx| {
            let held = |row: &Row| {
                Ok(HeldLease {
                    execution: row.id(0)?,
                    fence: row.int(1)?,
                })
            };
            tx.query(&REVOKED, fields![node])
                .await?
                .iter()
                .map(held)
                .collect()
        }))
        .await
    }

    /// When the next claim may find something, by the database's clock, and that clock now.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn next_wake(&self) -> Result<(Moment, Option<Moment>)> {
        self.read(body!(|tx| {
            let now = Moment::from_millis(tx.now().await?);
            let mut earliest: Option<Moment> = None;
            for sql in [&NEXT_OPEN, &NEXT_DUE] {
                if let Some(row) = tx.query(sql, &[]).await?.first() {
                    let at = row.moment(0)?;
                    earliest = Some(earliest.map_or(at, |known| known.min(at)));
                }
            }
            Ok((now, earliest))
        }))
        .await
    }

    /// Ends every lease: for an embedded database whose one process has just started, whoever held them is gone.
    ///
    /// # Errors
    /// When the database can't be written.
    pub async fn take_over(&self) -> Result<()> {
        self.write(body!(|tx| {
            let now = tx.now().await?;
            tx.execute(&TAKE_OVER, fields![now]).await.map(drop)
        }))
        .await
    }
}
