//! What the loop takes work from and gives results to. The server makes one of the store, an agent one of the
//! API client. Nothing here performs anything.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use padclock_api::{Attempt, ExecutionId, JobId, SecretId, Trigger, UsedSecret, WorkspaceId};
use padclock_job::{Job, Moment};
use padclock_template::SecretRef;
use padclock_vault::{EgressPolicy, SealPlace, Sealed, Unreadable, Value};

/// One attempt to carry out, leased until `deadline`.
#[derive(Debug, Clone)]
pub struct Lease {
    /// The execution.
    pub execution: ExecutionId,
    /// Its job's id.
    pub job_id: JobId,
    /// The job's workspace.
    pub workspace: WorkspaceId,
    /// That workspace's name, for `{{workspace}}`.
    pub workspace_name: Arc<str>,
    /// The compiled job.
    pub job: Arc<Job>,
    /// What started the execution.
    pub trigger: Trigger,
    /// The attempt's token: complete and renew match it.
    pub fence: i64,
    /// The attempt's number, from 1.
    pub attempt: u32,
    /// The due time the execution stands for.
    pub scheduled_for: Moment,
    /// When the first attempt started: `{{now}}` is frozen to it.
    pub started_at: Moment,
    /// The source's clock when it leased.
    pub now: Moment,
    /// When the job's previous execution started.
    pub last_run: Option<Moment>,
    /// When the job is due next: no retry is put past it.
    pub next_due: Option<Moment>,
    /// Whether the workspace lets no secret without an egress policy be sent.
    pub require_policy: bool,
    /// What the job's references resolved to; a reference with no entry is unresolved.
    pub secrets: Arc<[SealedSecret]>,
    /// Until when the lease may be trusted: the request's start, plus the lease's time, less a margin.
    pub deadline: Instant,
}

/// A secret that a reference resolved to, still sealed.
#[derive(Debug, Clone)]
pub struct SealedSecret {
    /// How the job names it.
    pub reference: SecretRef,
    /// The secret's own name, as placeholders and history show it.
    pub name: String,
    /// Its id.
    pub secret: SecretId,
    /// The version that is sealed here.
    pub version: u32,
    /// Where it may be sent; `None`: anywhere.
    pub policy: Option<EgressPolicy>,
    /// The workspace that owns it, for [`SealedSecret::place`].
    pub workspace: WorkspaceId,
    /// [`EgressPolicy::hash`] of the policy, for [`SealedSecret::place`].
    pub policy_hash: [u8; 32],
    /// The sealed value.
    pub sealed: Sealed,
}

impl SealedSecret {
    /// The place its value is sealed for, with the name of the sealed field.
    #[must_use]
    pub fn place<'a>(&self, field: &'a str) -> SealPlace<'a> {
        SealPlace {
            workspace: *self.workspace.bytes(),
            secret: *self.secret.bytes(),
            version: self.version,
            field,
            policy_hash: self.policy_hash,
        }
    }
}

/// Opens sealed secrets: the server by its keyring, an agent by its own key.
pub trait Opener: Send + Sync + 'static {
    /// The secret's value.
    ///
    /// # Errors
    /// [`Unreadable`] when it exists and does not open; the attempt then fails.
    fn open(&self, secret: &SealedSecret) -> Result<Value, Unreadable>;
}

/// A lease that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Held {
    /// The execution.
    pub execution: ExecutionId,
    /// The attempt's token.
    pub fence: i64,
}

/// How one lease ended.
#[derive(Debug, Clone)]
pub struct Completion {
    /// The execution.
    pub execution: ExecutionId,
    /// Its job.
    pub job_id: JobId,
    /// The job as it was leased.
    pub job: Arc<Job>,
    /// The job's workspace.
    pub workspace: WorkspaceId,
    /// The attempt's token.
    pub fence: i64,
    /// What becomes of the execution.
    pub end: End,
    /// The attempt, redacted. For [`End::HandBack`] it is empty and not to be kept.
    pub attempt: Box<Attempt>,
    /// The secrets that were opened, sorted, each once.
    pub secrets: Vec<UsedSecret>,
    /// The `secret://` names that were sent as they stand.
    pub unresolved: Vec<String>,
    /// What the job's author should know.
    pub warnings: Vec<String>,
    /// What egress policies refused, when that ended the attempt (codes `egress_refused` and `egress_policy_required`).
    pub refused: Option<Refused>,
}

/// Secrets that their policies did not let go where the job wanted to send them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The secrets, sorted, each once.
    pub secrets: Vec<RefusedSecret>,
    /// The host they would have gone to.
    pub host: String,
}

/// A secret that was not sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RefusedSecret {
    /// Its name.
    pub name: String,
    /// Its id.
    pub secret: SecretId,
    /// The version that would have been sent.
    pub version: u32,
}

impl Completion {
    /// The lease that it ends.
    #[must_use]
    pub const fn held(&self) -> Held {
        Held {
            execution: self.execution,
            fence: self.fence,
        }
    }
}

/// What becomes of an execution after a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It did what was asked.
    Succeeded,
    /// It did not, and is not tried again.
    Failed {
        /// The error's code.
        reason: String,
    },
    /// Someone stopped it.
    Canceled,
    /// It is tried again.
    Retry {
        /// When.
        at: Moment,
    },
    /// It was not started (shutdown, or its host or workspace is busy): it is queued again as if it had not been leased.
    HandBack {
        /// It should not be leased again before this; the past or present means at once.
        at: Moment,
    },
}

/// Why a held lease is to be given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// It belongs to someone else by now, or to nobody: no result is accepted.
    Lost,
    /// Someone asked for the execution to be cancelled: it is completed as [`End::Canceled`].
    CancelRequested,
}

/// What became of a renewal. A lease in neither list keeps the deadline it has, and is renewed again soon.
#[derive(Debug, Clone, Default)]
pub struct Renewed {
    /// These are prolonged, counted from the start of the call.
    pub kept: Vec<Held>,
    /// These are to be given up.
    pub revoked: Vec<(Held, Revoked)>,
}

/// The source could not do what was asked; the loop tries again later.
#[derive(Debug, thiserror::Error)]
#[error("the source of executions did not answer: {0}")]
pub struct SourceError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl SourceError {
    /// An error with this cause.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

/// Where leases come from and completions go.
///
/// Each call may be under way at the same time as one call of each other kind, never beside one of its own kind.
/// The futures are not dropped half-way, except at a shutdown whose drain time-out has passed.
#[async_trait]
pub trait RunSource: Send + Sync + 'static {
    /// At most `want` leases. Waits up to 5 s for work, is woken at once when there is some; empty means none.
    /// The audit record of the secrets' use is durable when it returns. At shutdown it should return without waiting.
    async fn lease(&self, want: usize) -> Result<Vec<Lease>, SourceError>;

    /// Renews these leases, and answers which were prolonged and which are to be given up. A lease that could not be prolonged
    /// now (another transaction has its row, say) must be left out of `kept`: whoever is told that it holds one runs on.
    async fn renew(&self, held: &[Held]) -> Result<Renewed, SourceError>;

    /// The next lease that is to be given up, as soon as the source hears of it: renewing would tell the same, later. A source that
    /// never hears of one early waits for ever. Dropped half-way at a shutdown.
    async fn revoked(&self) -> Result<(Held, Revoked), SourceError> {
        std::future::pending().await
    }

    /// Records these results in one transaction, and answers for each whether it was accepted; if not, its lease was lost.
    async fn complete(&self, done: &[Completion]) -> Result<Vec<bool>, SourceError>;
}
