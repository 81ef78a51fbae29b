//! A job's life beside its definition: paused, going on, removed.

use std::sync::Arc;

use padclock_api::job::JobState;
use padclock_api::{JobId, WorkspaceId};
use padclock_job::{Job, Moment};
use padclock_vault::Label;

use super::{DELETE_DUE, DuePlace, JobRow, active_or_done, entry, get, lock, put_due, reference};
use crate::audit::{self, Action, Actor};
use crate::error::{Result, StoreError};
use crate::executions;
use crate::field::fields;
use crate::tx::Sql;
use crate::{Store, body};

static SET_STATE: Sql = Sql::both(
    "UPDATE jobs SET state = $1, generation = generation + $2, revision = revision + 1, updated_at = $3 WHERE id = $4",
);
static DELETE: Sql = Sql::both("DELETE FROM jobs WHERE id = $1");

impl Store {
    /// Stops a job's schedule. What waits of it is dropped; what runs goes on.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn pause_job(
        &self,
        workspace: WorkspaceId,
        id: JobId,
        actor: Actor,
    ) -> Result<JobRow> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let before = lock(tx, workspace, id).await?;
            if before.state == JobState::Paused {
                return Ok(before);
            }
            let now = Moment::from_millis(tx.now().await?);
            tx.execute(&SET_STATE, fields![JobState::Paused.word(), 0_i64, now, id])
                .await?;
            tx.execute(&DELETE_DUE, fields![id]).await?;
            executions::drop_pending(tx, id, &before.definition.name, now).await?;
            let row = get(tx, workspace, id).await?;
            audit::append(
                tx,
                keys.derived(Label::Audit),
                now.millis(),
                vec![entry(&actor, Action::JobPause, &row)],
            )
            .await?;
            Ok(row)
        }))
        .await
    }

    /// Starts a job's schedule again, from now: nothing is replayed. `job` is the compiled form of its revision `expected`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Changed`] when its revision is no longer the expected one.
    pub async fn resume_job(
        &self,
        workspace: WorkspaceId,
        id: JobId,
        job: Arc<Job>,
        expected: u32,
        actor: Actor,
    ) -> Result<JobRow> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let before = lock(tx, workspace, id).await?;
            if before.state == JobState::Active {
                return Ok(before);
            }
            if before.revision != expected {
                return Err(StoreError::Changed);
            }
            let now = Moment::from_millis(tx.now().await?);
            let due = job.first_due(now);
            let state = active_or_done(&job, due);
            tx.execute(&SET_STATE, fields![state.word(), 1_i64, now, id])
                .await?;
            let place = DuePlace {
                job: id,
                generation: before.generation + 1,
                revision: before.revision + 1,
            };
            put_due(tx, place, due).await?;
            let row = get(tx, workspace, id).await?;
            audit::append(
                tx,
                keys.derived(Label::Audit),
                now.millis(),
                vec![entry(&actor, Action::JobResume, &row)],
            )
            .await?;
            Ok(row)
        }))
        .await
    }

    /// Removes a job. What waits of it is dropped, what runs is asked to stop, its history stays until it ages out.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn delete_job(&self, workspace: WorkspaceId, id: JobId, actor: Actor) -> Result<()> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let row = lock(tx, workspace, id).await?;
            let now = Moment::from_millis(tx.now().await?);
            tx.execute(&DELETE_DUE, fields![id]).await?;
            executions::cancel_all(tx, id, &row.definition.name, now).await?;
            tx.execute(&DELETE, fields![id]).await?;
            reference::forget(tx, id).await?;
            audit::append(
                tx,
                keys.derived(Label::Audit),
                now.millis(),
                vec![entry(&actor, Action::JobDelete, &row)],
            )
            .await
        }))
        .await
    }
}
