//! Writes a claim's plan: one statement per kind of change, each about all its rows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use padclock_api::{ExecutionId, JobId, Status, Trigger};
use padclock_job::Moment;

use super::parts::{Ended, Lease, NextDue, Plan, Queued, Skipped};
use crate::complete::insert_history;
use crate::error::Result;
use crate::executions;
use crate::field::Field;
use crate::tx::{Batch, Rows, Sql, Tx, one_batch};

/// A new occurrence, unless it is open or was carried out already. As to `OR IGNORE`, see the end of an execution.
static INSERT_OPEN: Sql = Sql::each(
    "INSERT OR IGNORE INTO open_executions (id, wake_at, job_id, workspace_id, generation, cause, status, scheduled_for, created_at, started_at,
       attempt, attempt_started_at, fence, node)
     SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14
     WHERE NOT EXISTS (SELECT 1 FROM executions WHERE workspace_id = $4 AND id = $1)",
    "INSERT INTO open_executions (id, wake_at, job_id, workspace_id, generation, cause, status, scheduled_for, created_at, started_at,
       attempt, attempt_started_at, fence, node)
     SELECT k.* FROM unnest($1::bytea[], $2::bigint[], $3::bytea[], $4::bytea[], $5::bigint[], $6::text[], $7::text[], $8::bigint[],
       $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::text[])
       AS k(id, wake_at, job_id, workspace_id, generation, cause, status, scheduled_for, created_at, started_at, attempt, attempt_started_at, fence, node)
     WHERE NOT EXISTS (SELECT 1 FROM executions e WHERE e.workspace_id = k.workspace_id AND e.id = k.id)
     ON CONFLICT DO NOTHING RETURNING id",
);
static MOVE_DUE: Sql = Sql::each(
    "UPDATE due SET run_at = $1, scheduled_for = $2 WHERE job_id = $3",
    "UPDATE due d SET run_at = k.run_at, scheduled_for = k.scheduled_for
     FROM unnest($1::bigint[], $2::bigint[], $3::bytea[]) AS k(run_at, scheduled_for, job_id) WHERE d.job_id = k.job_id",
);
static END_DUE: Sql = Sql::each(
    "DELETE FROM due WHERE job_id = $1",
    "DELETE FROM due d USING unnest($1::bytea[]) AS k(job_id) WHERE d.job_id = k.job_id",
);
static COMPLETED: Sql = Sql::each(
    "UPDATE jobs SET state = 'completed' WHERE id = $1",
    "UPDATE jobs j SET state = 'completed' FROM unnest($1::bytea[]) AS k(id) WHERE j.id = k.id",
);
static RESUME: Sql = Sql::each(
    "UPDATE open_executions SET status = 'running', wake_at = $1, node = $2, attempt = $3, fence = $4, started_at = $5,
       attempt_started_at = $6, attempts = $7 WHERE id = $8",
    "UPDATE open_executions o SET status = 'running', wake_at = k.wake_at, node = k.node, attempt = k.attempt, fence = k.fence,
       started_at = k.started_at, attempt_started_at = k.attempt_started_at, attempts = k.attempts
     FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::bytea[])
       AS k(wake_at, node, attempt, fence, started_at, attempt_started_at, attempts, id) WHERE o.id = k.id",
);
static PUT_OFF: Sql = Sql::each(
    "UPDATE open_executions SET wake_at = $1 WHERE id = $2",
    "UPDATE open_executions o SET wake_at = k.wake_at FROM unnest($1::bigint[], $2::bytea[]) AS k(wake_at, id) WHERE o.id = k.id",
);
static REMOVE: Sql = Sql::each(
    "DELETE FROM open_executions WHERE id = $1",
    "DELETE FROM open_executions o USING unnest($1::bytea[]) AS k(id) WHERE o.id = k.id",
);
static OPEN: Sql = Sql::each(
    "SELECT id FROM open_executions WHERE id = $1",
    "SELECT o.id FROM unnest($1::bytea[]) AS k(id) JOIN open_executions o ON o.id = k.id",
);

