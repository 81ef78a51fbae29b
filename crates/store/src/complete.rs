//! The second durable commit of an execution: fence, attempt, history, next attempt, for a whole batch.

use std::collections::{BTreeMap, HashSet};
use std::mem::take;

use padclock_api::{ExecutionId, JobId, Status, WorkspaceId};
use padclock_job::Moment;
use padclock_vault::Label;

use crate::audit::{self, Actor, Detail, Entry};
use crate::error::Result;
use crate::executions::INSERT_HISTORY;
use crate::field::Field;
use crate::tx::{Batch, Rows, Sql, Tx, one_batch};
use crate::{Store, body};

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
    /// Whether others of the job may wait for its end.
    pub queues: bool,
}

/// Moves an execution from the open ones to history, with its last attempt; an array of one, to be joined to those before.
/// `OR IGNORE` says what `ON CONFLICT DO NOTHING` says, and spares SQLite a copy of each page in case a later row fails.
static FINISH: Sql = Sql::pair(
    "INSERT OR IGNORE INTO executions (workspace_id, id, job_id, generation, cause, status, scheduled_for, started_at, finished_at, attempt_count,
       reason, node, replay_of, job_name, secrets, unresolved, warnings, attempts)
     SELECT workspace_id, id, job_id, generation, cause, ?3, scheduled_for, started_at, ?4, attempt, ?5, node, replay_of, ?6, ?7, ?8, ?9,
       CASE WHEN attempts IS NULL THEN ?10 ELSE substr(attempts, 1, length(attempts) - 1) || ',' || substr(?10, 2) END
     FROM open_executions WHERE id = ?1 AND fence = ?2 AND status = 'running'",
    "DELETE FROM open_executions WHERE id = ?1 AND fence = ?2 AND status = 'running'",
    "WITH over AS (
       DELETE FROM open_executions o USING unnest($1::bytea[], $2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[],
         $8::text[], $9::text[], $10::text[])
         AS k(id, fence, status, finished_at, reason, job_name, secrets, unresolved, warnings, attempts)
       WHERE o.id = k.id AND o.fence = k.fence AND o.status = 'running'
       RETURNING o.workspace_id, o.id, o.job_id, o.generation, o.cause, k.status, o.scheduled_for, o.started_at, k.finished_at, o.attempt,
         k.reason, o.node, o.replay_of, k.job_name, k.secrets, k.unresolved, k.warnings,
         CASE WHEN o.attempts IS NULL THEN k.attempts
           ELSE substr(o.attempts, 1, length(o.attempts) - 1) || ',' || substr(k.attempts, 2) END),
     kept AS (
       INSERT INTO executions (workspace_id, id, job_id, generation, cause, status, scheduled_for, started_at, finished_at, attempt_count,
         reason, node, replay_of, job_name, secrets, unresolved, warnings, attempts)
       SELECT * FROM over ON CONFLICT DO NOTHING)
     SELECT id FROM over",
);
static RETRY: Sql = Sql::each(
    "UPDATE open_executions SET status = 'waiting', wake_at = $1,
       attempts = CASE WHEN attempts IS NULL THEN '[' || $2 || ']' ELSE substr(attempts, 1, length(attempts) - 1) || ',' || $2 || ']' END
     WHERE id = $3 AND fence = $4 AND status = 'running'",
    "UPDATE open_executions o SET status = 'waiting', wake_at = k.at,
       attempts = CASE WHEN attempts IS NULL THEN '[' || k.attempt || ']'
         ELSE substr(attempts, 1, length(attempts) - 1) || ',' || k.attempt || ']' END
     FROM unnest($1::bigint[], $2::text[], $3::bytea[], $4::bigint[]) AS k(at, attempt, id, fence)
     WHERE o.id = k.id AND o.fence = k.fence AND o.status = 'running' RETURNING o.id",
);
static HAND_BACK: Sql = Sql::each(
    "UPDATE open_executions SET status = 'queued', wake_at = $1, attempt = attempt - 1, node = NULL
     WHERE id = $2 AND fence = $3 AND status = 'running'",
    "UPDATE open_executions o SET status = 'queued', wake_at = k.at, attempt = o.attempt - 1, node = NULL
     FROM unnest($1::bigint[], $2::bytea[], $3::bigint[]) AS k(at, id, fence)
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
        one.secrets.take().into(),
        one.unresolved.take().into(),
        one.warnings.take().into(),
        appended(None, &take(&mut one.attempt)).into(),
    ])
}

async fn complete(tx: &mut dyn Tx, done: &mut [Finished], now: Moment) -> Result<Vec<bool>> {
    // In the order of jobs, as a claim that cancels takes their rows: neither waits for the other in a ring.
    let mut ordered: Vec<&mut Finished> = done.iter_mut().collect();
    ordered.sort_unstable_by_key(|one| (one.job, one.execution));
    let finished = Rows::new(ordered.iter_mut().filter_map(|one| over(one, now)));
    let retried = Rows::new(ordered.iter().filter_map(|one| match one.end {
        End::Retry { at } => Some([
            at.into(),
            one.attempt.clone().into(),
            one.execution.into(),
            one.fence.into(),
        ]),
        _ => None,
    }));
    let back = Rows::new(ordered.iter().filter_map(|one| match one.end {
        End::HandBack { at } => Some([at.max(now).into(), one.execution.into(), one.fence.into()]),
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
        Batch::keyed(&RETRY, retried, 2),
        Batch::keyed(&HAND_BACK, back, 1),
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

fn late(done: &[Finished], accepted: &[bool], node: &str) -> Vec<Entry> {
    let refused = done
        .iter()
        .zip(accepted)
        .filter(|(_, accepted)| !**accepted);
    refused
        .map(|(one, _)| Entry {
            workspace: one.workspace,
            actor: Actor::Node(node.into()).to_string(),
            action: "execution.late_result",
            target: one.execution.to_string(),
            detail: Detail {
                job: Some(one.job.to_string()),
                result: Some("ignored".to_owned()),
                ..Detail::default()
            },
        })
        .collect()
}

impl Store {
    /// Records how a batch of attempts ended, in one transaction. Answers for each whether its lease still held; one that
    /// did not is audited, and changes nothing.
    ///
    /// # Errors
    /// When the database can't be written; then nothing of the batch is recorded.
    pub async fn complete(
        &self,
        node: std::sync::Arc<str>,
        mut done: Vec<Finished>,
    ) -> Result<Vec<bool>> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let now = Moment::from_millis(tx.now().await?);
            let accepted = complete(tx, &mut done, now).await?;
            let entries = late(&done, &accepted, &node);
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
