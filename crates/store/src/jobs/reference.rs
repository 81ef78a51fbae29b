//! Which jobs name which secrets: written when a job is saved, read when someone asks what a secret is used for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use padclock_api::{JobId, SecretId, UserId, WorkspaceId};
use padclock_job::{Anchor, Job, Moment};
use padclock_template::{RefSyntax, SecretRef};
use padclock_vault::Place;

use super::{JobRow, decode};
use crate::error::Result;
use crate::field::{Field, Row, fields};
use crate::resolve::{self, Asker, SealedSecret};
use crate::tx::{Batch, Rows, Sql, Tx};
use crate::{Store, body};

/// Jobs that one step reads.
const STEP: i64 = 500;
/// Where the filling of the table for jobs of an older schema stands; no bytes: it is done.
const FILLED: &str = "job_references";

static PUT: Sql = Sql::each(
    "INSERT INTO job_references (workspace_id, name, job_id, uri, environment) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
    "INSERT INTO job_references (workspace_id, name, job_id, uri, environment)
     SELECT * FROM unnest($1::bytea[], $2::text[], $3::bytea[], $4::bigint[], $5::text[]) ON CONFLICT DO NOTHING",
);
static FORGET: Sql = Sql::both("DELETE FROM job_references WHERE job_id = $1");
static NAMING: Sql = Sql::both(select_job!(
    "WHERE j.id IN (SELECT job_id FROM job_references WHERE workspace_id = $1 AND name = $2 AND job_id > $3 ORDER BY job_id LIMIT $4)
       AND j.workspace_id = $1 ORDER BY j.id"
));
/// Jobs that name a secret for which there is no live one in their environment, or an ended one that may stand before it.
static DOUBTFUL: Sql = Sql::both(select_job!(
    "WHERE j.id IN (
       SELECT r.job_id FROM job_references r JOIN jobs o ON o.id = r.job_id
       WHERE r.workspace_id = $1 AND r.job_id > $2 AND (
         NOT EXISTS (SELECT 1 FROM secrets s WHERE s.workspace_id = r.workspace_id AND s.name = r.name
           AND s.environment IN (r.environment, $3) AND (s.owner_id = $4 OR (s.owner_id = o.owner_id AND r.uri = 0)))
         OR EXISTS (SELECT 1 FROM secrets s WHERE s.workspace_id = r.workspace_id AND s.name = r.name AND s.expires_at <= $5))
       ORDER BY r.job_id LIMIT $6)
     ORDER BY j.id"
));
static OLDER: Sql = Sql::each(
    select_job!("WHERE j.id > $1 ORDER BY j.id LIMIT $2"),
    select_job!("WHERE j.id > $1 ORDER BY j.id LIMIT $2 FOR SHARE OF j"),
);
static STATE: Sql = Sql::both("SELECT value FROM meta WHERE key = $1");
static SET_STATE: Sql = Sql::both(
    "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
);

fn rows(job: JobId, workspace: WorkspaceId, compiled: &Job) -> Vec<[Field; 5]> {
    let references: BTreeSet<(&str, bool)> = compiled
        .references()
        .iter()
        .map(|(reference, _)| (reference.name.as_str(), reference.syntax == RefSyntax::Uri))
        .collect();
    let environment = compiled.definition().environment();
    let row = |(name, uri): (&str, bool)| {
        [
            workspace.into(),
            name.to_owned().into(),
            job.into(),
            uri.into(),
            environment.to_owned().into(),
        ]
    };
    references.into_iter().map(row).collect()
}

/// Writes what a job names, in the transaction that saves it.
pub(super) async fn put(
    tx: &mut dyn Tx,
    job: JobId,
    workspace: WorkspaceId,
    compiled: &Job,
) -> Result<()> {
    let rows = Rows::new(rows(job, workspace, compiled));
    if rows.is_empty() {
        return Ok(());
    }
    tx.batches(vec![Batch::new(&PUT, rows)]).await.map(drop)
}

