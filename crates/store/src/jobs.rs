//! Jobs and their due rows. A job's row changes when someone edits it, never when it runs.

use std::sync::Arc;

use padclock_api::job::JobState;
use padclock_api::{JobId, UserId, WorkspaceId};
use padclock_job::{Definition, Due, Job, Kind, Moment};
use padclock_vault::Label;

use crate::audit::{self, Action, Actor, Detail, Entry};
use crate::error::{Result, StoreError};
use crate::executions;
use crate::field::{Row, fields};
use crate::tx::{Sql, Tx};
use crate::{Store, body};

macro_rules! select_job {
    ($rest:literal) => {
        concat!(
            "SELECT j.id, j.workspace_id, j.owner_id, j.state, j.generation, j.revision, j.created_at, j.updated_at, ",
            "j.definition, d.run_at, d.scheduled_for FROM jobs j LEFT JOIN due d ON d.job_id = j.id ",
            $rest
        )
    };
}

mod reference;
mod state;

pub use reference::JobUse;

/// A job to store, checked and compiled.
#[derive(Debug)]
pub struct NewJob {
    /// Its id, which its compiled form is made with.
    pub id: JobId,
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// Who made it: its `user` secrets are this member's.
    pub owner: UserId,
    /// When it was made, which its compiled form is made with.
    pub created_at: Moment,
    /// Whether it starts paused.
    pub paused: bool,
    /// Its compiled form.
    pub job: Arc<Job>,
}

/// A job's new definition.
#[derive(Debug)]
pub struct JobEdit {
    /// Its compiled form.
    pub job: Arc<Job>,
    /// Whether its times may have changed: then the generation is raised, and what waits of the old one is dropped.
    pub reschedule: bool,
    /// Whose the job is from now on: of those who see nobody's secrets but their own, the last who said what it sends.
    pub owner: UserId,
    /// The revision that the caller read.
    pub expected: u32,
}

/// A job as stored.
#[derive(Debug, Clone)]
pub struct JobRow {
    /// Its id.
    pub id: JobId,
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// Who made it, or was the last to say what it sends and when: its `user` secrets are this member's.
    pub owner: UserId,
    /// What it does now.
    pub state: JobState,
    /// Raised by each edit of its times.
    pub generation: u32,
    /// Raised by each change; its `ETag`.
    pub revision: u32,
    /// When it was made.
    pub created_at: Moment,
    /// When it last changed.
    pub updated_at: Moment,
    /// What was saved.
    pub definition: Definition,
    /// Its next occurrence.
    pub due: Option<Due>,
}

static INSERT: Sql = Sql::both(
    "INSERT INTO jobs (id, workspace_id, owner_id, name, state, generation, revision, created_at, updated_at, definition)
     VALUES ($1, $2, $3, $4, $5, 1, 1, $6, $6, $7)",
);
static UPDATE: Sql = Sql::both(
    "UPDATE jobs SET name = $1, state = $2, generation = $3, revision = revision + 1, updated_at = $4, definition = $5, owner_id = $6
     WHERE id = $7 AND revision = $8",
);
static PUT_DUE: Sql = Sql::both(
    "INSERT INTO due (job_id, run_at, scheduled_for, generation, revision) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (job_id) DO UPDATE SET run_at = excluded.run_at, scheduled_for = excluded.scheduled_for,
       generation = excluded.generation, revision = excluded.revision",
);
static TOUCH_DUE: Sql = Sql::both("UPDATE due SET revision = $1 WHERE job_id = $2");
static DELETE_DUE: Sql = Sql::both("DELETE FROM due WHERE job_id = $1");

