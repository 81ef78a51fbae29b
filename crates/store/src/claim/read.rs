//! What a claim reads: rows whose time has come, their jobs, and what else of those jobs is open.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use padclock_api::{ExecutionId, JobId, Status, Trigger, WorkspaceId};
use padclock_job::{Anchor, Definition, Due, Job, Moment, Overlap};

use crate::cache::{Fresh, Jobs, KnownJob};
use crate::error::{Result, StoreError};
use crate::field::{Field, Row, fields};
use crate::tx::{Rows, Sql, Tx, one_batch};

/// A job whose time has come.
#[derive(Debug, Clone)]
pub(super) struct DueRow {
    pub job: JobId,
    pub due: Due,
    pub generation: u32,
    pub revision: u32,
}

/// What the attempts before it have used and said, each a JSON array.
#[derive(Debug, Clone, Default)]
pub(super) struct Used {
    pub secrets: Option<String>,
    pub unresolved: Option<String>,
    pub warnings: Option<String>,
}

/// An open execution whose time has come.
#[derive(Debug, Clone)]
pub(super) struct AwakeRow {
    pub id: ExecutionId,
    pub job: JobId,
    pub workspace: WorkspaceId,
    pub generation: u32,
    pub trigger: Trigger,
    pub status: Status,
    pub scheduled_for: Moment,
    pub started_at: Option<Moment>,
    pub attempt: u32,
    pub attempt_started_at: Option<Moment>,
    pub fence: i64,
    pub node: Option<String>,
    pub cancel_requested: bool,
    pub replay_of: Option<ExecutionId>,
    pub attempts: Option<String>,
    pub used: Used,
    /// Of its job; none when the job was deleted.
    pub revision: Option<u32>,
    pub next_due: Option<Moment>,
}

/// An execution that is open already, as overlap sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpenRow {
    pub id: ExecutionId,
    pub status: Status,
    pub scheduled_for: Moment,
}

/// Everything whose time has come, as far as there is room.
#[derive(Debug)]
pub(super) struct Found {
    pub due: Vec<DueRow>,
    pub awake: Vec<AwakeRow>,
}

impl Found {
    pub(super) fn is_empty(&self) -> bool {
        self.due.is_empty() && self.awake.is_empty()
    }
}

static DUE: Sql = Sql::each(
    "SELECT job_id, run_at, scheduled_for, generation, revision FROM due WHERE run_at <= $1 ORDER BY run_at LIMIT $2",
    "SELECT job_id, run_at, scheduled_for, generation, revision FROM due WHERE run_at <= $1 ORDER BY run_at LIMIT $2 FOR UPDATE SKIP LOCKED",
);
macro_rules! select_awake {
    ($rest:literal) => {
        concat!(
            "SELECT o.id, o.job_id, o.workspace_id, o.generation, o.cause, o.status, o.scheduled_for, o.started_at, o.attempt, ",
            "o.attempt_started_at, o.fence, o.node, o.cancel_requested, o.replay_of, o.attempts, j.revision, d.run_at, o.secrets, o.unresolved, o.warnings ",
            "FROM open_executions o LEFT JOIN jobs j ON j.id = o.job_id LEFT JOIN due d ON d.job_id = o.job_id ",
            "WHERE o.wake_at <= $1 ORDER BY o.wake_at LIMIT $2",
            $rest
        )
    };
}
static AWAKE: Sql = Sql::each(
    select_awake!(""),
    select_awake!(" FOR UPDATE OF o SKIP LOCKED"),
);
static JOBS: Sql = Sql::each(
    "SELECT id, workspace_id, owner_id, revision, created_at, definition FROM jobs WHERE id = $1",
    "SELECT j.id, j.workspace_id, j.owner_id, j.revision, j.created_at, j.definition FROM unnest($1::bytea[]) AS k(id) JOIN jobs j ON j.id = k.id",
);
static OPEN_OF: Sql = Sql::each(
    "SELECT job_id, id, status, scheduled_for FROM open_executions WHERE job_id = $1 LIMIT 2000",
    "SELECT o.job_id, o.id, o.status, o.scheduled_for FROM unnest($1::bytea[]) AS k(job_id) JOIN open_executions o ON o.job_id = k.job_id",
);

fn status(row: &mut Row, at: usize) -> Result<Status> {
    Status::from_word(&row.text(at)?)
        .ok_or_else(|| StoreError::Damaged("an execution's state is no state".to_owned()))
}

fn due(row: &Row) -> Result<DueRow> {
    let due = Due {
        run_at: row.moment(1)?,
        scheduled_for: row.moment(2)?,
    };
    Ok(DueRow {
        job: row.id(0)?,
        due,
        generation: row.number(3)?,
        revision: row.number(4)?,
    })
}

