//! Executions made, stopped and ended on someone's word, or for their job's sake.

use padclock_api::{Execution, ExecutionId, JobId, Status, Trigger, WorkspaceId};
use padclock_job::Moment;
use padclock_vault::{DerivedKey, Label};

use super::get;
use crate::audit::{self, Action, Actor, Detail, Entry};
use crate::error::{Result, StoreError};
use crate::field::{Field, Row, fields};
use crate::tx::{Rows, Sql, Tx, one_batch};
use crate::{Store, body, jobs};

static IS_OVER: Sql = Sql::both("SELECT id FROM executions WHERE workspace_id = $1 AND id = $2");
static ENQUEUE: Sql = Sql::both(
    "INSERT INTO open_executions (id, wake_at, job_id, workspace_id, generation, cause, status, scheduled_for, created_at, attempt, fence, replay_of)
     VALUES ($1, $2, $3, $4, $5, $6, 'queued', $7, $2, 0, 0, $8)",
);
/// Whatever its state: a state that another transaction is about to change is no ground to leave it out. The row is
/// locked by this, so what is removed afterwards is what really does not run.
static ASK_TO_STOP: Sql = Sql::both(
    "UPDATE open_executions SET cancel_requested = 1 WHERE workspace_id = $1 AND id = $2",
);
/// As [`ASK_TO_STOP`]; in the order of ids, as an end of several takes them.
static ASK_ALL_TO_STOP: Sql = Sql::each(
    "UPDATE open_executions SET cancel_requested = 1 WHERE job_id = $1",
    "UPDATE open_executions o SET cancel_requested = 1
     FROM (SELECT id FROM open_executions WHERE job_id = $1 ORDER BY id FOR UPDATE) k WHERE o.id = k.id",
);
static REMOVE_ONE: Sql = Sql::both(
    "DELETE FROM open_executions WHERE workspace_id = $1 AND id = $2 AND status <> 'running'
     RETURNING workspace_id, id, job_id, generation, cause, scheduled_for, started_at, attempt, node, replay_of, secrets, unresolved, warnings, attempts",
);
static REMOVE_IDLE: Sql = Sql::both(
    "DELETE FROM open_executions WHERE job_id = $1 AND status <> 'running'
     RETURNING workspace_id, id, job_id, generation, cause, scheduled_for, started_at, attempt, node, replay_of, secrets, unresolved, warnings, attempts",
);
static REMOVE_QUEUED: Sql = Sql::both(
    "DELETE FROM open_executions WHERE job_id = $1 AND status = 'queued' AND cause = 'schedule'
     RETURNING workspace_id, id, job_id, generation, cause, scheduled_for, started_at, attempt, node, replay_of, secrets, unresolved, warnings, attempts",
);
pub(crate) static INSERT_HISTORY: Sql = Sql::each(
    "INSERT INTO executions (workspace_id, id, job_id, generation, cause, status, scheduled_for, started_at, finished_at, attempt_count,
       reason, node, replay_of, job_name, secrets, unresolved, warnings, attempts)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) ON CONFLICT DO NOTHING",
    "INSERT INTO executions (workspace_id, id, job_id, generation, cause, status, scheduled_for, started_at, finished_at, attempt_count,
       reason, node, replay_of, job_name, secrets, unresolved, warnings, attempts)
     SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bigint[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::bigint[],
       $10::bigint[], $11::text[], $12::text[], $13::bytea[], $14::text[], $15::text[], $16::text[], $17::text[], $18::text[])
     ON CONFLICT DO NOTHING",
);

/// How an execution that never got to the end of its work is entered into history.
pub(crate) struct Ending<'e> {
    pub status: Status,
    pub reason: &'e str,
    pub job_name: &'e str,
    pub now: Moment,
}

/// History rows of executions that were just taken out of the open ones by a `REMOVE_…` statement.
fn ended(rows: Vec<Row>, ending: &Ending<'_>) -> Rows {
    let mut history = Rows {
        width: 18,
        fields: Vec::with_capacity(rows.len() * 18),
    };
    for mut row in rows {
        let mut taken = |at: usize| std::mem::replace(&mut row.0[at], Field::Null);
        let cells: [Field; 18] = [
            taken(0),
            taken(1),
            taken(2),
            taken(3),
            taken(4),
            ending.status.word().into(),
            taken(5),
            taken(6),
            ending.now.into(),
            taken(7),
            ending.reason.to_owned().into(),
            taken(8),
            taken(9),
            ending.job_name.to_owned().into(),
            taken(10),
            taken(11),
            taken(12),
            taken(13),
        ];
        history.fields.extend(cells);
    }
    history
}

async fn finish_removed(tx: &mut dyn Tx, rows: Vec<Row>, ending: &Ending<'_>) -> Result<()> {
    one_batch(tx, &INSERT_HISTORY, ended(rows, ending))
        .await
        .map(drop)
}

/// Drops the occurrences of a job that wait for their turn: its times have changed, or it was paused.
pub(crate) async fn drop_pending(
    tx: &mut dyn Tx,
    job: JobId,
    job_name: &str,
    now: Moment,
) -> Result<()> {
    let rows = tx.query(&REMOVE_QUEUED, fields![job]).await?;
    let ending = Ending {
        status: Status::Skipped,
        reason: "superseded",
        job_name,
        now,
    };
    finish_removed(tx, rows, &ending).await
}

