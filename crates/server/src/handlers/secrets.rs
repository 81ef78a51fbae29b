//! `/v1/secrets`: names and metadata out, values only in.

pub(crate) mod reveal;
pub(crate) mod usage;
pub(crate) mod versions;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use padclock_api::secret::{
    ALL_ENVIRONMENTS, Scope, Secret, SecretCreate, SecretPatch, SecretReplace,
};
use padclock_api::{ErrorDetail, ErrorEnvelope, Page, SecretId};
use padclock_store::{NewSecret, NewVersion, SecretRow, StoreError};
use padclock_vault::Value;
use serde::Deserialize;

use super::{check_text, egress, page, put, reserve, tagged};
use crate::auth::{Caller, OwnSecrets, Permission, Read, WriteSecrets};
use crate::failure::{Answer, Failure, detail, stored};
use crate::input::{Body, Params, PathId, cursor, if_match, page_size};
use crate::keys::{SealFor, seal};
use crate::random;
use crate::state::App;

/// The longest name, in characters.
const MAX_NAME: usize = 128;
/// The largest value, in bytes.
const MAX_VALUE: usize = 64 * 1024;
/// The shortest value that can be masked, and the shortest whose encodings can be.
const MASKABLE: usize = 4;
const WELL_MASKABLE: usize = 8;
/// The longest time to live, in seconds: a hundred years.
const MAX_TTL: u64 = 100 * 366 * 86_400;
const MAX_ROTATE_DAYS: u32 = 3_650;

fn check_name(field: &str, name: &str, details: &mut Vec<ErrorDetail>) {
    let pattern = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if name.is_empty() || name.len() > MAX_NAME || !pattern || name.ends_with('.') {
        let message = format!(
            "must be 1 to {MAX_NAME} of the characters A-Z a-z 0-9 . _ - and not end in a dot"
        );
        details.push(detail(field, "bad_name", message));
    }
}

fn check_value(value: &Value, unmaskable: bool, details: &mut Vec<ErrorDetail>) {
    let length = value.len();
    if length > MAX_VALUE {
        details.push(detail(
            "value",
            "value_too_long",
            format!("must be at most {MAX_VALUE} bytes; it has {length}"),
        ));
    } else if length == 0 {
        details.push(detail("value", "value_too_short", "must not be empty"));
    } else if length < MASKABLE && !unmaskable {
        let message = format!(
            "must be at least {MASKABLE} bytes, or it can't be masked; \"unmaskable\": true allows it"
        );
        details.push(detail("value", "value_too_short", message));
    }
}

fn check_create(new: &SecretCreate) -> Answer<()> {
    let mut details = Vec::new();
    check_name("name", &new.name, &mut details);
    check_value(&new.value.0, new.unmaskable, &mut details);
    if let Some(environment) = &new.environment {
        check_name("environment", environment, &mut details);
    }
    check_ttl(new.ttl, &mut details);
    check_rotation(new.rotate_every_days, &mut details);
    egress::check(new.egress.as_ref(), &mut details);
    if let Err(failure) = check_text("description", new.description.as_deref(), 4_096) {
        details.extend(failure.body("").details);
    }
    if details.is_empty() {
        Ok(())
    } else {
        Err(Failure::invalid(details))
    }
}

fn check_ttl(ttl: Option<u64>, details: &mut Vec<ErrorDetail>) {
    if ttl.is_some_and(|ttl| ttl == 0 || ttl > MAX_TTL) {
        let message = format!("must be 1 to {MAX_TTL} seconds");
        details.push(detail("ttl", "out_of_range", message));
    }
}

fn check_rotation(days: Option<u32>, details: &mut Vec<ErrorDetail>) {
    if days.is_some_and(|days| days == 0 || days > MAX_ROTATE_DAYS) {
        let message = format!("must be 1 to {MAX_ROTATE_DAYS} days");
        details.push(detail("rotate_every_days", "out_of_range", message));
    }
}

/// Own secrets are everyone's to write; the workspace's need the permission.
fn may_write(caller: &Caller<OwnSecrets>, scope: Scope, environment: &str) -> Answer<()> {
    caller.may_use_environment(environment)?;
    if scope == Scope::User {
        Ok(())
    } else {
        caller.must::<WriteSecrets>()
    }
}

fn created(app: &App, caller: &Caller<OwnSecrets>, id: SecretId, new: SecretCreate) -> NewSecret {
    let place = SealFor {
        workspace: caller.workspace(),
        secret: id,
        version: 1,
        egress: new.egress.as_ref(),
    };
    let sealed = seal(&app.keyrings.now(), &place, &new.value.0);
    let length = new.value.0.len();
    NewSecret {
        id,
        workspace: caller.workspace(),
        owner: (new.scope == Scope::User).then(|| caller.user()),
        name: new.name,
        environment: new
            .environment
            .unwrap_or_else(|| ALL_ENVIRONMENTS.to_owned()),
        description: new.description,
        egress: new.egress,
        ttl_seconds: new.ttl,
        reveal: new.reveal,
        unmaskable: length < MASKABLE,
        short: length < WELL_MASKABLE,
        rotate_every_days: new.rotate_every_days,
        sealed,
    }
}

