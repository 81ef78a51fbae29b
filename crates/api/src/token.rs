//! API tokens as they are asked for and answered. What lets one in is answered once, by the call that makes it.

use padclock_job::Moment;
use padclock_vault::Value;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::me::Named;
use crate::secret::SubmittedValue;
use crate::{TokenId, UserId};

/// `POST /v1/tokens`. What is left out is as wide as it is for the caller's own credential; nothing can be wider.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenCreate {
    /// What it is called: 1 to 64 characters, no control characters.
    pub name: String,
    /// The permissions that it is narrowed to, such as `read` or `secrets:write`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
    /// The one environment that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The ranges of addresses that it may be used from, such as `10.0.0.0/8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cidrs: Option<Vec<String>>,
    /// Seconds until it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
    /// When it ends, instead of `expires_in`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Moment>,
    /// The service member that it is for; none: the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_user: Option<UserId>,
}

/// What is known of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// Its id.
    pub id: TokenId,
    /// What it is called.
    pub name: String,
    /// The member whose it is.
    pub user: Named,
    /// The permissions that it is narrowed to; null: all of its member's.
    pub permissions: Option<Vec<String>>,
    /// The one environment that it is for; null: all.
    pub environment: Option<String>,
    /// The ranges of addresses that it may be used from; null: any.
    pub cidrs: Option<Vec<String>>,
    /// When it was made.
    pub created_at: Moment,
    /// When it ends; null: never.
    pub expires_at: Option<Moment>,
    /// When it was last used, to the minute; null: never.
    pub last_used_at: Option<Moment>,
}

/// Text that lets someone in, as read from the one answer that holds it. It can be neither printed nor written.
#[derive(Debug)]
pub struct Issued(pub Value);

impl<'de> Deserialize<'de> for Issued {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        SubmittedValue::deserialize(deserializer).map(|value| Self(value.0))
    }
}

impl utoipa::PartialSchema for Issued {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .read_only(true)
            .description(Some("Answered this once: it is kept as a keyed hash."))
            .build()
            .into()
    }
}
impl ToSchema for Issued {}

/// The answer to `POST /v1/tokens`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct TokenMade {
    /// What is known of it.
    #[serde(flatten)]
    pub known: Token,
    /// The token.
    pub token: Issued,
}
