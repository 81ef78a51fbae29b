//! `/v1/members`: who is in the workspace, with which role. The rules about owners stand in the store.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use padclock_api::ids::UserKind;
use padclock_api::member::{Member, MemberCreate, MemberPatch};
use padclock_api::{ErrorEnvelope, Page, UserId};
use padclock_store::{MemberChange, NewMember};

use super::{check_label, page, put, reserve};
use crate::auth::{Caller, ManageMembers, Role, grantable};
use crate::failure::{Answer, Failure, stored};
use crate::input::{Body, Paging, Params, PathId, cursor};
use crate::random;
use crate::state::App;

/// Lists the members.
#[utoipa::path(get, path = "/v1/members", tag = "members",
    params(("limit" = Option<u32>, Query,), ("cursor" = Option<String>, Query,)),
    responses((status = 200, body = Page<Member>)))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller<ManageMembers>,
    Params(paging): Params<Paging>,
) -> Answer<Response> {
    let (limit, after) = (paging.limit()?, cursor(paging.cursor.as_deref())?);
    let found = app
        .store
        .list_members(caller.workspace(), after, limit)
        .await
        .map_err(stored("member"))?;
    Ok(page("/v1/members", found, limit, |member| {
        member.user_id.to_string()
    }))
}

/// One member.
#[utoipa::path(get, path = "/v1/members/{id}", tag = "members", params(("id" = String, Path,)),
    responses((status = 200, body = Member), (status = 404, body = ErrorEnvelope)))]
pub(crate) async fn get(
    State(app): State<App>,
    caller: Caller<ManageMembers>,
    PathId(id): PathId<UserKind>,
) -> Answer<Json<Member>> {
    let found = app.store.get_member(caller.workspace(), id).await;
    found.map(Json).map_err(stored("member"))
}

/// Makes a service member: a machine, which holds tokens only. A person is invited.
#[utoipa::path(post, path = "/v1/members", tag = "members", request_body = MemberCreate,
    responses((status = 201, body = Member), (status = 400, body = ErrorEnvelope)))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller<ManageMembers>,
    headers: HeaderMap,
    body: Body<MemberCreate>,
) -> Answer<Response> {
    let MemberCreate { name, role } = body.value;
    check_label("name", &name)?;
    if role == Role::Owner {
        let message = "must be admin, editor or viewer: a machine owns no workspace";
        return Err(Failure::field("role", "bad_role", message));
    }
    caller.identity.may_give(role)?;
    let fresh: UserId = random::id(random::wall_clock());
    let call = ("/v1/members", &body.raw[..]);
    let (id, repeated) = reserve(&app, &caller, &headers, call, *fresh.bytes()).await?;
    let user = UserId::from_bytes(id);
    if repeated && let Ok(found) = app.store.get_member(caller.workspace(), user).await {
        return Ok(created(&found));
    }
    let made = app
        .store
        .create_service_member(
            caller.workspace(),
            NewMember { user, name, role },
            caller.by(),
        )
        .await
        .map_err(stored("member"))?;
    Ok(created(&made))
}

fn created(member: &Member) -> Response {
    let mut response = (StatusCode::CREATED, Json(member)).into_response();
    let location = format!("/v1/members/{}", member.user_id);
    put(&mut response, header::LOCATION, &location);
    response
}

/// Changes a member's role and grants.
#[utoipa::path(patch, path = "/v1/members/{id}", tag = "members", params(("id" = String, Path,)), request_body = MemberPatch,
    responses((status = 200, body = Member), (status = 403, body = ErrorEnvelope), (status = 404, body = ErrorEnvelope), (status = 409, body = ErrorEnvelope)))]
pub(crate) async fn patch(
    State(app): State<App>,
    caller: Caller<ManageMembers>,
    PathId(id): PathId<UserKind>,
    body: Body<MemberPatch>,
) -> Answer<Json<Member>> {
    let MemberPatch { role, grants } = body.value;
    role.map_or(Ok(()), |role| caller.identity.may_give(role))?;
    let grants = grants.map(checked_grants).transpose()?;
    app.store
        .change_member(
            caller.workspace(),
            id,
            MemberChange { role, grants },
            caller.by(),
        )
        .await
        .map(Json)
        .map_err(stored("member"))
}

fn checked_grants(mut words: Vec<String>) -> Answer<String> {
    if let Some(at) = words
        .iter()
        .position(|word| grantable().all(|known| known != word))
    {
        let known: Vec<&str> = grantable().collect();
        let message = format!("can't be granted; what can: {}", known.join(", "));
        return Err(Failure::field(
            &format!("grants[{at}]"),
            "bad_grant",
            message,
        ));
    }
    words.sort_unstable();
    words.dedup();
    Ok(words.join(" "))
}

/// Removes a member, with their tokens, sessions and own secrets. Their jobs stay.
#[utoipa::path(delete, path = "/v1/members/{id}", tag = "members", params(("id" = String, Path,)),
    responses((status = 204), (status = 403, body = ErrorEnvelope), (status = 404, body = ErrorEnvelope), (status = 409, body = ErrorEnvelope)))]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller<ManageMembers>,
    PathId(id): PathId<UserKind>,
) -> Answer<StatusCode> {
    app.store
        .remove_member(caller.workspace(), id, caller.by())
        .await
        .map_err(stored("member"))?;
    Ok(StatusCode::NO_CONTENT)
}
