//! Executions as people look at them: both the open ones and history.

mod change;
mod last;

use padclock_api::{Attempt, Execution, ExecutionId, JobId, Status, Trigger, WorkspaceId};
use padclock_job::Moment;

use crate::error::{Result, StoreError};
use crate::field::{Field, Row, fields};
use crate::tx::{Batch, Rows, Sql, Tx};
use crate::{Store, body};

pub(crate) use change::{INSERT_HISTORY, cancel_all, cancel_previous, drop_pending};

/// Which executions a list holds.
#[derive(Debug, Clone, Default)]
pub struct ExecutionFilter {
    /// Of this job.
    pub job: Option<JobId>,
    /// In this state.
    pub status: Option<Status>,
    /// Started by this.
    pub trigger: Option<Trigger>,
    /// Made at or after.
    pub from: Option<Moment>,
    /// Made before.
    pub to: Option<Moment>,
    /// Older than this one.
    pub before: Option<ExecutionId>,
    /// Of jobs that are of this environment now; where a job is named, this says nothing.
    pub environment: Option<String>,
}

macro_rules! select_open {
    ($rest:literal) => {
        concat!(
            "SELECT o.id, o.job_id, o.cause, o.status, o.scheduled_for, o.started_at, NULL, o.attempt, NULL, o.node, o.replay_of, ",
            "coalesce(j.name, ''), o.secrets, o.unresolved, o.warnings, o.wake_at",
            $rest
        )
    };
}
macro_rules! select_history {
    ($rest:literal) => {
        concat!(
            "SELECT id, job_id, cause, status, scheduled_for, started_at, finished_at, attempt_count, reason, node, replay_of, ",
            "job_name, secrets, unresolved, warnings, NULL",
            $rest
        )
    };
}

