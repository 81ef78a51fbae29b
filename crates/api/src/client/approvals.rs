//! Calls about egress policies: what jobs need, what an admin asks for, and what another decides.

use http::Method;
use http::header::IF_MATCH;
use padclock_vault::{EgressPolicy, Value};
use serde::Serialize;

use super::{Answer, Client, ClientError, answer, disclose, json};
use crate::approval::{Approval, PolicyProposal};
use crate::secret::{ProposedPolicy, Secret};
use crate::{ApprovalId, SecretId};

#[derive(Serialize)]
struct Binding<'p> {
    egress: Option<&'p EgressPolicy>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    unmaskable: bool,
}

impl Client {
    /// The secrets whose new value is due.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn due_secrets(&self) -> Result<Vec<Answer<Secret>>, ClientError> {
        self.list("/v1/secrets", &[("due", "true".to_owned())], None)
            .await
    }

    /// The policy that a secret's present jobs need.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn proposed_policy(
        &self,
        id: SecretId,
    ) -> Result<Answer<ProposedPolicy>, ClientError> {
        self.get(&format!("/v1/secrets/{id}/proposed-policy")).await
    }

    /// Gives a secret a new value that may be sent where `egress` says (`None`: anywhere), if it is still at `etag`.
    ///
    /// # Errors
    /// [`ClientError::NotText`] when the value is not UTF-8, and as each call.
    pub async fn bind_secret(
        &self,
        id: SecretId,
        value: &Value,
        egress: Option<&EgressPolicy>,
        (unmaskable, etag): (bool, Option<&str>),
    ) -> Result<Answer<Secret>, ClientError> {
        let body = disclose::with_value(&Binding { egress, unmaskable }, value)?;
        let condition = etag.map(|tag| (IF_MATCH, tag));
        self.send(Method::PUT, &format!("/v1/secrets/{id}"), body, condition)
            .await
            .and_then(answer::read)
    }

    /// Asks for another policy of a secret; a second admin decides.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn request_policy(
        &self,
        id: SecretId,
        egress: Option<EgressPolicy>,
    ) -> Result<Answer<Approval>, ClientError> {
        let body = json(&PolicyProposal { egress })?;
        self.post(&format!("/v1/secrets/{id}/policy"), body).await
    }

    /// All approvals, or those of one state.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn approvals(
        &self,
        state: Option<&str>,
    ) -> Result<Vec<Answer<Approval>>, ClientError> {
        let of: Vec<(&str, String)> = state
            .map(|word| ("state", word.to_owned()))
            .into_iter()
            .collect();
        self.list("/v1/approvals", &of, None).await
    }

    /// Approves what another admin asked for.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn approve(&self, id: ApprovalId) -> Result<Answer<Approval>, ClientError> {
        self.post(&format!("/v1/approvals/{id}/approve"), None)
            .await
    }

    /// Rejects what was asked for, or takes it back.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn reject(&self, id: ApprovalId) -> Result<Answer<Approval>, ClientError> {
        self.post(&format!("/v1/approvals/{id}/reject"), None).await
    }
}
