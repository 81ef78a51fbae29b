//! Invitations: links that work once and make their user a member.

use padclock_job::Moment;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::LinkId;
use crate::member::Role;
use crate::token::Issued;

/// `POST /v1/invitations`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationCreate {
    /// Whom it is for: only this address may accept it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The role that accepting it gives.
    pub role: Role,
    /// Seconds until it ends: 604,800 (7 days) when missing, at most 2,592,000 (30 days).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
}

/// An invitation that nobody has accepted yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Invitation {
    /// Its id.
    pub id: LinkId,
    /// The role that accepting it gives.
    pub role: Role,
    /// Whom it is for; null: whoever has the link.
    pub email: Option<String>,
    /// When it was made.
    pub created_at: Moment,
    /// When it ends.
    pub expires_at: Moment,
}

/// The answer to `POST /v1/invitations`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct InvitationMade {
    /// What is known of it.
    #[serde(flatten)]
    pub known: Invitation,
    /// The link to hand on.
    pub url: Issued,
}
