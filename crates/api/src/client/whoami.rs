//! Who the server takes the token's holder for.

use serde::Deserialize;

use super::{Answer, Client, ClientError};

/// Something with an id and a name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Named {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// `GET /v1/whoami`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Whoami {
    /// The workspace that the token is for.
    pub workspace: Named,
    /// Whose token it is.
    pub user: Named,
    /// `owner`, `admin`, `editor` or `viewer`.
    pub role: String,
    /// The token's record.
    pub token: Named,
}

impl Client {
    /// Who the token's holder is, and where.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn whoami(&self) -> Result<Answer<Whoami>, ClientError> {
        self.get("/v1/whoami").await
    }
}