/// Removes what a job named.
pub(super) async fn forget(tx: &mut dyn Tx, job: JobId) -> Result<()> {
    tx.execute(&FORGET, fields![job]).await.map(drop)
}

/// A job's compiled form; none when this binary can't read it any more.
fn compiled(row: &JobRow) -> Option<Job> {
    let anchor = Anchor {
        job_id: &row.id.to_string(),
        created_at: row.created_at,
    };
    Job::compile(row.definition.clone(), &anchor).ok()
}

/// A job that names a secret.
#[derive(Debug, Clone)]
pub struct JobUse {
    /// The job.
    pub job: JobRow,
    /// Where it names it.
    pub places: Vec<Place>,
    /// Whether the name means this very secret, for this job and now. A job that can't be read any more counts as one.
    pub meant: bool,
}

fn job_use(
    job: JobRow,
    secret: SecretId,
    candidates: &[Arc<SealedSecret>],
    now: Moment,
) -> Option<JobUse> {
    let name = candidates.first()?.name.as_str();
    let Some(compiled) = compiled(&job) else {
        return Some(JobUse {
            job,
            places: Vec::new(),
            meant: true,
        });
    };
    let asker = Asker {
        owner: job.owner,
        environment: compiled.definition().environment(),
        now,
    };
    let named = || {
        let all = compiled.references().iter();
        all.filter(|(reference, _)| reference.name == name)
    };
    let mut places: Vec<Place> = named().map(|(_, place)| *place).collect();
    places.sort_unstable();
    places.dedup();
    let means = |reference| resolve::choose(candidates, reference, asker);
    let meant =
        named().any(|(reference, _)| means(reference).is_some_and(|found| found.id == secret));
    (!places.is_empty()).then_some(JobUse { job, places, meant })
}

/// The names that mean nothing, of those that a job has.
fn unresolved<'r>(
    references: impl Iterator<Item = &'r SecretRef>,
    candidates: &BTreeMap<String, Vec<Arc<SealedSecret>>>,
    asker: Asker<'_>,
) -> Vec<String> {
    let means = |reference: &SecretRef| {
        let of_name = candidates.get(&reference.name)?;
        resolve::choose(of_name, reference, asker)
    };
    let names: BTreeSet<&str> = references
        .filter(|reference| means(reference).is_none())
        .map(|reference| reference.name.as_str())
        .collect();
    names.into_iter().map(str::to_owned).collect()
}

