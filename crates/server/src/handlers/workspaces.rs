//! `/v1/workspaces`: those of the caller, and what each asks of its secrets and jobs.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use padclock_api::ids::WorkspaceKind;
use padclock_api::workspace::{Workspace, WorkspaceCreate, WorkspaceMade, WorkspacePatch};
use padclock_api::{ErrorCode, ErrorEnvelope, Page, WorkspaceId};
use padclock_store::{NewToken, NewWorkspace};
use padclock_vault::{Label, Value, token};

use super::{check_label, page, put, reserve};
use crate::auth::{Caller, ManageWorkspace, Read};
use crate::disclose::{self, Issued};
use crate::failure::{Answer, Failure, stored};
use crate::input::{Body, Paging, Params, PathId, cursor};
use crate::random;
use crate::state::App;

/// Lists the workspaces that the caller is a member of; a narrowed token sees its own alone.
#[utoipa::path(get, path = "/v1/workspaces", tag = "workspaces",
    params(("limit" = Option<u32>, Query,), ("cursor" = Option<String>, Query,)),
    responses((status = 200, body = Page<Workspace>)))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller<Read>,
    Params(paging): Params<Paging>,
) -> Answer<Response> {
    let (limit, after) = (paging.limit()?, cursor(paging.cursor.as_deref())?);
    let mut found = app
        .store
        .list_workspaces(caller.user(), after, limit)
        .await
        .map_err(stored("workspace"))?;
    if caller.identity.is_narrowed() {
        found = match after {
            Some(_) => Vec::new(),
            None => vec![one(&app, &caller, caller.workspace()).await?],
        };
        return Ok(Json(Page {
            items: found,
            next_cursor: None,
        })
        .into_response());
    }
    Ok(page("/v1/workspaces", found, limit, |workspace| {
        workspace.id.to_string()
    }))
}

async fn one<P>(app: &App, caller: &Caller<P>, id: WorkspaceId) -> Answer<Workspace> {
    if caller.identity.is_narrowed() && id != caller.workspace() {
        return Err(Failure::not_found("workspace"));
    }
    app.store
        .get_workspace(id, caller.user())
        .await
        .map_err(stored("workspace"))
}

/// Makes a workspace whose owner is the caller. It takes an admin: a workspace's jobs run on this server.
#[utoipa::path(post, path = "/v1/workspaces", tag = "workspaces", request_body = WorkspaceCreate,
    responses((status = 201, body = WorkspaceMade), (status = 400, body = ErrorEnvelope), (status = 409, body = ErrorEnvelope)))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller<ManageWorkspace>,
    headers: HeaderMap,
    body: Body<WorkspaceCreate>,
) -> Answer<Response> {
    let WorkspaceCreate {
        name,
        settings,
        token_name,
    } = body.value;
    check_label("name", &name)?;
    token_name
        .as_deref()
        .map_or(Ok(()), |name| check_label("token_name", name))?;
    refuse_narrowed_and_machines(&app, &caller).await?;
    let fresh: WorkspaceId = random::id(random::wall_clock());
    let call = ("/v1/workspaces", &body.raw[..]);
    let (id, repeated) = reserve(&app, &caller, &headers, call, *fresh.bytes()).await?;
    let id = WorkspaceId::from_bytes(id);
    if repeated && let Ok(found) = app.store.get_workspace(id, caller.user()).await {
        super::refuse_showing_again(token_name.is_some())?;
        return created(&found, None);
    }
    let mut issued = None;
    let token = token_name.map(|name| {
        let keyring = app.keyrings.now();
        let key = keyring.derived(Label::TokenLookup);
        let (text, lookup) = token::issue(key, &mut random::System::default());
        issued = Some(text);
        NewToken {
            id: random::id(random::wall_clock()),
            lookup,
            name,
        }
    });
    let new = NewWorkspace {
        id,
        name,
        settings,
        owner: caller.user(),
        token,
    };
    let made = app
        .store
        .create_workspace(new, caller.actor())
        .await
        .map_err(stored("workspace"))?;
    created(&made, issued.as_ref())
}

/// A narrowed token would make something wide, and a machine owns no workspace.
async fn refuse_narrowed_and_machines(app: &App, caller: &Caller<ManageWorkspace>) -> Answer<()> {
    let refused = |why: &str| Err(Failure::new(ErrorCode::Forbidden, why));
    if caller.identity.is_narrowed() {
        return refused("a narrowed token can't make a workspace: its maker owns all of it");
    }
    let member = app
        .store
        .get_member(caller.workspace(), caller.user())
        .await;
    if member.map_err(stored("member"))?.service {
        return refused("a service member can't make a workspace: its maker is its owner");
    }
    Ok(())
}

fn created(workspace: &Workspace, token: Option<&Value>) -> Answer<Response> {
    let mut response = match token {
        Some(value) => {
            let issued = Issued {
                field: "token",
                before: "",
                value,
            };
            disclose::issued(StatusCode::CREATED, workspace, &issued)?
        }
        None => (StatusCode::CREATED, Json(workspace)).into_response(),
    };
    let location = format!("/v1/workspaces/{}", workspace.id);
    put(&mut response, header::LOCATION, &location);
    Ok(response)
}

/// One of the caller's workspaces.
#[utoipa::path(get, path = "/v1/workspaces/{id}", tag = "workspaces", params(("id" = String, Path,)),
    responses((status = 200, body = Workspace), (status = 404, body = ErrorEnvelope)))]
pub(crate) async fn get(
    State(app): State<App>,
    caller: Caller<Read>,
    PathId(id): PathId<WorkspaceKind>,
) -> Answer<Json<Workspace>> {
    one(&app, &caller, id).await.map(Json)
}

/// Changes a workspace's name and settings, by a credential of that very workspace.
#[utoipa::path(patch, path = "/v1/workspaces/{id}", tag = "workspaces", params(("id" = String, Path,)), request_body = WorkspacePatch,
    responses((status = 200, body = Workspace), (status = 403, body = ErrorEnvelope), (status = 404, body = ErrorEnvelope), (status = 409, body = ErrorEnvelope)))]
pub(crate) async fn patch(
    State(app): State<App>,
    caller: Caller<ManageWorkspace>,
    PathId(id): PathId<WorkspaceKind>,
    body: Body<WorkspacePatch>,
) -> Answer<Json<Workspace>> {
    one(&app, &caller, id).await?;
    if id != caller.workspace() {
        return Err(Failure::new(
            ErrorCode::Forbidden,
            "a workspace is changed by a token of its own; this one is of another",
        ));
    }
    let WorkspacePatch { name, settings } = body.value;
    name.as_deref()
        .map_or(Ok(()), |name| check_label("name", name))?;
    let change = (name, settings.unwrap_or_default());
    app.store
        .change_workspace(id, change, caller.user(), caller.actor())
        .await
        .map(Json)
        .map_err(stored("workspace"))
}