fn awake(row: &mut Row) -> Result<AwakeRow> {
    let trigger = row.text(4)?;
    Ok(AwakeRow {
        id: row.id(0)?,
        job: row.id(1)?,
        workspace: row.id(2)?,
        generation: row.number(3)?,
        trigger: Trigger::from_word(&trigger)
            .ok_or_else(|| StoreError::Damaged("an execution's cause is no cause".to_owned()))?,
        status: status(row, 5)?,
        scheduled_for: row.moment(6)?,
        started_at: row.opt_moment(7)?,
        attempt: row.number(8)?,
        attempt_started_at: row.opt_moment(9)?,
        fence: row.int(10)?,
        node: row.opt_text(11)?,
        cancel_requested: row.flag(12)?,
        replay_of: row.opt_id(13)?,
        attempts: row.opt_text(14)?,
        revision: row
            .opt_int(15)?
            .and_then(|revision| u32::try_from(revision).ok()),
        next_due: row.opt_moment(16)?,
        used: Used {
            secrets: row.opt_text(17)?,
            unresolved: row.opt_text(18)?,
            warnings: row.opt_text(19)?,
        },
    })
}

/// Up to `want` rows in all; when there are more of both kinds, each gets half.
pub(super) async fn due_and_awake(tx: &mut dyn Tx, now: Moment, want: usize) -> Result<Found> {
    let limit = i64::try_from(want).unwrap_or(i64::MAX);
    let awake_rows = tx.query(&AWAKE, fields![now, limit]).await?;
    let due_rows = tx.query(&DUE, fields![now, limit]).await?;
    let half = want / 2;
    let for_awake = awake_rows.len().min(want - due_rows.len().min(want - half));
    let for_due = due_rows.len().min(want - for_awake);
    Ok(Found {
        due: due_rows
            .iter()
            .take(for_due)
            .map(due)
            .collect::<Result<_>>()?,
        awake: awake_rows
            .into_iter()
            .take(for_awake)
            .map(|mut row| awake(&mut row))
            .collect::<Result<_>>()?,
    })
}

/// The jobs of what was found, compiled; one that does not compile any more is absent.
pub(super) async fn jobs(
    tx: &mut dyn Tx,
    (cache, fresh): (&Jobs, &mut Fresh),
    found: &Found,
) -> Result<BTreeMap<JobId, KnownJob>> {
    let of_due = found.due.iter().map(|row| (row.job, row.revision));
    let of_awake = found
        .awake
        .iter()
        .filter_map(|row| row.revision.map(|revision| (row.job, revision)));
    let mut known = BTreeMap::new();
    let mut missing = BTreeSet::new();
    for (id, revision) in of_due.chain(of_awake) {
        match cache.get(id, revision) {
            Some(job) => drop(known.insert(id, job)),
            None => drop(missing.insert(id)),
        }
    }
    if missing.is_empty() {
        return Ok(known);
    }
    for mut row in one_batch(
        tx,
        &JOBS,
        Rows::new(missing.into_iter().map(|id| [Field::from(id)])),
    )
    .await?
    {
        let id: JobId = row.id(0)?;
        if let Some(job) = compile(&mut row, id)? {
            fresh.jobs.push((id, job.clone()));
            known.insert(id, job);
        }
    }
    Ok(known)
}

fn compile(row: &mut Row, id: JobId) -> Result<Option<KnownJob>> {
    let definition: Option<Definition> = serde_json::from_str(&row.text(5)?).ok();
    let anchor = Anchor {
        job_id: &id.to_string(),
        created_at: row.moment(4)?,
    };
    let Some(job) = definition.and_then(|definition| Job::compile(definition, &anchor).ok()) else {
        tracing::error!(job = %id, "this binary can't read the job's definition; it does not run");
        return Ok(None);
    };
    let known = KnownJob {
        revision: row.number(3)?,
        workspace: row.id(1)?,
        owner: row.id(2)?,
        job: Arc::new(job),
    };
    Ok(Some(known))
}

/// The open executions of those jobs whose overlap rule asks for them.
pub(super) async fn open_of(
    tx: &mut dyn Tx,
    jobs: &BTreeMap<JobId, KnownJob>,
    found: &Found,
) -> Result<BTreeMap<JobId, Vec<OpenRow>>> {
    let asks = |id: &JobId| {
        jobs.get(id).is_some_and(|known| {
            let definition = known.job.definition();
            definition.overlap != Overlap::Allow || definition.max_concurrent.is_some()
        })
    };
    let of_due = found.due.iter().map(|row| row.job);
    let of_queued = found
        .awake
        .iter()
        .filter(|row| row.status == Status::Queued)
        .map(|row| row.job);
    let asked: BTreeSet<JobId> = of_due.chain(of_queued).filter(asks).collect();
    let mut open: BTreeMap<JobId, Vec<OpenRow>> = BTreeMap::new();
    for mut row in one_batch(
        tx,
        &OPEN_OF,
        Rows::new(asked.into_iter().map(|id| [Field::from(id)])),
    )
    .await?
    {
        let execution = OpenRow {
            id: row.id(1)?,
            status: status(&mut row, 2)?,
            scheduled_for: row.moment(3)?,
        };
        open.entry(row.id(0)?).or_default().push(execution);
    }
    Ok(open)
}