static GET_OPEN: Sql = Sql::both(select_open!(
    ", o.attempts, o.attempt_started_at FROM open_executions o LEFT JOIN jobs j ON j.id = o.job_id WHERE o.workspace_id = $1 AND o.id = $2"
));
static GET_HISTORY: Sql = Sql::both(select_history!(
    ", attempts, NULL FROM executions WHERE workspace_id = $1 AND id = $2"
));
static LIST_OPEN: Sql = Sql::both(select_open!(
    " FROM open_executions o LEFT JOIN jobs j ON j.id = o.job_id
     WHERE o.workspace_id = $1 AND o.id >= $2 AND o.id < $3
       AND (CAST($4 AS TEXT) IS NULL OR o.status = $4) AND (CAST($5 AS TEXT) IS NULL OR o.cause = $5)
     ORDER BY o.id DESC LIMIT $6"
));
static LIST_OPEN_JOB: Sql = Sql::both(select_open!(
    " FROM open_executions o LEFT JOIN jobs j ON j.id = o.job_id
     WHERE o.workspace_id = $1 AND o.id >= $2 AND o.id < $3
       AND (CAST($4 AS TEXT) IS NULL OR o.status = $4) AND (CAST($5 AS TEXT) IS NULL OR o.cause = $5) AND o.job_id = $6
     ORDER BY o.id DESC LIMIT $7"
));
static LIST_HISTORY: Sql = Sql::both(select_history!(
    " FROM executions WHERE workspace_id = $1 AND id >= $2 AND id < $3
       AND (CAST($4 AS TEXT) IS NULL OR status = $4) AND (CAST($5 AS TEXT) IS NULL OR cause = $5)
     ORDER BY id DESC LIMIT $6"
));
macro_rules! select_failed {
    ($from:literal) => {
        concat!(
            select_history!(""),
            $from,
            " WHERE workspace_id = $1 AND id >= $2 AND id < $3 AND status = $4 AND status IN ('failed', 'lost')
               AND (CAST($5 AS TEXT) IS NULL OR cause = $5)
             ORDER BY id DESC LIMIT $6"
        )
    };
}
/// Failures have an index of their own: they are few, and looked for.
static LIST_FAILED: Sql = Sql::each(
    select_failed!(" FROM executions INDEXED BY executions_failed"),
    select_failed!(" FROM executions"),
);
static LIST_HISTORY_JOB: Sql = Sql::both(select_history!(
    " FROM executions WHERE workspace_id = $1 AND id >= $2 AND id < $3
       AND (CAST($4 AS TEXT) IS NULL OR status = $4) AND (CAST($5 AS TEXT) IS NULL OR cause = $5) AND job_id = $6
     ORDER BY id DESC LIMIT $7"
));
/// Those of one environment are found by their jobs: what is of a job that is gone is of none.
static LIST_OPEN_OF: Sql = Sql::both(select_open!(
    " FROM open_executions o JOIN jobs j ON j.id = o.job_id
     WHERE o.workspace_id = $1 AND o.id >= $2 AND o.id < $3
       AND (CAST($4 AS TEXT) IS NULL OR o.status = $4) AND (CAST($5 AS TEXT) IS NULL OR o.cause = $5) AND j.environment = $6
     ORDER BY o.id DESC LIMIT $7"
));
static LIST_HISTORY_OF: Sql = Sql::both(select_history!(
    " FROM executions e WHERE workspace_id = $1 AND id >= $2 AND id < $3
       AND (CAST($4 AS TEXT) IS NULL OR status = $4) AND (CAST($5 AS TEXT) IS NULL OR cause = $5)
       AND EXISTS (SELECT 1 FROM jobs j WHERE j.id = e.job_id AND j.environment = $6)
     ORDER BY id DESC LIMIT $7"
));
static NEWEST_OPEN: Sql = Sql::each(
    select_open!(
        " FROM open_executions o LEFT JOIN jobs j ON j.id = o.job_id WHERE o.job_id = $1 ORDER BY o.id DESC LIMIT 1"
    ),
    concat!(
        "SELECT e.* FROM unnest($1::bytea[]) AS k(job_id) CROSS JOIN LATERAL (",
        select_open!(
            " FROM open_executions o LEFT JOIN jobs j ON j.id = o.job_id WHERE o.job_id = k.job_id ORDER BY o.id DESC LIMIT 1"
        ),
        ") AS e(id, job_id, cause, status, scheduled_for, started_at, n1, attempt, n2, node, replay_of, name, s, u, w, wake_at)"
    ),
);
static NEWEST_HISTORY: Sql = Sql::each(
    select_history!(" FROM executions WHERE job_id = $1 ORDER BY id DESC LIMIT 1"),
    concat!(
        "SELECT e.* FROM unnest($1::bytea[]) AS k(job_id) CROSS JOIN LATERAL (",
        select_history!(" FROM executions WHERE job_id = k.job_id ORDER BY id DESC LIMIT 1"),
        ") AS e(id, job_id, cause, status, scheduled_for, started_at, finished_at, attempt_count, reason, node, replay_of, name, s, u, w, n)"
    ),
);

/// What several attempts have said one after the other, sorted, each once.
fn union<T: Ord + serde::de::DeserializeOwned>(row: &mut Row, at: usize) -> Result<Vec<T>> {
    let mut said: Vec<T> = row.opt_json(at)?.unwrap_or_default();
    said.sort_unstable();
    said.dedup();
    Ok(said)
}

fn decode(row: &mut Row) -> Result<Execution> {
    let unknown = || StoreError::Damaged("an execution's state is no state".to_owned());
    let trigger = Trigger::from_word(&row.text(2)?).ok_or_else(unknown)?;
    let status = Status::from_word(&row.text(3)?).ok_or_else(unknown)?;
    let (started_at, finished_at) = (row.opt_moment(5)?, row.opt_moment(6)?);
    let duration_ms = match (started_at, finished_at) {
        (Some(start), Some(end)) => Some(u64::try_from(end.millis() - start.millis()).unwrap_or(0)),
        _ => None,
    };
    let wake_at = row.opt_moment(15)?;
    Ok(Execution {
        id: row.id(0)?,
        job_id: row.id(1)?,
        job_name: row.text(11)?,
        status,
        trigger,
        scheduled_for: row.moment(4)?,
        started_at,
        finished_at,
        duration_ms,
        attempt_count: row.number(7)?,
        attempts: None,
        next_attempt_at: if status == Status::Waiting {
            wake_at
        } else {
            None
        },
        reason: row.opt_text(8)?,
        secrets: union(row, 12)?,
        unresolved_secrets: union(row, 13)?,
        warnings: union(row, 14)?,
        node: row.opt_text(9)?,
        replay_of: row.opt_id(10)?,
    })
}

