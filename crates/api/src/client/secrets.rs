//! Calls about secrets. A value goes in with `create_secret` and `replace_secret`; `reveal_secret` alone brings one back.

use http::Method;
use http::header::IF_MATCH;
use padclock_vault::{EgressPolicy, Value};
use serde::Serialize;

use super::{Answer, Client, ClientError, answer, disclose, json};
use crate::SecretId;
use crate::secret::{Reveal, Revealed, Scope, Secret, SecretUsage, SecretVersion};

/// A secret to be made, its value aside. What is `None` is left to the server.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct NewSecret {
    /// How templates name it.
    pub name: String,
    /// The environment it serves; absent: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where it may be sent; absent: anywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub egress: Option<EgressPolicy>,
    /// Seconds until it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u64>,
    /// Whether it can be read back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reveal: Option<Reveal>,
    /// Allows a value that is too short to be masked.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unmaskable: bool,
    /// After how many days a new value is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotate_every_days: Option<u32>,
}

/// What shall be known of a secret from now on; `Some(None)` removes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SecretChange {
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Option<String>>,
    /// After how many days a new value is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotate_every_days: Option<Option<u32>>,
}

#[derive(Serialize)]
struct Replacement {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    unmaskable: bool,
}

impl Client {
    /// All secrets that the token may see.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn secrets(&self) -> Result<Vec<Answer<Secret>>, ClientError> {
        self.list("/v1/secrets", &[], None).await
    }

    /// One secret.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn secret(&self, id: SecretId) -> Result<Answer<Secret>, ClientError> {
        self.get(&format!("/v1/secrets/{id}")).await
    }

    /// Makes a secret with this value.
    ///
    /// # Errors
    /// [`ClientError::NotText`] when the value is not UTF-8, and as each call.
    pub async fn create_secret(
        &self,
        new: &NewSecret,
        value: &Value,
    ) -> Result<Answer<Secret>, ClientError> {
        self.post("/v1/secrets", disclose::with_value(new, value)?)
            .await
    }

    /// Gives a secret a new value, if it is still at `etag`.
    ///
    /// # Errors
    /// [`ClientError::NotText`] when the value is not UTF-8, and as each call.
    pub async fn replace_secret(
        &self,
        id: SecretId,
        value: &Value,
        unmaskable: bool,
        etag: Option<&str>,
    ) -> Result<Answer<Secret>, ClientError> {
        let body = disclose::with_value(&Replacement { unmaskable }, value)?;
        let path = format!("/v1/secrets/{id}");
        let condition = etag.map(|tag| (IF_MATCH, tag));
        self.send(Method::PUT, &path, body, condition)
            .await
            .and_then(answer::read)
    }

    /// Changes what is known of a secret.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn change_secret(
        &self,
        id: SecretId,
        change: &SecretChange,
    ) -> Result<Answer<Secret>, ClientError> {
        let path = format!("/v1/secrets/{id}");
        self.send(Method::PATCH, &path, json(change)?, None)
            .await
            .and_then(answer::read)
    }

    /// The versions that are kept of a secret, newest first.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn secret_versions(
        &self,
        id: SecretId,
    ) -> Result<Vec<Answer<SecretVersion>>, ClientError> {
        let page: Answer<crate::Page<serde_json::Value>> =
            self.get(&format!("/v1/secrets/{id}/versions")).await?;
        page.it.items.into_iter().map(Answer::part).collect()
    }

    /// Makes the previous value the current one again, as a new version, if the secret is still at `etag`.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn roll_back_secret(
        &self,
        id: SecretId,
        etag: Option<&str>,
    ) -> Result<Answer<Secret>, ClientError> {
        self.act_on_secret(id, "rollback", etag).await
    }

    /// Removes the previous version for good, if the secret is still at `etag`.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn retire_previous(
        &self,
        id: SecretId,
        etag: Option<&str>,
    ) -> Result<Answer<Secret>, ClientError> {
        self.act_on_secret(id, "retire-previous", etag).await
    }

    async fn act_on_secret(
        &self,
        id: SecretId,
        what: &str,
        etag: Option<&str>,
    ) -> Result<Answer<Secret>, ClientError> {
        let path = format!("/v1/secrets/{id}/{what}");
        let condition = etag.map(|tag| (IF_MATCH, tag));
        self.send(Method::POST, &path, None, condition)
            .await
            .and_then(answer::read)
    }

    /// What uses a secret: every job that names it, over as many pages as it takes.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn secret_usage(&self, id: SecretId) -> Result<SecretUsage, ClientError> {
        let page = |cursor: Option<&str>| {
            let cursor = cursor.map(|cursor| format!("&cursor={cursor}"));
            let rest = cursor.unwrap_or_default();
            format!("/v1/secrets/{id}/usage?limit=100{rest}")
        };
        let mut usage: SecretUsage = self.get(&page(None)).await?.it;
        while let Some(cursor) = usage.next_cursor.take() {
            let next: SecretUsage = self.get(&page(Some(&cursor))).await?.it;
            usage.jobs.extend(next.jobs);
            // A cursor that stays where it is would go round for ever.
            usage.next_cursor = next.next_cursor.filter(|next| *next != cursor);
        }
        Ok(usage)
    }

    /// Deletes a secret, whether or not jobs name it.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn delete_secret(&self, id: SecretId) -> Result<(), ClientError> {
        self.delete(&format!("/v1/secrets/{id}")).await
    }

    /// Reads a secret's value back. The server records it before it answers; what came over the wire is wiped.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `forbidden` when the token may not, or the secret was made never to be read back; and as
    /// each call.
    pub async fn reveal_secret(&self, id: SecretId) -> Result<Revealed, ClientError> {
        let path = format!("/v1/secrets/{id}/value");
        let reply = self.send(Method::GET, &path, None, None).await?;
        disclose::revealed(reply.body)
    }
}
