//! Calls about executions.

use http::Method;
use http::header::IF_NONE_MATCH;
use padclock_job::Moment;

use super::{Answer, Client, ClientError, answer};
use crate::{Execution, ExecutionId, JobId, Status, Trigger};

/// Which executions a list shall have; `None` leaves a field open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExecutionQuery {
    /// Of this job.
    pub job: Option<JobId>,
    /// That stand so.
    pub status: Option<Status>,
    /// That were started so.
    pub trigger: Option<Trigger>,
    /// Due at or after.
    pub from: Option<Moment>,
    /// Due before.
    pub to: Option<Moment>,
}

impl ExecutionQuery {
    fn filters(self) -> Vec<(&'static str, String)> {
        let fields = [
            ("job_id", self.job.map(|id| id.to_string())),
            ("status", self.status.map(|status| status.word().to_owned())),
            (
                "trigger",
                self.trigger.map(|trigger| trigger.word().to_owned()),
            ),
            ("from", self.from.map(|from| from.to_string())),
            ("to", self.to.map(|to| to.to_string())),
        ];
        fields
            .into_iter()
            .filter_map(|(name, text)| Some((name, text?)))
            .collect()
    }
}

impl Client {
    /// The newest executions that fit, at most `most` of them, without their attempts.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn executions(
        &self,
        query: ExecutionQuery,
        most: usize,
    ) -> Result<Vec<Answer<Execution>>, ClientError> {
        self.list("/v1/executions", &query.filters(), Some(most))
            .await
    }

    /// One execution with its attempts.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn execution(&self, id: ExecutionId) -> Result<Answer<Execution>, ClientError> {
        self.get(&format!("/v1/executions/{id}")).await
    }

    /// One execution, if it is no longer as it was at `etag`.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn execution_since(
        &self,
        id: ExecutionId,
        etag: Option<&str>,
    ) -> Result<Option<Answer<Execution>>, ClientError> {
        let condition = etag.map(|tag| (IF_NONE_MATCH, tag));
        let reply = self
            .send(
                Method::GET,
                &format!("/v1/executions/{id}"),
                None,
                condition,
            )
            .await?;
        if reply.status == 304 {
            Ok(None)
        } else {
            answer::read(reply).map(Some)
        }
    }

    /// Does it once more, as its job is now.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn replay(&self, id: ExecutionId) -> Result<Answer<Execution>, ClientError> {
        self.post(&format!("/v1/executions/{id}/replay"), None)
            .await
    }

    /// Stops it.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn cancel(&self, id: ExecutionId) -> Result<Answer<Execution>, ClientError> {
        self.post(&format!("/v1/executions/{id}/cancel"), None)
            .await
    }
}