/// Stores a secret.
#[utoipa::path(post, path = "/v1/secrets", tag = "secrets", request_body = SecretCreate,
    responses((status = 201, body = Secret), (status = 400, body = ErrorEnvelope), (status = 409, body = ErrorEnvelope)))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller<OwnSecrets>,
    headers: HeaderMap,
    body: Body<SecretCreate>,
) -> Answer<Response> {
    let call = ("/v1/secrets", &body.raw[..]);
    let row = make(&app, &caller, &headers, call, body.value).await?;
    Ok(answer_created(&row))
}

/// Stores a secret, whichever door it comes through; `call` is the path and the body, to tell a repetition.
pub(crate) async fn make(
    app: &App,
    caller: &Caller<OwnSecrets>,
    headers: &HeaderMap,
    call: (&str, &[u8]),
    new: SecretCreate,
) -> Answer<SecretRow> {
    let environment = new.environment.as_deref();
    may_write(caller, new.scope, environment.unwrap_or(ALL_ENVIRONMENTS))?;
    check_create(&new)?;
    let fresh: SecretId = random::id(random::wall_clock());
    let (id, repeated) = reserve(app, caller, headers, call, *fresh.bytes()).await?;
    let id = SecretId::from_bytes(id);
    if repeated
        && let Ok(row) = app
            .store
            .get_secret(caller.workspace(), id, caller.user())
            .await
    {
        return Ok(row);
    }
    let new = created(app, caller, id, new);
    let made = app
        .store
        .create_secret(new, caller.actor(), caller.user())
        .await;
    // Another call with the same key may have made it since.
    if matches!(made, Err(StoreError::Conflict(_)))
        && let Ok(row) = app
            .store
            .get_secret(caller.workspace(), id, caller.user())
            .await
    {
        return Ok(row);
    }
    made.map_err(stored("secret"))
}

fn answer_created(row: &SecretRow) -> Response {
    let mut response = tagged(StatusCode::CREATED, &row.secret, row.revision);
    put(
        &mut response,
        header::LOCATION,
        &format!("/v1/secrets/{}", row.secret.id),
    );
    response
}

/// What a list of secrets may ask for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListParams {
    limit: Option<u32>,
    cursor: Option<String>,
    #[serde(default)]
    due: bool,
}

/// Lists secrets, never values.
#[utoipa::path(get, path = "/v1/secrets", tag = "secrets",
    params(("due" = Option<bool>, Query,), ("limit" = Option<u32>, Query,), ("cursor" = Option<String>, Query,)),
    responses((status = 200, body = Page<Secret>)))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller<Read>,
    Params(params): Params<ListParams>,
) -> Answer<Response> {
    let (limit, after) = (page_size(params.limit)?, cursor(params.cursor.as_deref())?);
    let (workspace, user, of) = (caller.workspace(), caller.user(), caller.environment());
    let (rows, path) = if params.due {
        let rows = app
            .store
            .list_due_secrets(workspace, user, of, (after, limit));
        (rows.await, "/v1/secrets?due=true")
    } else {
        let rows = app.store.list_secrets(workspace, user, of, (after, limit));
        (rows.await, "/v1/secrets")
    };
    let rows = rows.map_err(stored("secret"))?;
    let secrets: Vec<Secret> = rows.into_iter().map(|row| row.secret).collect();
    Ok(page(path, secrets, limit, |secret| secret.id.to_string()))
}

pub(crate) async fn one<P: Permission>(
    app: &App,
    caller: &Caller<P>,
    id: SecretId,
) -> Answer<SecretRow> {
    let row = app
        .store
        .get_secret(caller.workspace(), id, caller.user())
        .await
        .map_err(stored("secret"))?;
    if caller.sees_environment(&row.secret.environment) {
        Ok(row)
    } else {
        Err(Failure::not_found("secret"))
    }
}

/// One secret's metadata.
#[utoipa::path(get, path = "/v1/secrets/{id}", tag = "secrets", params(("id" = String, Path,)),
    responses((status = 200, body = Secret), (status = 404, body = ErrorEnvelope)))]
pub(crate) async fn get(
    State(app): State<App>,
    caller: Caller<Read>,
    PathId(id): PathId<padclock_api::ids::SecretKind>,
) -> Answer<Response> {
    let row = one(&app, &caller, id).await?;
    Ok(tagged(StatusCode::OK, &row.secret, row.revision))
}

/// Gives a secret a new value, as its next version.
#[utoipa::path(put, path = "/v1/secrets/{id}", tag = "secrets", params(("id" = String, Path,)), request_body = SecretReplace,
    responses((status = 200, body = Secret), (status = 404, body = ErrorEnvelope), (status = 412, body = ErrorEnvelope)))]
pub(crate) async fn replace(
    State(app): State<App>,
    caller: Caller<OwnSecrets>,
    PathId(id): PathId<padclock_api::ids::SecretKind>,
    headers: HeaderMap,
    body: Body<SecretReplace>,
) -> Answer<Response> {
    let row = renew(&app, &caller, id, &headers, body.value).await?;
    Ok(tagged(StatusCode::OK, &row.secret, row.revision))
}