fn decode_whole(row: &mut Row) -> Result<Execution> {
    let attempts: Option<Vec<Attempt>> = row.opt_json(16)?;
    Ok(Execution {
        attempts: Some(attempts.unwrap_or_default()),
        ..decode(row)?
    })
}

async fn get(tx: &mut dyn Tx, workspace: WorkspaceId, id: ExecutionId) -> Result<Execution> {
    if let Some(row) = tx
        .query(&GET_OPEN, fields![workspace, id])
        .await?
        .first_mut()
    {
        return decode_whole(row);
    }
    tx.query(&GET_HISTORY, fields![workspace, id])
        .await?
        .first_mut()
        .map_or(Err(StoreError::NotFound), decode_whole)
}

fn bound(moment: Option<Moment>, default: [u8; 16]) -> ExecutionId {
    moment.map_or(ExecutionId::from_bytes(default), |moment| {
        ExecutionId::new(moment.millis().max(0), [0; 10])
    })
}

async fn list(
    tx: &mut dyn Tx,
    workspace: WorkspaceId,
    filter: &ExecutionFilter,
    limit: u32,
) -> Result<Vec<Execution>> {
    let low = bound(filter.from, [0; 16]);
    let high = bound(filter.to, [255; 16]);
    let high = filter.before.map_or(high, |before| before.min(high));
    let (status, trigger) = (
        filter.status.map(Status::word),
        filter.trigger.map(Trigger::word),
    );
    let (open, history) = match (filter.job, &filter.environment) {
        (Some(job), _) => {
            let params = fields![workspace, low, high, status, trigger, job, limit];
            (
                tx.query(&LIST_OPEN_JOB, params).await?,
                tx.query(&LIST_HISTORY_JOB, params).await?,
            )
        }
        (None, Some(environment)) => {
            let environment = environment.clone();
            let params = fields![workspace, low, high, status, trigger, environment, limit];
            (
                tx.query(&LIST_OPEN_OF, params).await?,
                tx.query(&LIST_HISTORY_OF, params).await?,
            )
        }
        (None, None) => {
            let params = fields![workspace, low, high, status, trigger, limit];
            let history = match filter.status {
                Some(Status::Failed | Status::Lost) => &LIST_FAILED,
                _ => &LIST_HISTORY,
            };
            (
                tx.query(&LIST_OPEN, params).await?,
                tx.query(history, params).await?,
            )
        }
    };
    let mut found: Vec<Execution> = open
        .into_iter()
        .chain(history)
        .map(|mut row| decode(&mut row))
        .collect::<Result<_>>()?;
    found.sort_by_key(|execution| std::cmp::Reverse(execution.id));
    found.truncate(limit as usize);
    Ok(found)
}

impl Store {
    /// One execution with its attempts.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn get_execution(
        &self,
        workspace: WorkspaceId,
        id: ExecutionId,
    ) -> Result<Execution> {
        self.read(body!(|tx| get(tx, workspace, id).await)).await
    }

    /// Executions, newest first, without their attempts.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn list_executions(
        &self,
        workspace: WorkspaceId,
        filter: ExecutionFilter,
        limit: u32,
    ) -> Result<Vec<Execution>> {
        self.read(body!(|tx| list(tx, workspace, &filter, limit).await))
            .await
    }

    /// The newest execution of each of these jobs.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn newest_executions(&self, jobs: Vec<JobId>) -> Result<Vec<Execution>> {
        self.read(body!(|tx| {
            let keys = || Rows::new(jobs.iter().map(|&job| [Field::from(job)]));
            let rows = tx
                .batches(vec![
                    Batch::new(&NEWEST_OPEN, keys()),
                    Batch::new(&NEWEST_HISTORY, keys()),
                ])
                .await?;
            let found: Vec<Execution> = rows
                .into_iter()
                .flatten()
                .map(|mut row| decode(&mut row))
                .collect::<Result<_>>()?;
            let mut newest: std::collections::BTreeMap<JobId, Execution> =
                std::collections::BTreeMap::new();
            for execution in found {
                match newest.get(&execution.job_id) {
                    Some(kept) if kept.id >= execution.id => {}
                    _ => drop(newest.insert(execution.job_id, execution)),
                }
            }
            Ok(newest.into_values().collect())
        }))
        .await
    }
}
