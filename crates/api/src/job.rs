//! Jobs as they are answered. What is posted is [`padclock_job::Definition`] itself.

use padclock_job::{Definition, Moment, Next, Warning};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Execution, JobId};

/// What a job does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// It runs when due.
    Active,
    /// It is kept and does not run by itself.
    Paused,
    /// It is being written and does not run.
    Draft,
    /// It has no occurrence left.
    Completed,
}

impl JobState {
    /// The word that is stored and answered.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Draft => "draft",
            Self::Completed => "completed",
        }
    }

    /// The state of a stored word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Active, Self::Paused, Self::Draft, Self::Completed]
            .into_iter()
            .find(|state| state.word() == word)
    }
}

/// When a job runs, said in several ways.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Preview {
    /// The next times, soonest first.
    pub next: Vec<Next>,
    /// The schedule in plain English.
    pub description: String,
    /// What daylight saving does to the coming year's occurrences.
    pub dst_notes: Vec<String>,
}

/// A job as answered: all that it was given, and its state.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// What was saved.
    #[serde(flatten)]
    pub definition: Definition,
    /// What it does now.
    pub state: JobState,
    /// Raised by each edit of the schedule.
    pub generation: u32,
    /// When it is due next; null when it is not.
    pub next_run_at: Option<Moment>,
    /// When its newest execution started.
    pub last_run_at: Option<Moment>,
    /// Its newest execution, without its attempts.
    pub last_execution: Option<Execution>,
    /// The next five times, the schedule in words, and notes on daylight saving; in answers about one job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preview: Option<Preview>,
    /// What its author should know.
    pub warnings: Vec<Warning>,
    /// The secrets it names that mean none now; in answers about one job, and in lists that ask for such jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unresolved_secrets: Option<Vec<String>>,
    /// When it was made.
    pub created_at: Moment,
    /// When it was last edited.
    pub updated_at: Moment,
}
