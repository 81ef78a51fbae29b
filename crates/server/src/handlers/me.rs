//! `/v1/whoami`: whom a token stands for, and what narrows it.

use axum::Json;
use padclock_api::me::{Named, OwnToken, WhoAmI};

use crate::auth::{Caller, Read};

/// Whom the token stands for, where, and what narrows it.
#[utoipa::path(get, path = "/v1/whoami", tag = "access", responses((status = 200, body = WhoAmI)))]
pub(crate) async fn whoami(caller: Caller<Read>) -> Json<WhoAmI> {
    let identity = caller.identity;
    let words = |text: String| text.split_ascii_whitespace().map(str::to_owned).collect();
    Json(WhoAmI {
        workspace: Named {
            id: identity.workspace.to_string(),
            name: identity.workspace_name,
        },
        user: Named {
            id: identity.user.to_string(),
            name: identity.user_name,
        },
        role: identity.role.word().to_owned(),
        token: OwnToken {
            id: identity.by.to_string(),
            name: identity.by_name,
            permissions: identity.permissions.map(words),
            environment: identity.environment,
            cidrs: identity.cidrs.map(words),
            expires_at: identity.expires_at,
        },
    })
}
