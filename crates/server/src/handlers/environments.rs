//! `/v1/environments`: named sets of values.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use padclock_api::environment::{Environment, EnvironmentCreate};
use padclock_api::secret::ALL_ENVIRONMENTS;
use padclock_api::{ErrorEnvelope, Page};
use padclock_store::EnvironmentsOf;

use super::{page, reserve};
use crate::auth::{Caller, ManageWorkspace, Read};
use crate::failure::{Answer, Failure, stored};
use crate::input::{Body, Paging, Params};
use crate::state::App;

/// The longest name, in characters.
const MAX_NAME: usize = 128;

/// Refuses what is no environment's name.
pub(super) fn check_name(field: &str, name: &str) -> Answer<()> {
    let pattern = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if name.is_empty() || name.len() > MAX_NAME || !pattern || name.ends_with('.') {
        let message = format!(
            "must be 1 to {MAX_NAME} of the characters A-Z a-z 0-9 . _ - and not end in a dot"
        );
        return Err(Failure::field(field, "bad_name", message));
    }
    if name == ALL_ENVIRONMENTS {
        let message = "must not be workspace: that means every environment";
        return Err(Failure::field(field, "bad_name", message));
    }
    Ok(())
}

/// Lists environments, by name.
#[utoipa::path(get, path = "/v1/environments", tag = "environments",
    params(("limit" = Option<u32>, Query,), ("cursor" = Option<String>, Query,)),
    responses((status = 200, body = Page<Environment>)))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller<Read>,
    Params(paging): Params<Paging>,
) -> Answer<Response> {
    let limit = paging.limit()?;
    let after = paging.cursor.unwrap_or_default();
    if !after.is_empty() && check_name("cursor", &after).is_err() {
        let message = "must be a next_cursor of this list";
        return Err(Failure::field("cursor", "bad_cursor", message));
    }
    let of = EnvironmentsOf {
        caller: caller.user(),
        only: caller.environment().map(str::to_owned),
        after,
        limit,
    };
    let found = app
        .store
        .list_environments(caller.workspace(), of)
        .await
        .map_err(stored("environment"))?;
    Ok(page("/v1/environments", found, limit, |environment| {
        environment.name.clone()
    }))
}

/// Makes an environment, so that it is there before anything is in it.
#[utoipa::path(post, path = "/v1/environments", tag = "environments", request_body = EnvironmentCreate,
    responses((status = 201, body = Environment), (status = 400, body = ErrorEnvelope), (status = 409, body = ErrorEnvelope)))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller<ManageWorkspace>,
    headers: HeaderMap,
    body: Body<EnvironmentCreate>,
) -> Answer<Response> {
    let name = body.value.name;
    check_name("name", &name)?;
    let call = ("/v1/environments", &body.raw[..]);
    let (_, repeated) = reserve(&app, &caller, &headers, call, [0; 16]).await?;
    if repeated && let Some(found) = one(&app, &caller, &name).await? {
        return Ok((StatusCode::CREATED, Json(found)).into_response());
    }
    let made = app
        .store
        .create_environment(caller.workspace(), name, caller.actor())
        .await
        .map_err(stored("environment"))?;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

async fn one<P>(app: &App, caller: &Caller<P>, name: &str) -> Answer<Option<Environment>> {
    let of = EnvironmentsOf {
        caller: caller.user(),
        only: Some(name.to_owned()),
        after: String::new(),
        limit: 1,
    };
    let found = app.store.list_environments(caller.workspace(), of).await;
    Ok(found.map_err(stored("environment"))?.pop())
}

/// Removes an environment that no secret, job or token is of.
#[utoipa::path(delete, path = "/v1/environments/{name}", tag = "environments", params(("name" = String, Path,)),
    responses((status = 204), (status = 404, body = ErrorEnvelope), (status = 409, body = ErrorEnvelope)))]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller<ManageWorkspace>,
    Path(name): Path<String>,
) -> Answer<StatusCode> {
    app.store
        .delete_environment(caller.workspace(), name, caller.actor())
        .await
        .map_err(stored("environment"))?;
    Ok(StatusCode::NO_CONTENT)
}
