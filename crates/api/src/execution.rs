//! Executions and their attempts, as stored in history and as answered. Everything here is already redacted.

use std::collections::BTreeMap;

use padclock_job::Moment;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{ExecutionId, JobId};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// The word that is stored and answered.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The variant of a stored word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

words! {
    /// Where an execution stands (scheduling contract, Executions).
    Status {
        /// It waits for a node.
        Queued = "queued",
        /// A node carries it out.
        Running = "running",
        /// It waits for its next attempt.
        Waiting = "waiting",
        /// Done, as asked.
        Succeeded = "succeeded",
        /// Done, not as asked.
        Failed = "failed",
        /// Stopped by someone.
        Canceled = "canceled",
        /// Its node is gone and it can't be repeated.
        Lost = "lost",
        /// It was due and deliberately not run.
        Skipped = "skipped",
    }
}

impl Status {
    /// Whether nothing more will happen to it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Succeeded | Self::Failed | Self::Canceled | Self::Lost | Self::Skipped
        )
    }
}

words! {
    /// What started an execution.
    Trigger {
        /// Its job's schedule.
        Schedule = "schedule",
        /// Run-now.
        Manual = "manual",
        /// A replay of an earlier one.
        Replay = "replay",
        /// A webhook.
        Webhook = "webhook",
        /// An automation.
        Automation = "automation",
        /// A back-fill of a range of time.
        Backfill = "backfill",
    }
}

words! {
    /// How an attempt ended.
    AttemptStatus {
        /// As asked.
        Succeeded = "succeeded",
        /// Not as asked.
        Failed = "failed",
        /// Stopped by someone.
        Canceled = "canceled",
        /// Its node is gone.
        Lost = "lost",
    }
}

/// The request as it was sent, redacted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordedRequest {
    /// The method.
    pub method: String,
    /// The absolute URL.
    pub url: String,
    /// The headers.
    pub headers: BTreeMap<String, String>,
    /// The body's beginning; null when there was none.
    pub body: Option<String>,
}

/// The answer as it came, redacted, then cut to what is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordedResponse {
    /// The status code.
    pub status: u16,
    /// The headers; a repeated one has its values joined by a comma.
    pub headers: BTreeMap<String, String>,
    /// The body's head and tail; null when it was not stored, and then `note` says why.
    pub body: Option<String>,
    /// The bytes of the body after decoding, as far as they were read.
    pub body_bytes: u64,
    /// Whether something of it was dropped.
    pub truncated: bool,
    /// What else is to be said of the body.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub note: Option<String>,
}

/// Why an attempt did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AttemptError {
    /// A machine word, such as `secret_unresolved`, `timeout`, `connect`, `status`.
    pub code: String,
    /// For a person; holds no value.
    pub message: String,
}

/// One try at an execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// How it ended.
    pub status: AttemptStatus,
    /// When it began.
    pub started_at: Moment,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// What was sent; null when nothing was.
    pub request: Option<RecordedRequest>,
    /// What came back; null when nothing did.
    pub response: Option<RecordedResponse>,
    /// What went wrong; null when nothing did.
    pub error: Option<AttemptError>,
}

/// A secret that an execution opened.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct UsedSecret {
    /// Its name.
    pub name: String,
    /// The version that was opened.
    pub version: u32,
}

/// An execution as answered; lists leave `attempts` out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Execution {
    /// Its id; also the `Idempotency-Key` of its requests.
    pub id: ExecutionId,
    /// The job it carries out.
    pub job_id: JobId,
    /// The job's name when it ran.
    pub job_name: String,
    /// Where it stands.
    pub status: Status,
    /// What started it.
    pub trigger: Trigger,
    /// The due time it stands for.
    pub scheduled_for: Moment,
    /// When its first attempt began.
    pub started_at: Option<Moment>,
    /// When it ended.
    pub finished_at: Option<Moment>,
    /// From start to end, in milliseconds.
    pub duration_ms: Option<u64>,
    /// The number of attempts so far.
    pub attempt_count: u32,
    /// Each try; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub attempts: Option<Vec<Attempt>>,
    /// When the next attempt is due, while it waits for one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_attempt_at: Option<Moment>,
    /// Why it was skipped, failed or lost; null otherwise.
    pub reason: Option<String>,
    /// The secrets it opened, by name and version.
    pub secrets: Vec<UsedSecret>,
    /// The `secret://` names that were sent as they stand, because no such secret was there.
    pub unresolved_secrets: Vec<String>,
    /// What its job's author should know.
    pub warnings: Vec<String>,
    /// The node that carried it out.
    pub node: Option<String>,
    /// The execution that it replays.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub replay_of: Option<ExecutionId>,
}
