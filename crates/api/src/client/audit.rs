//! Calls about the audit.

use bytes::Bytes;
use http::Method;
use padclock_job::Moment;

use super::{Answer, Client, ClientError};
use crate::audit::AuditRecord;

/// Which records a list shall have; `None` leaves a field open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// Of this actor: a user's or token's id, a node's name, an address.
    pub actor: Option<String>,
    /// Of this action; one that ends with a dot fits all that begin so.
    pub action: Option<String>,
    /// About this.
    pub target: Option<String>,
    /// Written at or after.
    pub from: Option<Moment>,
    /// Written before.
    pub to: Option<Moment>,
}

impl AuditQuery {
    fn filters(self) -> Vec<(&'static str, String)> {
        let fields = [
            ("actor", self.actor),
            ("action", self.action),
            ("target", self.target),
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
    /// The newest records that fit, at most `most` of them.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn audit(
        &self,
        query: AuditQuery,
        most: usize,
    ) -> Result<Vec<Answer<AuditRecord>>, ClientError> {
        self.list("/v1/audit", &query.filters(), Some(most)).await
    }

    /// The whole chain, as JSON lines, handed on piece by piece as it comes.
    ///
    /// # Errors
    /// As each call, and [`ClientError::Broken`] when it ends before its end; `take`'s own failure ends it too.
    pub async fn export_audit<E: From<ClientError>>(
        &self,
        take: impl FnMut(Bytes) -> Result<(), E>,
    ) -> Result<(), E> {
        let call = self.call(Method::GET, "/v1/audit/export", None, None)?;
        self.transport.stream(call, &self.base, take).await
    }
}