/// Gives a secret a new value, whichever door it comes through.
pub(crate) async fn renew(
    app: &App,
    caller: &Caller<OwnSecrets>,
    id: SecretId,
    headers: &HeaderMap,
    given: SecretReplace,
) -> Answer<SecretRow> {
    let mut details = Vec::new();
    check_value(&given.value.0, given.unmaskable, &mut details);
    check_ttl(given.ttl, &mut details);
    let policy = given.egress;
    egress::check(policy.as_ref().and_then(Option::as_ref), &mut details);
    if !details.is_empty() {
        return Err(Failure::invalid(details));
    }
    let SecretRow { secret, revision } = one(app, caller, id).await?;
    may_write(caller, secret.scope, &secret.environment)?;
    if if_match(headers)?.is_some_and(|expected| expected != revision) {
        return Err(stored("secret")(StoreError::Changed));
    }
    if policy.is_none() {
        egress::keep_present(app, caller, id).await?;
    }
    let changed = egress::with_value(caller, &secret, policy)?;
    let version = secret.version + 1;
    let place = SealFor {
        workspace: caller.workspace(),
        secret: id,
        version,
        egress: changed.as_ref().unwrap_or(&secret.egress).as_ref(),
    };
    let value = &given.value.0;
    let sealed = seal(&app.keyrings.now(), &place, value);
    let new = NewVersion {
        version,
        unmaskable: value.len() < MASKABLE,
        short: value.len() < WELL_MASKABLE,
        ttl_seconds: given.ttl,
        egress: changed,
        sealed,
    };
    let row = app
        .store
        .replace_secret(caller.workspace(), id, new, caller.actor(), caller.user())
        .await;
    row.map_err(stored("secret"))
}

/// Changes what is known about a secret.
#[utoipa::path(patch, path = "/v1/secrets/{id}", tag = "secrets", params(("id" = String, Path,)), request_body = SecretPatch,
    responses((status = 200, body = Secret), (status = 202, body = padclock_api::approval::Approval), (status = 404, body = ErrorEnvelope),
        (status = 412, body = ErrorEnvelope)))]
pub(crate) async fn patch(
    State(app): State<App>,
    caller: Caller<OwnSecrets>,
    PathId(id): PathId<padclock_api::ids::SecretKind>,
    headers: HeaderMap,
    mut body: Body<SecretPatch>,
) -> Answer<Response> {
    if let Some(policy) = body.value.egress.take() {
        if body.value.description.is_some() || body.value.rotate_every_days.is_some() {
            let message = "a second admin decides on it: change it by itself";
            return Err(Failure::field("egress", "not_alone", message));
        }
        return egress::request(&app, &caller, id, (&headers, policy)).await;
    }
    let row = describe(&app, &caller, id, &headers, body.value).await?;
    Ok(tagged(StatusCode::OK, &row.secret, row.revision))
}

/// Changes what is known about a secret, whichever door it comes through; its policy aside.
pub(crate) async fn describe(
    app: &App,
    caller: &Caller<OwnSecrets>,
    id: SecretId,
    headers: &HeaderMap,
    given: SecretPatch,
) -> Answer<SecretRow> {
    check_text(
        "description",
        given.description.as_ref().and_then(Option::as_deref),
        4_096,
    )?;
    let mut details = Vec::new();
    check_rotation(given.rotate_every_days.flatten(), &mut details);
    if !details.is_empty() {
        return Err(Failure::invalid(details));
    }
    let expected = if_match(headers)?;
    let before = one(app, caller, id).await?.secret;
    may_write(caller, before.scope, &before.environment)?;
    let row = app
        .store
        .patch_secret(
            caller.workspace(),
            id,
            given,
            expected,
            caller.actor(),
            caller.user(),
        )
        .await;
    row.map_err(stored("secret"))
}

/// What a deletion may ask for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeleteParams {
    #[serde(default)]
    pub(crate) if_unused: bool,
}

/// Deletes a secret, also when jobs name it, unless `if_unused=true` asks to leave it then.
#[utoipa::path(delete, path = "/v1/secrets/{id}", tag = "secrets",
    params(("id" = String, Path,), ("if_unused" = Option<bool>, Query,)),
    responses((status = 204), (status = 404, body = ErrorEnvelope), (status = 409, body = ErrorEnvelope)))]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller<OwnSecrets>,
    PathId(id): PathId<padclock_api::ids::SecretKind>,
    Params(params): Params<DeleteParams>,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    let SecretRow { secret, revision } = one(&app, &caller, id).await?;
    may_write(&caller, secret.scope, &secret.environment)?;
    if if_match(&headers)?.is_some_and(|expected| expected != revision) {
        return Err(stored("secret")(StoreError::Changed));
    }
    if params.if_unused {
        usage::refuse_in_use(&app, &caller, &secret).await?;
    }
    let deleted = app
        .store
        .delete_secret(caller.workspace(), id, caller.actor(), caller.user())
        .await;
    deleted.map_err(stored("secret"))?;
    Ok(StatusCode::NO_CONTENT)
}
