//! Approvals: what one admin asks for and another decides. No approval holds a value.

use padclock_job::Moment;
use padclock_vault::EgressPolicy;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::{ApprovalId, SecretId, UserId};

/// What an approval is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum ApprovalKind {
    /// A secret's egress policy.
    #[serde(rename = "secret.policy")]
    SecretPolicy,
}

/// How far an approval is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalState {
    /// It waits for a second admin.
    Pending,
    /// It was approved, and what it asked for is done.
    Approved,
    /// It was rejected.
    Rejected,
    /// Nobody decided in time.
    Expired,
}

impl ApprovalState {
    const ALL: [Self; 4] = [Self::Pending, Self::Approved, Self::Rejected, Self::Expired];

    /// The word on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
        }
    }

    /// The state with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyProposal {
    /// Where the secret shall be sent; null: anywhere.
    pub egress: Option<EgressPolicy>,
}

/// `POST /v1/secrets/:id/policy`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyRequest {
    /// Where the secret shall be sent; null: anywhere. It must be given.
    #[serde(deserialize_with = "given")]
    pub egress: Option<EgressPolicy>,
}

/// As an `Option` is read, but not when the field is absent.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<EgressPolicy>, D::Error> {
    Option::deserialize(deserializer)
}

/// Something that an admin asked for and another admin decides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Approval {
    /// Its id.
    pub id: ApprovalId,
    /// What it is about.
    pub kind: ApprovalKind,
    /// The secret.
    pub target: SecretId,
    /// The secret's name; null when it is gone.
    pub target_name: Option<String>,
    /// What is asked for.
    pub proposal: PolicyProposal,
    /// How far it is.
    pub state: ApprovalState,
    /// Who asked.
    pub created_by: UserId,
    /// When.
    pub created_at: Moment,
    /// Until when it can be decided.
    pub expires_at: Moment,
    /// Who decided; null as long as nobody has.
    pub decided_by: Option<UserId>,
    /// When.
    pub decided_at: Option<Moment>,
}
