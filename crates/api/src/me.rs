//! Whom a token stands for, and what narrows it.

use padclock_job::Moment;
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

/// The token of a call, with what narrows it. A server that tells less of it leaves the rest out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnToken {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The permissions that it is narrowed to; null: all of its member's.
    #[serde(default)]
    pub permissions: Option<Vec<String>>,
    /// The one environment that it is for; null: all.
    #[serde(default)]
    pub environment: Option<String>,
    /// The ranges of addresses that it may be used from; null: any.
    #[serde(default)]
    pub cidrs: Option<Vec<String>>,
    /// When it ends; null: never.
    #[serde(default)]
    pub expires_at: Option<Moment>,
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
    pub token: OwnToken,
}
