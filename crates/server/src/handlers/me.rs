//! `/v1/whoami`: whom a token stands for.

use axum::Json;
use padclock_api::me::{Named, WhoAmI};

use crate::auth::{Caller, Read};

/// Whom the token stands for, and where.
#[utoipa::path(get, path = "/v1/whoami", tag = "access", responses((status = 200, body = WhoAmI)))]
pub(crate) async fn whoami(caller: Caller<Read>) -> Json<WhoAmI> {
    let identity = caller.identity;
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
        token: Named {
            id: identity.by.to_string(),
            name: identity.by_name,
        },
    })
}