/// Ends whatever of a job does not run, and asks what runs to stop.
pub(crate) async fn cancel_all(
    tx: &mut dyn Tx,
    job: JobId,
    job_name: &str,
    now: Moment,
) -> Result<()> {
    tx.execute(&ASK_ALL_TO_STOP, fields![job]).await?;
    let rows = tx.query(&REMOVE_IDLE, fields![job]).await?;
    let ending = Ending {
        status: Status::Canceled,
        reason: "job_deleted",
        job_name,
        now,
    };
    finish_removed(tx, rows, &ending).await
}

/// Ends the executions of jobs that do not run yet, and asks those that run to stop: a newer occurrence takes their place.
pub(crate) async fn cancel_previous(
    tx: &mut dyn Tx,
    job: JobId,
    job_name: &str,
    now: Moment,
) -> Result<()> {
    tx.execute(&ASK_ALL_TO_STOP, fields![job]).await?;
    let rows = tx.query(&REMOVE_IDLE, fields![job]).await?;
    let ending = Ending {
        status: Status::Canceled,
        reason: "overlap",
        job_name,
        now,
    };
    finish_removed(tx, rows, &ending).await
}

struct Enqueued {
    id: ExecutionId,
    job: jobs::JobRow,
    trigger: Trigger,
    scheduled_for: Option<Moment>,
    replay_of: Option<ExecutionId>,
}

async fn enqueue(tx: &mut dyn Tx, new: Enqueued, actor: &Actor) -> Result<(Entry, i64)> {
    let now = Moment::from_millis(tx.now().await?);
    let scheduled_for = new.scheduled_for.unwrap_or(now);
    let params = fields![
        new.id,
        now,
        new.job.id,
        new.job.workspace,
        new.job.generation,
        new.trigger.word(),
        scheduled_for,
        new.replay_of
    ];
    tx.execute(&ENQUEUE, params).await?;
    // A repeated call may come when the first one's execution is over: looked for after the insert, which has waited for
    // whoever was ending it.
    if !tx
        .query(&IS_OVER, fields![new.job.workspace, new.id])
        .await?
        .is_empty()
    {
        return Err(StoreError::Conflict("an execution with this id"));
    }
    let detail = Detail {
        job: Some(new.job.id.to_string()),
        name: Some(new.job.definition.name),
        ..Detail::default()
    };
    let action = if new.trigger == Trigger::Replay {
        Action::ExecutionReplay
    } else {
        Action::ExecutionStart
    };
    let entry = Entry {
        workspace: new.job.workspace,
        actor: actor.to_string(),
        action,
        target: new.id.to_string(),
        detail,
    };
    Ok((entry, now.millis()))
}

/// Makes the execution, with its audit record.
async fn start(
    tx: &mut dyn Tx,
    new: Enqueued,
    actor: &Actor,
    audit_key: &DerivedKey,
) -> Result<Execution> {
    let (workspace, id) = (new.job.workspace, new.id);
    let (entry, now) = enqueue(tx, new, actor).await?;
    audit::append(tx, audit_key, now, vec![entry]).await?;
    get(tx, workspace, id).await
}

impl Store {
    /// Makes an execution of a job now, whatever its schedule and state say.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn run_now(
        &self,
        workspace: WorkspaceId,
        job: JobId,
        id: ExecutionId,
        actor: Actor,
    ) -> Result<Execution> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let job = jobs::get(tx, workspace, job).await?;
            let new = Enqueued {
                id,
                job,
                trigger: Trigger::Manual,
                scheduled_for: None,
                replay_of: None,
            };
            start(tx, new, &actor, keys.derived(Label::Audit)).await
        }))
        .await
    }

    /// Makes an execution of the job of an earlier one, for the same due time.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the execution or its job is gone.
    pub async fn replay(
        &self,
        workspace: WorkspaceId,
        of: ExecutionId,
        id: ExecutionId,
        actor: Actor,
    ) -> Result<Execution> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let earlier = get(tx, workspace, of).await?;
            let job = jobs::get(tx, workspace, earlier.job_id).await?;
            let scheduled_for = Some(earlier.scheduled_for);
            let new = Enqueued {
                id,
                job,
                trigger: Trigger::Replay,
                scheduled_for,
                replay_of: Some(of),
            };
            start(tx, new, &actor, keys.derived(Label::Audit)).await
        }))
        .await
    }

    /// Ends an execution that does not run yet, or asks its node to stop it. One that is over is a conflict.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] when it is over.
    pub async fn cancel(
        &self,
        workspace: WorkspaceId,
        id: ExecutionId,
        actor: Actor,
    ) -> Result<Execution> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let asked = tx.execute(&ASK_TO_STOP, fields![workspace, id]).await?;
            let before = get(tx, workspace, id).await?;
            if asked == 0 {
                return Err(StoreError::Conflict("its end"));
            }
            let now = Moment::from_millis(tx.now().await?);
            let rows = tx.query(&REMOVE_ONE, fields![workspace, id]).await?;
            let ending = Ending {
                status: Status::Canceled,
                reason: "canceled",
                job_name: &before.job_name,
                now,
            };
            finish_removed(tx, rows, &ending).await?;
            let detail = Detail {
                job: Some(before.job_id.to_string()),
                ..Detail::default()
            };
            let entry = Entry {
                workspace,
                actor: actor.to_string(),
                action: Action::ExecutionCancel,
                target: id.to_string(),
                detail,
            };
            audit::append(tx, keys.derived(Label::Audit), now.millis(), vec![entry]).await?;
            get(tx, workspace, id).await
        }))
        .await
    }
}
