//! The OpenAPI document, made of the handlers' and the types' own descriptions.

use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::handlers::{
    approvals, audit, egress, environments, executions, invitations, jobs, me, members, pairings,
    scan, secrets, tokens, workspaces,
};

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut Document) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Padclock", description = "Scheduled requests whose credentials are kept sealed."),
    modifiers(&Bearer),
    security(("token" = [])),
    paths(
        secrets::create, secrets::list, secrets::get, secrets::replace, secrets::patch, secrets::delete,
        secrets::reveal::value, secrets::versions::list, secrets::versions::roll_back, secrets::versions::retire, secrets::usage::usage,
        jobs::create, jobs::list, jobs::get, jobs::edit::patch, jobs::delete, jobs::run_now, jobs::pause, jobs::resume, jobs::next, jobs::import::import,
        executions::list, executions::get, executions::replay, executions::cancel,
        me::whoami,
        egress::policy, egress::proposed,
        approvals::list, approvals::get, approvals::approve, approvals::reject,
        audit::list, audit::export,
        pairings::create, pairings::token,
        workspaces::list, workspaces::create, workspaces::get, workspaces::patch,
        members::list, members::create, members::get, members::patch, members::delete,
        invitations::list, invitations::create, invitations::delete,
        tokens::list, tokens::create, tokens::get, tokens::delete,
        environments::list, environments::create, environments::delete,
        scan::list, scan::history::search,
    ),
    components(schemas(padclock_api::ErrorCode))
)]
struct Api;

/// The whole document, OpenAPI 3.1.
#[must_use]
pub fn document() -> Document {
    Api::openapi()
}

#[cfg(test)]
mod tests {
    use super::document;

    #[test]
    fn it_is_openapi_3_1_and_shows_no_field_that_answers_a_value() {
        let json = serde_json::to_value(document()).unwrap();
        assert!(json["openapi"].as_str().unwrap().starts_with("3.1"));
        let secret = &json["components"]["schemas"]["Secret"]["properties"];
        assert!(
            secret.get("name").is_some() && secret.get("value").is_none(),
            "{secret}"
        );
        for route in crate::routes::native() {
            let method = route.method.to_lowercase();
            assert!(
                !route.path.starts_with("/v1/") || json["paths"][route.path].get(method).is_some(),
                "{route:?} is not in the document"
            );
        }
    }
}