/// Writes the plan; answers the attempts that are now leased.
pub(super) async fn apply(
    tx: &mut dyn Tx,
    node: &Arc<str>,
    now: Moment,
    plan: Plan,
) -> Result<Vec<Lease>> {
    let cancelled: BTreeMap<JobId, &str> = plan
        .cancel_previous
        .iter()
        .map(|(job, name)| (*job, name.as_str()))
        .collect();
    for (job, name) in &cancelled {
        executions::cancel_previous(tx, *job, name, now).await?;
    }
    let mut new: Vec<[Field; 14]> = plan
        .started
        .iter()
        .map(|lease| started(lease, &plan, node, now))
        .collect();
    new.extend(plan.queued.iter().map(|queued| waiting(queued, now)));
    let moved = plan.next.iter().filter_map(|NextDue { job_id, due }| {
        due.map(|due| {
            [
                due.run_at.into(),
                due.scheduled_for.into(),
                (*job_id).into(),
            ]
        })
    });
    let over: Vec<JobId> = plan
        .next
        .iter()
        .filter(|next| next.due.is_none())
        .map(|next| next.job_id)
        .collect();
    let ids = |jobs: &[JobId]| Rows::new(jobs.iter().map(|&job| [Field::from(job)]));
    let resumed = plan
        .resumed
        .iter()
        .map(|lease| resumed(lease, &plan, node, now));
    let put_off = plan
        .put_off
        .iter()
        .map(|(id, at)| [Field::from(*at), (*id).into()]);
    let removed = plan.ended.iter().map(|ended| [Field::from(ended.row.id)]);
    let batches = vec![
        Batch::keyed(&INSERT_OPEN, Rows::new(new), 0),
        Batch::new(&MOVE_DUE, Rows::new(moved)),
        Batch::new(&END_DUE, ids(&over)),
        Batch::new(&COMPLETED, ids(&over)),
        Batch::new(&RESUME, Rows::new(resumed)),
        Batch::new(&PUT_OFF, Rows::new(put_off)),
        Batch::new(&REMOVE, Rows::new(removed)),
    ];
    let inserted = tx
        .batches(batches)
        .await?
        .into_iter()
        .next()
        .unwrap_or_default();
    let open = open_already(tx, &plan.skipped).await?;
    let skipped = plan
        .skipped
        .iter()
        .filter(|skipped| !open.contains(&skipped.id));
    let history: Vec<[Field; 18]> = skipped
        .map(|skipped| not_run(skipped, now))
        .chain(plan.ended.iter().map(|one| ended(one, now)))
        .collect();
    insert_history(tx, Rows::new(history)).await?;
    let inserted: BTreeSet<ExecutionId> = inserted
        .iter()
        .map(|row| row.id(0))
        .collect::<Result<_>>()?;
    let mut leases = plan.resumed;
    leases.extend(
        plan.started
            .into_iter()
            .filter(|lease| inserted.contains(&lease.id)),
    );
    Ok(leases)
}

/// The occurrences to skip that are open in spite of it: a due row that was set back by hand says again what was said.
async fn open_already(tx: &mut dyn Tx, skipped: &[Skipped]) -> Result<BTreeSet<ExecutionId>> {
    let ids = Rows::new(skipped.iter().map(|skipped| [Field::from(skipped.id)]));
    one_batch(tx, &OPEN, ids)
        .await?
        .iter()
        .map(|row| row.id(0))
        .collect()
}

fn started(lease: &Lease, plan: &Plan, node: &Arc<str>, now: Moment) -> [Field; 14] {
    [
        lease.id.into(),
        plan.lease_until.into(),
        lease.job_id.into(),
        lease.known.workspace.into(),
        lease.generation.into(),
        lease.trigger.word().into(),
        Status::Running.word().into(),
        lease.scheduled_for.into(),
        now.into(),
        lease.started_at.into(),
        lease.attempt.into(),
        now.into(),
        lease.fence.into(),
        Arc::clone(node).into(),
    ]
}

fn waiting(queued: &Queued, now: Moment) -> [Field; 14] {
    [
        queued.id.into(),
        queued.wake_at.into(),
        queued.job_id.into(),
        queued.workspace.into(),
        queued.generation.into(),
        Trigger::Schedule.word().into(),
        Status::Queued.word().into(),
        queued.scheduled_for.into(),
        now.into(),
        Field::Null,
        0_i64.into(),
        Field::Null,
        0_i64.into(),
        Field::Null,
    ]
}

fn resumed(lease: &Lease, plan: &Plan, node: &Arc<str>, now: Moment) -> [Field; 8] {
    [
        plan.lease_until.into(),
        Arc::clone(node).into(),
        lease.attempt.into(),
        lease.fence.into(),
        lease.started_at.into(),
        now.into(),
        lease.attempts.clone().into(),
        lease.id.into(),
    ]
}

fn not_run(skipped: &Skipped, now: Moment) -> [Field; 18] {
    [
        skipped.known.workspace.into(),
        skipped.id.into(),
        skipped.job_id.into(),
        skipped.generation.into(),
        Trigger::Schedule.word().into(),
        Status::Skipped.word().into(),
        skipped.scheduled_for.into(),
        Field::Null,
        now.into(),
        0_i64.into(),
        skipped.reason.clone().into(),
        Field::Null,
        Field::Null,
        skipped.known.job.definition().name.clone().into(),
        Field::Null,
        Field::Null,
        Field::Null,
        Field::Null,
    ]
}

fn ended(ended: &Ended, now: Moment) -> [Field; 18] {
    let row = &ended.row;
    [
        row.workspace.into(),
        row.id.into(),
        row.job.into(),
        row.generation.into(),
        row.trigger.word().into(),
        ended.status.word().into(),
        row.scheduled_for.into(),
        row.started_at.into(),
        now.into(),
        row.attempt.into(),
        ended.reason.into(),
        row.node.clone().into(),
        row.replay_of.into(),
        ended.job_name.clone().into(),
        row.used.secrets.clone().into(),
        row.used.unresolved.clone().into(),
        row.used.warnings.clone().into(),
        ended.attempts.clone().into(),
    ]
}