static GET: Sql = Sql::both(select_job!("WHERE j.workspace_id = $1 AND j.id = $2"));
/// A claim takes the due row before the job's, and so does every change of a job: neither waits for the other in a ring.
static LOCK_DUE: Sql = Sql::each(
    "SELECT job_id FROM due WHERE job_id = $1",
    "SELECT job_id FROM due WHERE job_id = $1 FOR UPDATE",
);
/// As [`GET`], and nobody else changes the job until the transaction ends.
static LOCK: Sql = Sql::each(
    select_job!("WHERE j.workspace_id = $1 AND j.id = $2"),
    select_job!("WHERE j.workspace_id = $1 AND j.id = $2 FOR UPDATE OF j"),
);
static LIST: Sql = Sql::both(select_job!(
    "WHERE j.workspace_id = $1 AND j.id > $2 ORDER BY j.id LIMIT $3"
));
static COUNT: Sql = Sql::both("SELECT count(*) FROM jobs WHERE workspace_id = $1");

fn decode(row: &mut Row) -> Result<JobRow> {
    let state = row.text(3)?;
    let state = JobState::from_word(&state)
        .ok_or_else(|| StoreError::Damaged("a job's state is no state".to_owned()))?;
    let due = match (row.opt_moment(9)?, row.opt_moment(10)?) {
        (Some(run_at), Some(scheduled_for)) => Some(Due {
            run_at,
            scheduled_for,
        }),
        _ => None,
    };
    Ok(JobRow {
        id: row.id(0)?,
        workspace: row.id(1)?,
        owner: row.id(2)?,
        state,
        generation: row.number(4)?,
        revision: row.number(5)?,
        created_at: row.moment(6)?,
        updated_at: row.moment(7)?,
        definition: row.json(8)?,
        due,
    })
}

/// A definition as it is stored: the state it was created in is not part of it.
fn stored(definition: &Definition) -> Result<String> {
    let definition = Definition {
        state: None,
        ..definition.clone()
    };
    serde_json::to_string(&definition).map_err(|error| StoreError::Damaged(error.to_string()))
}

pub(crate) async fn get(tx: &mut dyn Tx, workspace: WorkspaceId, id: JobId) -> Result<JobRow> {
    tx.query(&GET, fields![workspace, id])
        .await?
        .first_mut()
        .map_or(Err(StoreError::NotFound), decode)
}

async fn lock(tx: &mut dyn Tx, workspace: WorkspaceId, id: JobId) -> Result<JobRow> {
    tx.query(&LOCK_DUE, fields![id]).await?;
    tx.query(&LOCK, fields![workspace, id])
        .await?
        .first_mut()
        .map_or(Err(StoreError::NotFound), decode)
}

struct DuePlace {
    job: JobId,
    generation: u32,
    revision: u32,
}

async fn put_due(tx: &mut dyn Tx, place: DuePlace, due: Option<Due>) -> Result<()> {
    let DuePlace {
        job,
        generation,
        revision,
    } = place;
    match due {
        Some(Due {
            run_at,
            scheduled_for,
        }) => tx
            .execute(
                &PUT_DUE,
                fields![job, run_at, scheduled_for, generation, revision],
            )
            .await
            .map(drop),
        None => tx.execute(&DELETE_DUE, fields![job]).await.map(drop),
    }
}

/// What a job that was to run becomes when no occurrence is left.
fn active_or_done(job: &Job, due: Option<Due>) -> JobState {
    if due.is_none() && job.kind() != Kind::Manual {
        JobState::Completed
    } else {
        JobState::Active
    }
}

fn entry(actor: &Actor, action: Action, row: &JobRow) -> Entry {
    let detail = Detail {
        name: Some(row.definition.name.clone()),
        version: Some(row.revision),
        ..Detail::default()
    };
    Entry {
        workspace: row.workspace,
        actor: actor.to_string(),
        action,
        target: row.id.to_string(),
        detail,
    }
}

async fn create(tx: &mut dyn Tx, new: &NewJob) -> Result<()> {
    let now = Moment::from_millis(tx.now().await?);
    let due = if new.paused {
        None
    } else {
        new.job.first_due(now)
    };
    let state = if new.paused {
        JobState::Paused
    } else {
        active_or_done(&new.job, due)
    };
    let definition = new.job.definition();
    let params = fields![
        new.id,
        new.workspace,
        new.owner,
        definition.name.clone(),
        state.word(),
        new.created_at,
        stored(definition)?
    ];
    tx.execute(&INSERT, params).await?;
    reference::put(tx, new.id, new.workspace, &new.job).await?;
    put_due(
        tx,
        DuePlace {
            job: new.id,
            generation: 1,
            revision: 1,
        },
        due,
    )
    .await
}

