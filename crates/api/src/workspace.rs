//! Workspaces as they are posted and answered, and what a workspace asks of its secrets and jobs.

use padclock_job::{Moment, OnUnresolved};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::WorkspaceId;
use crate::member::Role;
use crate::token::Issued;

/// What a workspace asks of its secrets and jobs. A setting that is missing has its default: nothing is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WorkspaceSettings {
    /// Whether a secret without an egress policy is refused (the security contract, "Egress").
    pub require_egress_policy: bool,
    /// Whether a definition that holds what looks like a credential in plain text is refused.
    pub refuse_plaintext_secrets: bool,
    /// What happens to a `secret://name` that names no secret: `fail` holds for every job of the workspace.
    pub on_unresolved: OnUnresolved,
}

impl WorkspaceSettings {
    /// From what is stored. Settings that this binary can't read, such as those of a newer one, ask for everything.
    #[must_use]
    pub fn of_stored(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or(Self {
            require_egress_policy: true,
            refuse_plaintext_secrets: true,
            on_unresolved: OnUnresolved::Fail,
        })
    }
}

/// Which settings shall be what from now on; those that are missing stay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingsPatch {
    /// As in [`WorkspaceSettings`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require_egress_policy: Option<bool>,
    /// As in [`WorkspaceSettings`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refuse_plaintext_secrets: Option<bool>,
    /// As in [`WorkspaceSettings`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_unresolved: Option<OnUnresolved>,
}

impl SettingsPatch {
    /// The settings with these changes.
    #[must_use]
    pub fn applied_to(self, settings: WorkspaceSettings) -> WorkspaceSettings {
        WorkspaceSettings {
            require_egress_policy: self
                .require_egress_policy
                .unwrap_or(settings.require_egress_policy),
            refuse_plaintext_secrets: self
                .refuse_plaintext_secrets
                .unwrap_or(settings.refuse_plaintext_secrets),
            on_unresolved: self.on_unresolved.unwrap_or(settings.on_unresolved),
        }
    }
}

/// `POST /v1/workspaces`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkspaceCreate {
    /// Its name, which no other workspace has: 1 to 64 characters, no control characters.
    pub name: String,
    /// What it asks of its secrets and jobs.
    #[serde(default)]
    pub settings: WorkspaceSettings,
    /// Makes an API token of this name in the new workspace, which is answered once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_name: Option<String>,
}

/// `PATCH /v1/workspaces/:id`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkspacePatch {
    /// Its new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The settings that change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<SettingsPatch>,
}

/// A workspace as one of its members sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Workspace {
    /// Its id.
    pub id: WorkspaceId,
    /// Its name.
    pub name: String,
    /// The caller's role in it.
    pub role: Role,
    /// What it asks of its secrets and jobs.
    pub settings: WorkspaceSettings,
    /// When it was made.
    pub created_at: Moment,
}

/// The answer to `POST /v1/workspaces`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct WorkspaceMade {
    /// What is known of it.
    #[serde(flatten)]
    pub known: Workspace,
    /// The token that `token_name` asked for.
    #[serde(default)]
    pub token: Option<Issued>,
}