impl Store {
    /// The jobs after `after` that name the secret, oldest first, and where to go on; none at the end.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn secret_users(
        &self,
        workspace: WorkspaceId,
        (secret, name): (SecretId, String),
        after: Option<JobId>,
        limit: u32,
    ) -> Result<(Vec<JobUse>, Option<JobId>)> {
        let after = after.unwrap_or(JobId::from_bytes([0; 16]));
        // A job may have two rows: one for each syntax.
        let (rows, candidates, now) = self
            .read(body!(|tx| {
                let now = Moment::from_millis(tx.now().await?);
                let names = BTreeSet::from([name.clone()]);
                let mut found = resolve::named(tx, workspace, names).await?;
                let candidates = found.remove(&name).unwrap_or_default();
                let params = fields![workspace, name, after, limit];
                let mut rows = tx.query(&NAMING, params).await?;
                let rows: Vec<JobRow> = rows.iter_mut().map(decode).collect::<Result<_>>()?;
                Ok((rows, candidates, now))
            }))
            .await?;
        let next = rows.last().map(|row| row.id);
        let users = rows
            .into_iter()
            .filter_map(|row| job_use(row, secret, &candidates, now))
            .collect();
        Ok((users, next))
    }

    /// The names in a definition that mean no secret now.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn unresolved_names(
        &self,
        workspace: WorkspaceId,
        owner: UserId,
        job: Arc<Job>,
    ) -> Result<Vec<String>> {
        if job.references().is_empty() {
            return Ok(Vec::new());
        }
        self.read(body!(|tx| {
            let now = Moment::from_millis(tx.now().await?);
            let references = || job.references().iter().map(|(reference, _)| reference);
            let names = references().map(|reference| reference.name.clone());
            let candidates = resolve::named(tx, workspace, names.collect()).await?;
            let environment = job.definition().environment();
            let asker = Asker {
                owner,
                environment,
                now,
            };
            Ok(unresolved(references(), &candidates, asker))
        }))
        .await
    }

    /// The next jobs after `after` that name what means no secret now, with the names, and where to go on; none at the
    /// end. Fewer than `limit` is no end.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn unresolved_jobs(
        &self,
        workspace: WorkspaceId,
        after: Option<JobId>,
        limit: u32,
    ) -> Result<(Vec<(JobRow, Vec<String>)>, Option<JobId>)> {
        let after = after.unwrap_or(JobId::from_bytes([0; 16]));
        let (rows, candidates, now) = self
            .read(body!(|tx| {
                let now = Moment::from_millis(tx.now().await?);
                let params = fields![
                    workspace,
                    after,
                    crate::secrets::EVERY,
                    Vec::<u8>::new(),
                    now,
                    limit
                ];
                let mut rows = tx.query(&DOUBTFUL, params).await?;
                let rows: Vec<JobRow> = rows.iter_mut().map(decode).collect::<Result<_>>()?;
                let rows: Vec<(JobRow, Option<Job>)> = rows
                    .into_iter()
                    .map(|row| {
                        let job = compiled(&row);
                        (row, job)
                    })
                    .collect();
                let references = rows
                    .iter()
                    .filter_map(|(_, job)| job.as_ref())
                    .flat_map(|job| job.references());
                let names = references.map(|(reference, _)| reference.name.clone());
                let candidates = resolve::named(tx, workspace, names.collect()).await?;
                Ok((rows, candidates, now))
            }))
            .await?;
        let next = rows.last().map(|(row, _)| row.id);
        let names = |row: &JobRow, job: &Job| {
            let asker = Asker {
                owner: row.owner,
                environment: job.definition().environment(),
                now,
            };
            let references = job.references().iter().map(|(reference, _)| reference);
            unresolved(references, &candidates, asker)
        };
        let found = rows.into_iter().filter_map(|(row, job)| {
            let names = names(&row, job.as_ref()?);
            (!names.is_empty()).then_some((row, names))
        });
        Ok((found.collect(), next))
    }

    /// Writes what the jobs of an older schema name; done once, in steps that a restart goes on with.
    pub(crate) async fn fill_references(&self) -> Result<()> {
        while !self.write(body!(|tx| fill_step(tx).await)).await? {}
        Ok(())
    }
}

/// One step; whether there is nothing left to do.
async fn fill_step(tx: &mut dyn Tx) -> Result<bool> {
    let state = tx.query(&STATE, fields![FILLED]).await?.pop();
    let state: Option<Vec<u8>> = state.map(|mut row: Row| row.bytes(0)).transpose()?;
    if state.as_ref().is_some_and(Vec::is_empty) {
        return Ok(true);
    }
    let after = state
        .and_then(|bytes| <[u8; 16]>::try_from(bytes).ok())
        .unwrap_or_default();
    let mut found = tx
        .query(&OLDER, fields![JobId::from_bytes(after), STEP])
        .await?;
    let jobs: Vec<JobRow> = found.iter_mut().map(decode).collect::<Result<_>>()?;
    let fresh = jobs.iter().filter_map(|row| {
        let job = compiled(row)?;
        Some(rows(row.id, row.workspace, &job))
    });
    let fresh = Rows::new(fresh.flatten());
    if !fresh.is_empty() {
        tx.batches(vec![Batch::new(&PUT, fresh)]).await?;
    }
    let mark = jobs
        .last()
        .map(|row| row.id.bytes().to_vec())
        .unwrap_or_default();
    tx.execute(&SET_STATE, fields![FILLED, mark]).await?;
    Ok(jobs.is_empty())
}