async fn edit(tx: &mut dyn Tx, before: &JobRow, edit: &JobEdit, now: Moment) -> Result<()> {
    let runs = matches!(before.state, JobState::Active | JobState::Completed);
    let due = if runs && edit.reschedule {
        edit.job.first_due(now)
    } else {
        before.due
    };
    let state = if runs && edit.reschedule {
        active_or_done(&edit.job, due)
    } else {
        before.state
    };
    let generation = before.generation + u32::from(edit.reschedule);
    let definition = edit.job.definition();
    let params = fields![
        definition.name.clone(),
        state.word(),
        generation,
        now,
        stored(definition)?,
        edit.owner,
        before.id,
        edit.expected
    ];
    if tx.execute(&UPDATE, params).await? == 0 {
        return Err(StoreError::Changed);
    }
    reference::forget(tx, before.id).await?;
    reference::put(tx, before.id, before.workspace, &edit.job).await?;
    let place = DuePlace {
        job: before.id,
        generation,
        revision: before.revision + 1,
    };
    if edit.reschedule {
        executions::drop_pending(tx, before.id, &definition.name, now).await?;
        put_due(tx, place, due).await
    } else {
        tx.execute(&TOUCH_DUE, fields![place.revision, place.job])
            .await
            .map(drop)
    }
}

impl Store {
    /// Stores a new job, and its first due time by the database's clock.
    ///
    /// # Errors
    /// When the database can't be written, or the chain is locked.
    pub async fn create_job(&self, new: NewJob, actor: Actor) -> Result<JobRow> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            create(tx, &new).await?;
            let row = get(tx, new.workspace, new.id).await?;
            let now = tx.now().await?;
            audit::append(
                tx,
                keys.derived(Label::Audit),
                now,
                vec![entry(&actor, Action::JobCreate, &row)],
            )
            .await?;
            Ok(row)
        }))
        .await
    }

    /// One job.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn get_job(&self, workspace: WorkspaceId, id: JobId) -> Result<JobRow> {
        self.read(body!(|tx| get(tx, workspace, id).await)).await
    }

    /// The jobs after the one named, oldest first.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn list_jobs(
        &self,
        workspace: WorkspaceId,
        after: Option<JobId>,
        limit: u32,
    ) -> Result<Vec<JobRow>> {
        let after = after.unwrap_or(JobId::from_bytes([0; 16]));
        self.read(body!(|tx| {
            tx.query(&LIST, fields![workspace, after, limit])
                .await?
                .iter_mut()
                .map(decode)
                .collect()
        }))
        .await
    }

    /// How many jobs a workspace has.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn count_jobs(&self, workspace: WorkspaceId) -> Result<i64> {
        self.read(body!(|tx| tx
            .query(&COUNT, fields![workspace])
            .await?
            .first()
            .map_or(Ok(0), |row| row.int(0))))
            .await
    }

    /// Gives a job a new definition.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when its revision is no longer the expected one.
    pub async fn edit_job(
        &self,
        workspace: WorkspaceId,
        id: JobId,
        change: JobEdit,
        actor: Actor,
    ) -> Result<JobRow> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let before = lock(tx, workspace, id).await?;
            let now = Moment::from_millis(tx.now().await?);
            edit(tx, &before, &change, now).await?;
            let row = get(tx, workspace, id).await?;
            let mut entry = entry(&actor, Action::JobUpdate, &row);
            entry.detail.owner = (row.owner != before.owner).then(|| row.owner.to_string());
            audit::append(tx, keys.derived(Label::Audit), now.millis(), vec![entry]).await?;
            Ok(row)
        }))
        .await
    }
}
