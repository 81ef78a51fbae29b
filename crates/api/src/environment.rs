//! Environments: named sets of values in a workspace.

use padclock_job::Moment;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /v1/environments`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentCreate {
    /// Its name: `[A-Za-z0-9._-]{1,128}`, not ending in a dot, and not `workspace`, which means all of them.
    pub name: String,
}

/// An environment as the caller sees it. `production` is always there; one that a secret or a job names is there as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// How many secrets that the caller may see are for it alone.
    pub secrets: u32,
    /// How many jobs see its secrets first.
    pub jobs: u32,
    /// When it was made; null: it is there because it is used.
    pub created_at: Option<Moment>,
}
