//! The second durable commit of an execution: fence, attempt, history, next attempt, for a whole batch.

mod told;

use std::collections::{BTreeMap, HashSet};
use std::mem::take;
use std::sync::Arc;

use padclock_api::{ExecutionId, JobId, Status, WorkspaceId};
use padclock_job::Moment;
use padclock_vault::Label;

use crate::audit::{self, SecretUse};
use crate::error::Result;
use crate::executions::INSERT_HISTORY;
use crate::field::Field;
use crate::tx::{Batch, Rows, Sql, Tx, one_batch};
use crate::{Store, body};
use told::remarkable;

/// How an attempt leaves its execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Over, as asked.
    Succeeded,
    /// Over, not as asked.
    Failed {
        /// The failure's code.
        reason: String,
    },
    /// Over: someone stopped it.
    Canceled,
    /// Not over: another attempt at this time.
    Retry {
        /// When.
        at: Moment,
    },
    /// Not begun: some node is to take it.
    HandBack {
        /// Not before this; the past means at once.
        at: Moment,
    },
}

/// Secrets that their egress policies kept from a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The secrets, each with its version.
    pub secrets: Vec<SecretUse>,
    /// The host that it would have gone to.
    pub host: String,
}

/// An attempt that is done with, redacted and written as JSON.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The execution.
    pub execution: ExecutionId,
    /// Its job.
    pub job: JobId,
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// The attempt token that its lease came with.
    pub fence: i64,
    /// How it ended.
    pub end: End,
    /// The job's name.
    pub job_name: String,
    /// The attempt, as a JSON object.
    pub attempt: String,
    /// The secrets it opened, as a JSON array.
    pub secrets: Option<String>,
    /// The names it sent as they stand, as a JSON array.
    pub unresolved: Option<String>,
    /// Warnings, as a JSON array.
    pub warnings: Option<String>,
    /// The secret that was not sent, when that is why it ended; it is audited.
    pub refused: Option<Refused>,
    /// Whether others of the job may wait for its end.
    pub queues: bool,
}

/// A JSON array and what is to be added to it, as text: it is read sorted, each once. The attempts of an execution nearly
/// always use the same.
macro_rules! joined {
    ($before:literal, $more:literal) => {
        concat!(
            "CASE WHEN ",
            $before,
            " IS NULL OR ",
            $before,
            " = ",
            $more,
            " THEN ",
            $more,
            " WHEN ",
            $more,
            " IS NULL THEN ",
            $before,
            " ELSE substr(",
            $before,
            ", 1, length(",
            $before,
            ") - 1) || ',' || substr(",
            $more,
            ", 2) END"
        )
    };
}

