//! `POST /v1/jobs/import`: another scheduler's text on its way in, and what was made of it.

use std::fmt;

use padclock_vault::EgressPolicy;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::job::JobState;
use crate::{JobId, SecretId};

/// A text that may hold credentials. It can be read from JSON, and neither printed nor written; it is wiped by who takes it.
pub struct ImportText(pub String);

impl fmt::Debug for ImportText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

impl<'de> Deserialize<'de> for ImportText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

/// What is to be imported, and how it is read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportRequest {
    /// `crontab`, `trigrun`, `cron-job.org` or `padclock`; absent: what the text looks like.
    #[serde(default)]
    pub format: Option<String>,
    /// The crontab, or the JSON document as a text.
    #[schema(value_type = String, write_only)]
    pub text: ImportText,
    /// The environment that the jobs run in and the secrets serve; absent: `production`, and all.
    #[serde(default)]
    pub environment: Option<String>,
    /// The time zone of a crontab that names none; absent: UTC.
    #[serde(default)]
    pub timezone: Option<String>,
    /// The crontab is the system's: its lines name a user.
    #[serde(default)]
    pub system: bool,
}

/// A job that was made, or with `dry_run` would be.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportedJob {
    /// Its id; absent in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<JobId>,
    /// Its name.
    pub name: String,
    /// Paused: it is let run by `resume`.
    pub state: JobState,
    /// Where it was read: `line 4`, `item 2`.
    pub from: String,
    /// The secrets that were made for it.
    pub secrets: Vec<String>,
    /// What is different from before.
    pub notes: Vec<String>,
}

/// A secret that was made, or with `dry_run` would be.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportedSecret {
    /// Its id; absent in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<SecretId>,
    /// How templates name it.
    pub name: String,
    /// Where it may be sent.
    pub egress: Option<EgressPolicy>,
    /// Where it was read.
    pub from: Vec<String>,
}

/// What was left out.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportLeftOut {
    /// Where it stands.
    pub from: String,
    /// The job's name, when it has one.
    pub name: Option<String>,
    /// Why.
    pub reason: String,
    /// Whether it is a command: those can't be scheduled yet.
    pub is_command: bool,
}

/// What came of an import.
#[derive(Debug, Serialize, ToSchema)]
pub struct Imported {
    /// Whether nothing was made.
    pub dry_run: bool,
    /// The jobs, all of them paused.
    pub jobs: Vec<ImportedJob>,
    /// The secrets.
    pub secrets: Vec<ImportedSecret>,
    /// Names of jobs that were there already.
    pub there_already: Vec<String>,
    /// What was left out.
    pub left_out: Vec<ImportLeftOut>,
    /// Secrets that are named and are not there.
    pub missing_secrets: Vec<String>,
    /// What else there is to say.
    pub notes: Vec<String>,
}
