//! How a command line comes to a token: it asks, shows a code, and somebody who is signed in confirms it in the browser.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::PairingId;

/// How long a token that was made by pairing lasts, in days.
pub const TOKEN_DAYS: u32 = 90;

/// `POST /v1/pairings`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PairingCreate {
    /// What the command line calls itself, shown to the person who confirms; the token is called so.
    pub name: String,
}

/// A pairing that waits to be confirmed.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct PairingMade {
    /// Its id.
    pub id: PairingId,
    /// What the person compares, and types where the link can't be opened.
    pub code: String,
    /// Where they confirm it.
    pub verify_url: String,
    /// What the command line fetches the token with: `POST /v1/pairings/token`, as the bearer.
    pub key: String,
    /// Seconds until the code ends.
    pub expires_in: u32,
    /// Seconds to wait between two questions.
    pub interval: u32,
}

impl std::fmt::Debug for PairingMade {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PairingMade")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
