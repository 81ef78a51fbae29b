//! The typed client of the native API (feature `client`): one method per call, in a file per resource.
//!
//! Nothing here prints, logs or asks a person. The token and values stay in `Value`; `disclose` is the one file that
//! reads their bytes.

mod address;
mod answer;
mod approvals;
mod audit;
mod disclose;
mod environments;
mod executions;
mod failure;
mod invitations;
mod jobs;
mod members;
mod pages;
mod pairings;
mod scan;
mod secrets;
mod tokens;
mod transport;
mod workspaces;

pub use address::{BadUrl, BaseUrl};
pub use answer::Answer;
pub use audit::AuditQuery;
pub use disclose::Made;
pub use executions::ExecutionQuery;
pub use failure::ClientError;
pub use jobs::{DryRun, Job};
pub use secrets::{NewSecret, SecretChange};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method};
use padclock_vault::Value;
use serde::de::DeserializeOwned;

use transport::{Call, Reply, Transport};

/// A connection to one server as one token's holder.
///
/// Redirects are not followed: a token goes to the server that was named and to no other.
pub struct Client {
    base: BaseUrl,
    token: Option<HeaderValue>,
    transport: Transport,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client for the server at `base`, with this API token. Nothing is sent yet.
    ///
    /// # Errors
    /// [`ClientError::BadToken`] when the token has characters that no token has, [`ClientError::Tls`] when the
    /// system's certificates can't be read.
    pub fn new(base: BaseUrl, token: &Value) -> Result<Self, ClientError> {
        let token = disclose::bearer(token)?;
        Ok(Self {
            token: Some(token),
            ..Self::anonymous(base)?
        })
    }

    /// A client without a token, for the calls by which one is come by.
    ///
    /// # Errors
    /// [`ClientError::Tls`] when the system's certificates can't be read.
    pub fn anonymous(base: BaseUrl) -> Result<Self, ClientError> {
        let transport = Transport::new(base.is_tls())?;
        Ok(Self {
            base,
            token: None,
            transport,
        })
    }

    /// Where it sends to.
    #[must_use]
    pub fn base(&self) -> &BaseUrl {
        &self.base
    }

    /// Sends one call and gives the answer if it is a success.
    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
        condition: Option<(HeaderName, &str)>,
    ) -> Result<Reply, ClientError> {
        let call = self.call(method, path, body, condition)?;
        let reply = self.transport.perform(call, &self.base).await?;
        answer::success(reply)
    }

    fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
        condition: Option<(HeaderName, &str)>,
    ) -> Result<Call, ClientError> {
        let token = self.token.clone();
        let mut headers: Vec<_> = token
            .map(|token| (AUTHORIZATION, token))
            .into_iter()
            .collect();
        if body.is_some() {
            headers.push((CONTENT_TYPE, HeaderValue::from_static("application/json")));
        }
        if let Some((name, tag)) = condition {
            let tag = HeaderValue::from_str(tag).map_err(|_| ClientError::Unreadable("an ETag"))?;
            headers.push((name, tag));
        }
        Ok(Call {
            method,
            uri: self.base.join(path)?,
            headers,
            body: body.unwrap_or_default(),
        })
    }

    /// Who the token's holder is, and where.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn whoami(&self) -> Result<Answer<crate::me::WhoAmI>, ClientError> {
        self.get("/v1/whoami").await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<Answer<T>, ClientError> {
        self.send(Method::GET, path, None, None)
            .await
            .and_then(answer::read)
    }

    async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<Answer<T>, ClientError> {
        self.send(Method::POST, path, body, None)
            .await
            .and_then(answer::read)
    }

    async fn delete(&self, path: &str) -> Result<(), ClientError> {
        self.send(Method::DELETE, path, None, None).await.map(drop)
    }
}

/// A body without a secret's value.
fn json(body: &impl serde::Serialize) -> Result<Option<Bytes>, ClientError> {
    let bytes = serde_json::to_vec(body).map_err(|_| ClientError::Unwritable)?;
    Ok(Some(bytes.into()))
}

#[cfg(test)]
mod tests;
