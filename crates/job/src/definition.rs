//! The job as a user posts it, gets it back, and as it is stored: the wire shape, nothing compiled.
//! What is wrong with one is found by `Job::compile`, not here.

use std::collections::BTreeMap;

use padclock_template::RequestSpec;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Moment;

/// A job's definition, in the shape of the TrigRun document, a superset of it.
///
/// Missing fields take their defaults, unknown ones are refused by name (the security contract).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// 1 to 128 characters, none of them a control character.
    pub name: String,
    /// Free text for people, at most 4,096 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How the job becomes due.
    pub kind: Kind,
    /// When the job is due; which fields it has depends on the kind.
    #[serde(default)]
    pub schedule: ScheduleSpec,
    /// The HTTP request to send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestSpec>,
    /// The environment whose secrets the job sees first; `production` when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The job's own variables, for `{{env.KEY}}`. Not secret.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// What happens to an occurrence while an earlier execution is still open.
    #[serde(default)]
    pub overlap: Overlap,
    /// How many executions may wait under `queue_all`; 1 to 1,000.
    #[serde(default = "default_queue_limit")]
    pub queue_limit: u32,
    /// What happens to occurrences that were missed.
    #[serde(default)]
    pub misfire: Misfire,
    /// How old, in seconds, a missed occurrence may be and still run; 0 to 2,592,000 (30 days).
    #[serde(default = "default_misfire_window")]
    pub misfire_window_seconds: u32,
    /// How a failed attempt is tried again.
    #[serde(default)]
    pub retry: RetrySpec,
    /// How many executions of the job may run at once under `allow` and `queue_all`; 1 to 1,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_concurrent: Option<u32>,
    /// What happens to a `secret://name` that names no secret (the references contract).
    #[serde(default)]
    pub on_unresolved: OnUnresolved,
    /// Whether `secret://name` counts in url, query, body and auth too, not in headers alone.
    #[serde(default)]
    pub secret_uri_everywhere: bool,
    /// The state the job is created in; `active` when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<InitialState>,
    /// Labels to find the job by; at most 20 of at most 64 characters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// How a job becomes due (the scheduling contract's table).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// At a fixed distance in time.
    Recurring,
    /// By a cron expression in a time zone.
    Cron,
    /// Once.
    OneTime,
    /// Only when asked to: run-now and triggers.
    Manual,
}

impl Kind {
    /// The kind's name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recurring => "recurring",
            Self::Cron => "cron",
            Self::OneTime => "one_time",
            Self::Manual => "manual",
        }
    }
}

/// When a job is due, as written: flat, as in the TrigRun document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleSpec {
    /// `recurring`: minutes between two occurrences, 1 to 1,440.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_n_minutes: Option<u32>,
    /// `recurring`: seconds between two occurrences, 1 to 31,536,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_seconds: Option<u32>,
    /// `cron`: five fields, or six with seconds in front, or `@hourly` and such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// IANA time zone in which the expression is read and times are shown; UTC when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// `one_time`: when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_at: Option<Moment>,
    /// Up to so many seconds are added to each occurrence, always the same for the same one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter_seconds: Option<u32>,
    /// No occurrence before this; `recurring` counts from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_at: Option<Moment>,
    /// No occurrence after this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_at: Option<Moment>,
    /// `cron`: what happens when clocks change; `vixie` when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dst: Option<Dst>,
}

/// What a cron job does when clocks change (the scheduling contract).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dst {
    /// A fixed time in a gap runs at the first instant after it, and once in a repeated hour;
    /// an expression with `*` or a step among its times skips the gap and runs in both passes.
    #[default]
    Vixie,
    /// Each local time at most once: what falls in a gap is left out, and a repeated hour counts
    /// at its first pass only.
    Skip,
    /// The expression is read in UTC; the time zone is for display.
    Utc,
}

/// What happens to an occurrence while an earlier execution of the job is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// It is skipped, with a row that says so.
    #[default]
    Skip,
    /// One may wait; a further one is skipped.
    QueueOne,
    /// Up to `queue_limit` may wait.
    QueueAll,
    /// It runs beside the others, up to `max_concurrent`.
    Allow,
    /// The open ones are cancelled, then it runs.
    CancelPrevious,
}

/// What happens to occurrences that were missed, within the misfire window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Misfire {
    /// The newest one runs.
    #[default]
    Latest,
    /// None runs.
    Skip,
    /// The newest hundred run, oldest first.
    All,
}

/// What happens to a `secret://name` that names no secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnUnresolved {
    /// The literal text is sent and the execution lists it, as the TrigRun document says.
    #[default]
    Send,
    /// The attempt fails before anything is sent.
    Fail,
}

/// The states a job can be created in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InitialState {
    /// It becomes due by its schedule.
    Active,
    /// It waits to be resumed.
    Paused,
}

/// How a failed attempt is tried again (the scheduling contract).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetrySpec {
    /// Attempts in all, the first included; 1 to 20.
    pub max_attempts: u32,
    /// Seconds before the second attempt; doubled for each further one; 1 to 3,600.
    pub base_seconds: u32,
    /// The longest wait, in seconds, that doubling reaches; 1 to 86,400.
    pub max_seconds: u32,
}

impl Default for RetrySpec {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            base_seconds: 1,
            max_seconds: 3_600,
        }
    }
}

const fn default_queue_limit() -> u32 {
    100
}

const fn default_misfire_window() -> u32 {
    86_400
}

impl Definition {
    /// A definition of this name and kind with every default.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self {
            name: name.into(),
            description: None,
            kind,
            schedule: ScheduleSpec::default(),
            request: None,
            environment: None,
            env: BTreeMap::new(),
            overlap: Overlap::default(),
            queue_limit: default_queue_limit(),
            misfire: Misfire::default(),
            misfire_window_seconds: default_misfire_window(),
            retry: RetrySpec::default(),
            max_concurrent: None,
            on_unresolved: OnUnresolved::default(),
            secret_uri_everywhere: false,
            state: None,
            tags: Vec::new(),
        }
    }

    /// The environment the job runs in: its own, else `production` (the product's default).
    #[must_use]
    pub fn environment(&self) -> &str {
        self.environment.as_deref().unwrap_or("production")
    }
}
