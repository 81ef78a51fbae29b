//! Members: who is in a workspace, and what each may do there.

use padclock_job::Moment;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::UserId;

/// What a member may do in a workspace, from least to most (the security contract, "Who may do what").
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads metadata, jobs and executions; has secrets of their own.
    Viewer,
    /// Writes jobs and secrets as well.
    Editor,
    /// Looks after people, tokens and policies as well.
    Admin,
    /// May do everything.
    Owner,
}

impl Role {
    /// All of them, from least to most.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Editor, Self::Admin, Self::Owner];

    /// The role with this name.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }

    /// Its name, on the wire and as stored.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }
}

/// `POST /v1/members`: a service member, which holds tokens only. A person is invited instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberCreate {
    /// What it is called: 1 to 64 characters, no control characters.
    pub name: String,
    /// `admin`, `editor` or `viewer`: a machine owns no workspace.
    pub role: Role,
}

/// `PATCH /v1/members/:user_id`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberPatch {
    /// The new role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The permissions beyond the role's from now on: none, or `secrets:reveal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grants: Option<Vec<String>>,
}

/// A member as answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Member {
    /// The user.
    pub user_id: UserId,
    /// What they are called.
    pub name: String,
    /// Where an invitation reached them; null: they hold tokens only.
    pub email: Option<String>,
    /// Whether it is a machine.
    pub service: bool,
    /// What they may do.
    pub role: Role,
    /// Permissions beyond the role's.
    pub grants: Vec<String>,
    /// Since when they are a member.
    pub created_at: Moment,
}
