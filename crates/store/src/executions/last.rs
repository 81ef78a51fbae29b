//! When jobs last began to run.

use std::collections::BTreeMap;

use padclock_api::JobId;
use padclock_job::Moment;

use crate::error::Result;
use crate::field::Field;
use crate::tx::{Batch, Rows, Sql};
use crate::{Store, body};

static LAST_HISTORY: Sql = Sql::each(
    "SELECT job_id, started_at FROM executions WHERE job_id = $1 AND started_at IS NOT NULL ORDER BY id DESC LIMIT 1",
    "SELECT e.* FROM unnest($1::bytea[]) AS k(job_id) CROSS JOIN LATERAL (
       SELECT job_id, started_at FROM executions WHERE job_id = k.job_id AND started_at IS NOT NULL ORDER BY id DESC LIMIT 1) e",
);
static LAST_OPEN: Sql = Sql::each(
    "SELECT job_id, max(started_at) FROM open_executions WHERE job_id = $1 AND started_at IS NOT NULL GROUP BY job_id",
    "SELECT o.job_id, max(o.started_at) FROM unnest($1::bytea[]) AS k(job_id) JOIN open_executions o ON o.job_id = k.job_id
     WHERE o.started_at IS NOT NULL GROUP BY o.job_id",
);

impl Store {
    /// When the newest execution of each of these jobs began that did begin, over or not: one that is queued or was
    /// skipped tells nothing of the runs before it. A job that never ran is absent.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn last_started(&self, jobs: Vec<JobId>) -> Result<Vec<(JobId, Moment)>> {
        self.read(body!(|tx| {
            let keys = || Rows::new(jobs.iter().map(|&job| [Field::from(job)]));
            let batches = vec![
                Batch::new(&LAST_HISTORY, keys()),
                Batch::new(&LAST_OPEN, keys()),
            ];
            let mut last: BTreeMap<JobId, Moment> = BTreeMap::new();
            for row in tx.batches(batches).await?.into_iter().flatten() {
                let at = row.moment(1)?;
                last.entry(row.id(0)?)
                    .and_modify(|known| *known = at.max(*known))
                    .or_insert(at);
            }
            Ok(last.into_iter().collect())
        }))
        .await
    }
}
