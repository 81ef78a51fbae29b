//! Whom a token stands for.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Something with an id and a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Named {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// `GET /v1/whoami`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WhoAmI {
    /// The workspace that the token opens.
    pub workspace: Named,
    /// The member.
    pub user: Named,
    /// The member's role: `owner`, `admin`, `editor` or `viewer`.
    pub role: String,
    /// The token.
    pub token: Named,
}
