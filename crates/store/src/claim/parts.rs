//! What a claim decides on and what it decides, as data.

use std::collections::BTreeMap;
use std::sync::Arc;

use padclock_api::{ExecutionId, JobId, Status, Trigger, WorkspaceId};
use padclock_job::{Due, Moment};
use padclock_template::SecretRef;

use super::Claimed;
use super::read::{AwakeRow, Found, OpenRow};
use crate::cache::KnownJob;
use crate::resolve::SealedSecret;

/// Everything that the decision rests on.
pub(super) struct Situation {
    pub now: Moment,
    pub want: usize,
    pub lease_until: Moment,
    pub found: Found,
    pub jobs: BTreeMap<JobId, KnownJob>,
    pub open: BTreeMap<JobId, Vec<OpenRow>>,
}

/// An attempt to be leased.
#[derive(Debug)]
pub(super) struct Lease {
    pub id: ExecutionId,
    pub job_id: JobId,
    pub known: KnownJob,
    pub trigger: Trigger,
    pub generation: u32,
    pub fence: i64,
    pub attempt: u32,
    pub scheduled_for: Moment,
    pub started_at: Moment,
    pub next_due: Option<Moment>,
    /// The attempts before it, when there is a lost one to add.
    pub attempts: Option<String>,
}

impl Lease {
    pub(super) fn claimed(
        &self,
        now: Moment,
        workspace_name: Arc<str>,
        secrets: Vec<(SecretRef, Arc<SealedSecret>)>,
    ) -> Claimed {
        Claimed {
            execution: self.id,
            job_id: self.job_id,
            workspace: self.known.workspace,
            workspace_name,
            job: Arc::clone(&self.known.job),
            trigger: self.trigger,
            fence: self.fence,
            attempt: self.attempt,
            scheduled_for: self.scheduled_for,
            started_at: self.started_at,
            now,
            last_run: None,
            next_due: self.next_due,
            require_policy: true,
            secrets,
        }
    }
}

/// An occurrence that waits for its turn.
#[derive(Debug)]
pub(super) struct Queued {
    pub id: ExecutionId,
    pub job_id: JobId,
    pub workspace: WorkspaceId,
    pub generation: u32,
    pub scheduled_for: Moment,
    pub wake_at: Moment,
}

/// An occurrence that was due and is not run.
#[derive(Debug)]
pub(super) struct Skipped {
    pub id: ExecutionId,
    pub job_id: JobId,
    pub known: KnownJob,
    pub generation: u32,
    pub scheduled_for: Moment,
    pub reason: String,
}

/// An open execution that ends here.
#[derive(Debug)]
pub(super) struct Ended {
    pub row: AwakeRow,
    pub status: Status,
    pub reason: &'static str,
    pub job_name: String,
    pub attempts: Option<String>,
}

/// What a due row becomes.
#[derive(Debug)]
pub(super) struct NextDue {
    pub job_id: JobId,
    pub due: Option<Due>,
}

/// Everything that the claim writes.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub lease_until: Moment,
    /// New occurrences that run at once.
    pub started: Vec<Lease>,
    /// Open executions whose next attempt runs now.
    pub resumed: Vec<Lease>,
    pub queued: Vec<Queued>,
    /// Open executions that go on waiting.
    pub put_off: Vec<(ExecutionId, Moment)>,
    pub skipped: Vec<Skipped>,
    pub ended: Vec<Ended>,
    pub next: Vec<NextDue>,
    /// Jobs whose open executions give way to a newer one.
    pub cancel_previous: Vec<(JobId, String)>,
}
