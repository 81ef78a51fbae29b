//! What several of this crate's own tests stand on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use padclock_api::{ExecutionId, JobId, Trigger, WorkspaceId};
use padclock_job::{Job, Moment};

use crate::source::Lease;

/// A lease of this job, for tests.
pub(crate) fn lease_of(job: Job) -> Lease {
    Lease {
        execution: ExecutionId::from_bytes([1; 16]),
        job_id: JobId::from_bytes([2; 16]),
        workspace: WorkspaceId::from_bytes([3; 16]),
        workspace_name: "team".into(),
        job: Arc::new(job),
        trigger: Trigger::Manual,
        fence: 1,
        attempt: 1,
        scheduled_for: Moment::EPOCH,
        started_at: Moment::EPOCH,
        now: Moment::EPOCH,
        last_run: None,
        next_due: None,
        require_policy: false,
        secrets: Arc::new([]),
        deadline: Instant::now() + Duration::from_secs(25),
    }
}
