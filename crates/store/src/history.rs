//! Retention: history is kept by age and by count, and deleted in small batches that never hold a claim up.

use padclock_api::JobId;

use crate::error::Result;
use crate::field::{Field, fields};
use crate::tx::{Rows, Sql, one_batch};
use crate::{Store, body};

/// How much history is kept.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Days after which an execution is dropped; the newest of each job stays.
    pub days: u32,
    /// Executions kept per job.
    pub per_job: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            days: 30,
            per_job: 1_000,
        }
    }
}

/// Jobs looked at in one step.
const STEP: i64 = 100;
/// Rows of one job deleted in one step.
const ROWS: i64 = 200;

static NEXT_JOBS: Sql =
    Sql::both("SELECT DISTINCT job_id FROM executions WHERE job_id > $1 ORDER BY job_id LIMIT $2");
/// Deletes, of one job: what lies beyond its newest `$2` rows, and what ended before `$4` save the newest row.
static PRUNE: Sql = Sql::each(
    "DELETE FROM executions WHERE rowid IN (
       SELECT rowid FROM executions WHERE job_id = $1 AND id <= coalesce(
         (SELECT max(id) FROM (
            SELECT id FROM (SELECT id FROM executions WHERE job_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)
            UNION ALL
            SELECT id FROM (SELECT id FROM executions WHERE job_id = $1 AND finished_at < $3
              AND id < (SELECT max(id) FROM executions WHERE job_id = $1) ORDER BY id DESC LIMIT 1))), x'')
       ORDER BY id LIMIT $4)
     RETURNING job_id",
    "DELETE FROM executions e USING (
       SELECT d.workspace_id, d.id FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[]) AS k(job_id, keep, before, most)
       CROSS JOIN LATERAL (
         SELECT workspace_id, id FROM executions WHERE job_id = k.job_id AND id <= coalesce(greatest(
           (SELECT id FROM executions WHERE job_id = k.job_id ORDER BY id DESC LIMIT 1 OFFSET k.keep),
           (SELECT id FROM executions WHERE job_id = k.job_id AND finished_at < k.before
              AND id < (SELECT id FROM executions WHERE job_id = k.job_id ORDER BY id DESC LIMIT 1) ORDER BY id DESC LIMIT 1)), ''::bytea)
         ORDER BY id LIMIT k.most) d) x
     WHERE e.workspace_id = x.workspace_id AND e.id = x.id RETURNING e.job_id",
);

impl Store {
    /// Prunes the history of the next few jobs after `after`; answers where to go on, or none at the end of a round,
    /// and how many rows were deleted.
    ///
    /// # Errors
    /// When the database can't be written.
    pub async fn prune(
        &self,
        retention: Retention,
        after: Option<JobId>,
    ) -> Result<(Option<JobId>, usize)> {
        let after = after.unwrap_or(JobId::from_bytes([0; 16]));
        let rows = self
            .read(body!(|tx| tx.query(&NEXT_JOBS, fields![after, STEP]).await))
            .await?;
        let jobs: Vec<JobId> = rows.iter().map(|row| row.id(0)).collect::<Result<_>>()?;
        let Some(&last) = jobs.last() else {
            return Ok((None, 0));
        };
        let deleted = self
            .write(body!(|tx| {
                let before = tx.now().await? - i64::from(retention.days) * 86_400_000;
                let row = |job| {
                    [
                        Field::from(job),
                        retention.per_job.into(),
                        before.into(),
                        ROWS.into(),
                    ]
                };
                one_batch(tx, &PRUNE, Rows::new(jobs.into_iter().map(row)))
                    .await
                    .map(|rows| rows.len())
            }))
            .await?;
        Ok((Some(last), deleted))
    }
}