/// Moves an execution from the open ones to history, with its last attempt; an array of one, to be joined to those before.
/// `OR IGNORE` says what `ON CONFLICT DO NOTHING` says, and spares SQLite a copy of each page in case a later row fails.
static FINISH: Sql = Sql::pair(
    concat!(
        "INSERT OR IGNORE INTO executions (workspace_id, id, job_id, generation, cause, status, scheduled_for, started_at, finished_at, attempt_count,
       reason, node, replay_of, job_name, secrets, unresolved, warnings, attempts)
     SELECT workspace_id, id, job_id, generation, cause, ?3, scheduled_for, started_at, ?4, attempt, ?5, node, replay_of, ?6, ",
        joined!("secrets", "?7"), ", ", joined!("unresolved", "?8"), ", ", joined!("warnings", "?9"),
        ", CASE WHEN attempts IS NULL THEN ?10 ELSE substr(attempts, 1, length(attempts) - 1) || ',' || substr(?10, 2) END
     FROM open_executions WHERE id = ?1 AND fence = ?2 AND status = 'running'"
    ),
    "DELETE FROM open_executions WHERE id = ?1 AND fence = ?2 AND status = 'running'",
    concat!(
        "WITH over AS (
       DELETE FROM open_executions o USING unnest($1::bytea[], $2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[],
         $8::text[], $9::text[], $10::text[])
         AS k(id, fence, status, finished_at, reason, job_name, secrets, unresolved, warnings, attempts)
       WHERE o.id = k.id AND o.fence = k.fence AND o.status = 'running'
       RETURNING o.workspace_id, o.id, o.job_id, o.generation, o.cause, k.status, o.scheduled_for, o.started_at, k.finished_at, o.attempt,
         k.reason, o.node, o.replay_of, k.job_name, ",
        joined!("o.secrets", "k.secrets"), ", ", joined!("o.unresolved", "k.unresolved"), ", ", joined!("o.warnings", "k.warnings"),
        ", CASE WHEN o.attempts IS NULL THEN k.attempts
           ELSE substr(o.attempts, 1, length(o.attempts) - 1) || ',' || substr(k.attempts, 2) END),
     kept AS (
       INSERT INTO executions (workspace_id, id, job_id, generation, cause, status, scheduled_for, started_at, finished_at, attempt_count,
         reason, node, replay_of, job_name, secrets, unresolved, warnings, attempts)
       SELECT * FROM over ON CONFLICT DO NOTHING)
     SELECT id FROM over"
    ),
);
/// One whose end was asked for meanwhile is not tried again: it wakes at once, and the claim that finds it ends it.
static RETRY: Sql = Sql::each(
    concat!(
        "UPDATE open_executions SET status = 'waiting', wake_at = CASE WHEN cancel_requested = 1 THEN ?2 ELSE ?1 END,
       attempts = CASE WHEN attempts IS NULL THEN ?3 ELSE substr(attempts, 1, length(attempts) - 1) || ',' || substr(?3, 2) END, secrets = ",
        joined!("secrets", "?4"), ", unresolved = ", joined!("unresolved", "?5"), ", warnings = ", joined!("warnings", "?6"),
        " WHERE id = ?7 AND fence = ?8 AND status = 'running'"
    ),
    concat!(
        "UPDATE open_executions o SET status = 'waiting', wake_at = CASE WHEN o.cancel_requested = 1 THEN k.now ELSE k.at END,
       attempts = CASE WHEN o.attempts IS NULL THEN k.attempts
         ELSE substr(o.attempts, 1, length(o.attempts) - 1) || ',' || substr(k.attempts, 2) END, secrets = ",
        joined!("o.secrets", "k.secrets"), ", unresolved = ", joined!("o.unresolved", "k.unresolved"), ", warnings = ",
        joined!("o.warnings", "k.warnings"),
        " FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[], $8::bigint[])
       AS k(at, now, attempts, secrets, unresolved, warnings, id, fence)
     WHERE o.id = k.id AND o.fence = k.fence AND o.status = 'running' RETURNING o.id"
    ),
);
/// Back to what it was before its lease: queued, or, after an attempt, waiting. As to a cancelled one, see [`RETRY`].
static HAND_BACK: Sql = Sql::each(
    "UPDATE open_executions SET status = CASE WHEN attempt > 1 THEN 'waiting' ELSE 'queued' END,
       wake_at = CASE WHEN cancel_requested = 1 THEN ?2 ELSE ?1 END, started_at = CASE WHEN attempt > 1 THEN started_at END,
       attempt = attempt - 1, node = NULL
     WHERE id = ?3 AND fence = ?4 AND status = 'running'",
    "UPDATE open_executions o SET status = CASE WHEN o.attempt > 1 THEN 'waiting' ELSE 'queued' END,
       wake_at = CASE WHEN o.cancel_requested = 1 THEN k.now ELSE k.at END, started_at = CASE WHEN o.attempt > 1 THEN o.started_at END,
       attempt = o.attempt - 1, node = NULL
     FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bigint[]) AS k(at, now, id, fence)
     WHERE o.id = k.id AND o.fence = k.fence AND o.status = 'running' RETURNING o.id",
);
/// Wakes the oldest executions that sleep behind those that have just ended, one for each. One that another node looks
/// at right now is let alone: it may be about to run.
static WAKE_NEXT: Sql = Sql::each(
    "UPDATE open_executions SET wake_at = $1 WHERE id IN
       (SELECT id FROM open_executions WHERE wake_at > $1 AND job_id = $2 AND status = 'queued' ORDER BY scheduled_for, id LIMIT $3)",
    "UPDATE open_executions o SET wake_at = k.at
     FROM (SELECT k.at, q.id FROM unnest($1::bigint[], $2::bytea[], $3::bigint[]) AS k(at, job_id, places)
       CROSS JOIN LATERAL (SELECT id FROM open_executions WHERE wake_at > k.at AND job_id = k.job_id AND status = 'queued'
         ORDER BY scheduled_for, id LIMIT k.places FOR UPDATE SKIP LOCKED) q) k
     WHERE o.id = k.id AND o.status = 'queued'",
);

/// Appends an attempt to the JSON array of those before it.
pub(crate) fn appended(before: Option<String>, attempt: &str) -> String {
    match before {
        Some(mut list) if list.ends_with(']') && list.len() > 2 => {
            list.pop();
            list.push(',');
            list.push_str(attempt);
            list.push(']');
            list
        }
        _ => {
            let mut list = String::with_capacity(attempt.len() + 2);
            list.push('[');
            list.push_str(attempt);
            list.push(']');
            list
        }
    }
}

