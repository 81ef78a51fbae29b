//! `/v1/whoami`: whom a token stands for.

use axum::Json;
use padclock_api::me::{Named, WhoAmI};

use crate::auth::{Caller, Read};

/// Whom the token stands for, and where.
#[utoipa::path(get, path = "/v1/whoami", tag = "access", responses((status = 200, body = WhoAmI)))]
pub(crate) async fn whoami(caller: Caller<Read>) -> Json<WhoAmI> {
    let token = caller.token;
    Json(WhoAmI {
        workspace: Named {
            id: token.workspace.to_string(),
            name: token.workspace_name,
        },
        user: Named {
            id: token.user.to_string(),
            name: token.user_name,
        },
        role: token.role,
        token: Named {
            id: token.id.to_string(),
            name: token.name,
        },
    })
}
