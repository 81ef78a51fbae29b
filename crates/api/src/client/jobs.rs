//! Calls about jobs, and a job as a client reads it: leniently, for what it does not know it passes on.

use http::Method;
use http::header::IF_MATCH;
use padclock_job::{Moment, Warning};
use serde::{Deserialize, Serialize};

use super::{Answer, Client, ClientError, answer, json};
use crate::job::{JobState, Preview};
use crate::{Execution, JobId};

/// A job as it is read. Schedule and request stay as they were sent.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Its name.
    pub name: String,
    /// For people.
    #[serde(default)]
    pub description: Option<String>,
    /// How it becomes due: `recurring`, `cron`, `one_time`, `manual`.
    pub kind: String,
    /// When it is due.
    #[serde(default)]
    pub schedule: serde_json::Value,
    /// The request it sends.
    #[serde(default)]
    pub request: serde_json::Value,
    /// The environment whose secrets it sees first; absent: `production`.
    #[serde(default)]
    pub environment: Option<String>,
    /// What it does now.
    pub state: JobState,
    /// When it is due next.
    #[serde(default)]
    pub next_run_at: Option<Moment>,
    /// When its newest execution started.
    #[serde(default)]
    pub last_run_at: Option<Moment>,
    /// Its newest execution.
    #[serde(default)]
    pub last_execution: Option<Execution>,
    /// Its coming times; in answers about one job.
    #[serde(default)]
    pub preview: Option<Preview>,
    /// What its author should know.
    #[serde(default)]
    pub warnings: Vec<Warning>,
    /// The secrets it names that are not there; in answers about one job, and in lists that ask for such jobs.
    #[serde(default)]
    pub unresolved_secrets: Option<Vec<String>>,
    /// When it was made.
    pub created_at: Moment,
    /// When it was last edited.
    pub updated_at: Moment,
}

/// What a definition would become if it were saved.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct DryRun {
    /// The coming times.
    #[serde(default)]
    pub preview: Option<Preview>,
    /// What its author should know.
    #[serde(default)]
    pub warnings: Vec<Warning>,
}

impl Client {
    /// All jobs.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn jobs(&self) -> Result<Vec<Answer<Job>>, ClientError> {
        self.list("/v1/jobs", &[], None).await
    }

    /// The jobs that name a secret which is not there.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn unresolved_jobs(&self) -> Result<Vec<Answer<Job>>, ClientError> {
        let filter = [("unresolved", "true".to_owned())];
        self.list("/v1/jobs", &filter, None).await
    }

    /// One job.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn job(&self, id: JobId) -> Result<Answer<Job>, ClientError> {
        self.get(&format!("/v1/jobs/{id}")).await
    }

    /// Saves a new job. `definition` is as the API takes it: a [`padclock_job::Definition`], or JSON of its shape.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn create_job(
        &self,
        definition: &impl Serialize,
    ) -> Result<Answer<Job>, ClientError> {
        self.post("/v1/jobs", json(definition)?).await
    }

    /// What would become of a definition; nothing is saved.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn check_job(
        &self,
        definition: &impl Serialize,
    ) -> Result<Answer<DryRun>, ClientError> {
        self.post("/v1/jobs?dry_run=true", json(definition)?).await
    }

    /// Changes the fields of a job that `change` names, if it is still at `etag`.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn change_job(
        &self,
        id: JobId,
        change: &impl Serialize,
        etag: Option<&str>,
    ) -> Result<Answer<Job>, ClientError> {
        let path = format!("/v1/jobs/{id}");
        let condition = etag.map(|tag| (IF_MATCH, tag));
        self.send(Method::PATCH, &path, json(change)?, condition)
            .await
            .and_then(answer::read)
    }

    /// Deletes a job.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn delete_job(&self, id: JobId) -> Result<(), ClientError> {
        self.delete(&format!("/v1/jobs/{id}")).await
    }

    /// Starts an execution now.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn run_job(&self, id: JobId) -> Result<Answer<Execution>, ClientError> {
        self.post(&format!("/v1/jobs/{id}/run-now"), None).await
    }

    /// Stops a job from becoming due.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn pause_job(&self, id: JobId) -> Result<Answer<Job>, ClientError> {
        self.post(&format!("/v1/jobs/{id}/pause"), None).await
    }

    /// Lets a paused job become due again.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn resume_job(&self, id: JobId) -> Result<Answer<Job>, ClientError> {
        self.post(&format!("/v1/jobs/{id}/resume"), None).await
    }

    /// The next `n` times of a job.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn next_times(&self, id: JobId, n: u32) -> Result<Answer<Preview>, ClientError> {
        self.get(&format!("/v1/jobs/{id}/next?n={n}")).await
    }
}