fn final_status(end: &End) -> Option<(Status, Option<&str>)> {
    match end {
        End::Succeeded => Some((Status::Succeeded, None)),
        End::Failed { reason } => Some((Status::Failed, Some(reason))),
        End::Canceled => Some((Status::Canceled, Some("canceled"))),
        End::Retry { .. } | End::HandBack { .. } => None,
    }
}

/// A list as a column holds it: an empty one is none.
fn listed(list: &mut Option<String>) -> Field {
    list.take().filter(|list| list != "[]").into()
}

/// The row that ends an execution; none when it goes on.
fn over(one: &mut Finished, now: Moment) -> Option<[Field; 10]> {
    let (status, reason) = final_status(&one.end)?;
    let (status, reason) = (status.word(), reason.map(str::to_owned));
    Some([
        one.execution.into(),
        one.fence.into(),
        status.into(),
        now.into(),
        reason.into(),
        take(&mut one.job_name).into(),
        listed(&mut one.secrets),
        listed(&mut one.unresolved),
        listed(&mut one.warnings),
        appended(None, &one.attempt).into(),
    ])
}

/// The row that sends an execution into its next attempt.
fn again(one: &mut Finished, now: Moment) -> Option<[Field; 8]> {
    let End::Retry { at } = one.end else {
        return None;
    };
    Some([
        at.into(),
        now.into(),
        appended(None, &one.attempt).into(),
        listed(&mut one.secrets),
        listed(&mut one.unresolved),
        listed(&mut one.warnings),
        one.execution.into(),
        one.fence.into(),
    ])
}

async fn complete(tx: &mut dyn Tx, done: &mut [Finished], now: Moment) -> Result<Vec<bool>> {
    // In the order of jobs, as a claim that cancels takes their rows: neither waits for the other in a ring.
    let mut ordered: Vec<&mut Finished> = done.iter_mut().collect();
    ordered.sort_unstable_by_key(|one| (one.job, one.execution));
    let finished = Rows::new(ordered.iter_mut().filter_map(|one| over(one, now)));
    let retried = Rows::new(ordered.iter_mut().filter_map(|one| again(one, now)));
    let back = Rows::new(ordered.iter().filter_map(|one| match one.end {
        End::HandBack { at } => Some([
            at.max(now).into(),
            now.into(),
            one.execution.into(),
            one.fence.into(),
        ]),
        _ => None,
    }));
    let mut freed: BTreeMap<JobId, i64> = BTreeMap::new();
    for one in done
        .iter()
        .filter(|one| one.queues && final_status(&one.end).is_some())
    {
        *freed.entry(one.job).or_default() += 1;
    }
    let freed = Rows::new(
        freed
            .into_iter()
            .map(|(job, places)| [Field::from(now), job.into(), places.into()]),
    );
    let batches = vec![
        Batch::keyed(&FINISH, finished, 0),
        Batch::keyed(&RETRY, retried, 6),
        Batch::keyed(&HAND_BACK, back, 2),
        Batch::new(&WAKE_NEXT, freed),
    ];
    let answers = tx.batches(batches).await?;
    let accepted = answers
        .iter()
        .flatten()
        .map(|row| row.id(0))
        .collect::<Result<HashSet<ExecutionId>>>()?;
    Ok(done
        .iter()
        .map(|one| accepted.contains(&one.execution))
        .collect())
}

impl Store {
    /// Records how a batch of attempts ended, in one transaction. Answers for each whether its lease still held, or this
    /// same end was recorded before; any other is audited, and changes nothing.
    ///
    /// # Errors
    /// When the database can't be written; then nothing of the batch is recorded.
    pub async fn complete(&self, node: Arc<str>, mut done: Vec<Finished>) -> Result<Vec<bool>> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let now = Moment::from_millis(tx.now().await?);
            let mut accepted = complete(tx, &mut done, now).await?;
            let entries = remarkable(tx, &done, &mut accepted, &node).await?;
            if !entries.is_empty() {
                audit::append(tx, keys.derived(Label::Audit), now.millis(), entries).await?;
            }
            Ok(accepted)
        }))
        .await
    }
}

/// The rows of one batch of history.
pub(crate) async fn insert_history(tx: &mut dyn Tx, rows: Rows) -> Result<()> {
    one_batch(tx, &INSERT_HISTORY, rows).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_appended_to_a_json_array() {
        let first = appended(None, r#"{"number":1}"#);
        assert_eq!(first, r#"[{"number":1}]"#);
        let second = appended(Some(first), r#"{"number":2}"#);
        assert_eq!(second, r#"[{"number":1},{"number":2}]"#);
        assert_eq!(appended(Some("[]".to_owned()), "{}"), "[{}]");
    }
}
