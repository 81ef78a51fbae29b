//! `/api/v1/secrets`, in the shape of Hooklistener (the doors contract). A translation; nothing is decided here that the
//! native API decides.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, middleware};
use padclock_api::ids::SecretKind;
use padclock_api::secret::{
    Reveal, Scope, Secret, SecretCreate, SecretPatch, SecretReplace, SubmittedValue,
};
use padclock_api::{ErrorBody, ErrorCode, ErrorDetail, SecretId, WorkspaceId};
use padclock_job::Moment;
use padclock_store::{SecretFilter, SecretTimes};
use serde::{Deserialize, Serialize};

use super::{is_own, reshaped, status};
use crate::auth::{Asking, Caller, OwnSecrets, Permission, Read};
use crate::failure::{Answer, Failure, detail, stored};
use crate::handlers::secrets::{self, DeleteParams};
use crate::input::{Body, Params, PathId};
use crate::routes::route_table;
use crate::state::App;

pub(crate) const PATH: &str = "/api/v1/secrets";

/// The largest value, in bytes.
const MAX_VALUE: usize = 10_000;
/// How many secrets are read at once.
const STEP: u32 = 500;

route_table! { ROUTES, table;
    "/api/v1/secrets": get list, post create;
    "/api/v1/secrets/{id}": get show, put update, patch update, delete delete;
    "/api/v1/secrets/{id}/value": get value;
}

pub(crate) fn routes() -> Router<App> {
    table().layer(middleware::map_response(errors))
}

/// `{"error": "text"}`, and what is wrong by field where the call itself is.
pub(super) async fn errors(response: Response) -> Response {
    #[derive(Serialize)]
    struct Shaped {
        error: String,
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        errors: BTreeMap<String, Vec<String>>,
    }
    reshaped(response, |body: &ErrorBody| {
        let invalid = matches!(
            body.code,
            ErrorCode::ValidationError | ErrorCode::UnsupportedMediaType | ErrorCode::Conflict
        );
        let mut errors: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for detail in body.details.iter().filter(|_| invalid) {
            let field = detail
                .field
                .strip_prefix("secret.")
                .unwrap_or(&detail.field);
            let list = errors.entry(field.to_owned()).or_default();
            list.push(detail.message.clone());
        }
        // A name that was taken meanwhile.
        if body.code == ErrorCode::Conflict {
            errors.insert("name".to_owned(), vec![TAKEN.to_owned()]);
        }
        let status = if invalid {
            StatusCode::UNPROCESSABLE_ENTITY
        } else {
            status(body)
        };
        let error = body.message.clone();
        (status, Shaped { error, errors })
    })
}

const TAKEN: &str = "has already been taken";

/// Refuses a call about an organization that is not the caller's.
fn in_organization<P>(caller: &Caller<P>, headers: &HeaderMap) -> Answer<()> {
    match headers.get("x-organization-id") {
        None => Ok(()),
        Some(given) if given.to_str().is_ok_and(|given| is_own(caller, given)) => Ok(()),
        Some(_) => Err(Failure::not_found("organization")),
    }
}

/// `^[A-Z][A-Z0-9_]*$`
fn fits(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_uppercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// A secret as the document has it.
#[derive(Serialize)]
struct Shown {
    id: SecretId,
    name: String,
    description: Option<String>,
    organization_id: WorkspaceId,
    inserted_at: Moment,
    updated_at: Moment,
    created_at: Moment,
    last_used_at: Option<Moment>,
    last_rotated_at: Option<Moment>,
}

#[derive(Serialize)]
struct Data<T> {
    data: T,
}

fn shown(workspace: WorkspaceId, secret: Secret, times: SecretTimes) -> Shown {
    Shown {
        id: secret.id,
        name: secret.name,
        description: secret.description,
        organization_id: workspace,
        inserted_at: secret.created_at,
        updated_at: secret.updated_at,
        created_at: secret.created_at,
        last_used_at: times.used_at,
        last_rotated_at: times.rotated_at,
    }
}

async fn answer<P>(
    app: &App,
    caller: &Caller<P>,
    secret: Secret,
    status: StatusCode,
) -> Answer<Response> {
    let times = app.store.secret_times(vec![secret.id]).await;
    let times = times.map_err(stored("secret"))?.remove(&secret.id);
    let data = shown(caller.workspace(), secret, times.unwrap_or_default());
    Ok((status, Json(Data { data })).into_response())
}

/// One of the organization's; a member's own is none.
async fn one<P: Permission>(
    app: &App,
    caller: &Caller<P>,
    headers: &HeaderMap,
    id: SecretId,
) -> Answer<Secret> {
    in_organization(caller, headers)?;
    let secret = secrets::one(app, caller, id).await?.secret;
    if secret.scope == Scope::Workspace {
        Ok(secret)
    } else {
        Err(Failure::not_found("secret"))
    }
}

/// A body of the document: all is under `secret`.
#[derive(Deserialize)]
pub(crate) struct Wrapped {
    secret: Option<Given>,
}

#[derive(Deserialize)]
pub(crate) struct Given {
    name: Option<String>,
    value: Option<SubmittedValue>,
    #[serde(default, deserialize_with = "present")]
    description: Option<Option<String>>,
}

fn present<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(deserializer).map(Some)
}

fn unwrap(body: Wrapped) -> Answer<Given> {
    let blank = || Failure::field("secret", "missing_field", "can't be blank");
    body.secret.ok_or_else(blank)
}

fn check_value(value: Option<&SubmittedValue>, details: &mut Vec<ErrorDetail>) {
    match value.map(|value| value.0.len()) {
        None | Some(0) => details.push(detail("value", "missing_field", "can't be blank")),
        Some(length) if length > MAX_VALUE => {
            let message = format!("should be at most {MAX_VALUE} bytes; it has {length}");
            details.push(detail("value", "value_too_long", message));
        }
        Some(_) => {}
    }
}

fn check_name(name: Option<&str>, details: &mut Vec<ErrorDetail>) {
    let problem = match name {
        None | Some("") => "can't be blank",
        Some(name) if !fits(name) => {
            "must start with an uppercase letter and have only uppercase letters, digits and underscores: ^[A-Z][A-Z0-9_]*$"
        }
        Some(_) => return,
    };
    details.push(detail("name", "bad_name", problem));
}

fn checked(details: Vec<ErrorDetail>) -> Answer<()> {
    if details.is_empty() {
        Ok(())
    } else {
        Err(Failure::invalid(details))
    }
}

async fn create(
    State(app): State<App>,
    caller: Caller<OwnSecrets>,
    headers: HeaderMap,
    body: Body<Wrapped>,
) -> Answer<Response> {
    in_organization(&caller, &headers)?;
    let given = unwrap(body.value)?;
    let mut details = Vec::new();
    check_name(given.name.as_deref(), &mut details);
    check_value(given.value.as_ref(), &mut details);
    checked(details)?;
    let (Some(name), Some(value)) = (given.name, given.value) else {
        return Err(Failure::field("secret", "missing_field", "can't be blank"));
    };
    let taken = app.store.has_secret(caller.workspace(), None, name.clone());
    // A call that is repeated with its Idempotency-Key finds what it made itself.
    if taken.await.map_err(stored("secret"))? && !headers.contains_key("idempotency-key") {
        return Err(Failure::field("name", "taken", TAKEN));
    }
    let new = SecretCreate {
        name,
        value,
        environment: caller.environment().map(str::to_owned),
        scope: Scope::Workspace,
        description: given.description.flatten(),
        egress: None,
        ttl: None,
        reveal: Reveal::Allowed,
        // Its document knows no shortest value.
        unmaskable: false,
        rotate_every_days: None,
    };
    let row = secrets::make(&app, &caller, &headers, (PATH, &body.raw), new).await?;
    answer(&app, &caller, row.secret, StatusCode::CREATED).await
}

async fn list(
    State(app): State<App>,
    caller: Caller<Read>,
    headers: HeaderMap,
) -> Answer<Response> {
    in_organization(&caller, &headers)?;
    let mut found: Vec<Secret> = Vec::new();
    let mut offset = 0;
    loop {
        let filter = SecretFilter {
            own: None,
            environment: caller.environment().map(str::to_owned),
        };
        let (rows, _) = app
            .store
            .secrets_from(caller.workspace(), filter, STEP, offset)
            .await
            .map_err(stored("secret"))?;
        let last = rows.len() < STEP as usize;
        let secrets = rows.into_iter().map(|row| row.secret);
        found.extend(secrets.filter(|secret| fits(&secret.name)));
        if last {
            break;
        }
        offset += STEP;
    }
    let ids = found.iter().map(|secret| secret.id).collect();
    let mut times = app
        .store
        .secret_times(ids)
        .await
        .map_err(stored("secret"))?;
    let data: Vec<Shown> = found
        .into_iter()
        .map(|secret| {
            let times = times.remove(&secret.id).unwrap_or_default();
            shown(caller.workspace(), secret, times)
        })
        .collect();
    Ok(Json(Data { data }).into_response())
}

async fn show(
    State(app): State<App>,
    caller: Caller<Read>,
    PathId(id): PathId<SecretKind>,
    headers: HeaderMap,
) -> Answer<Response> {
    let secret = one(&app, &caller, &headers, id).await?;
    answer(&app, &caller, secret, StatusCode::OK).await
}

async fn value(
    State(app): State<App>,
    asking: Asking<crate::auth::Reveal>,
    PathId(id): PathId<SecretKind>,
    headers: HeaderMap,
) -> Answer<Response> {
    in_organization(asking.caller(), &headers)?;
    // As for all other calls: a member's own secrets are not behind this door.
    one(&app, asking.caller(), &headers, id).await?;
    secrets::reveal::revealed(&app, &asking, id).await
}

async fn update(
    State(app): State<App>,
    caller: Caller<OwnSecrets>,
    PathId(id): PathId<SecretKind>,
    headers: HeaderMap,
    body: Body<Wrapped>,
) -> Answer<Response> {
    let given = unwrap(body.value)?;
    let mut secret = one(&app, &caller, &headers, id).await?;
    let mut details = Vec::new();
    if given.name.as_ref().is_some_and(|name| *name != secret.name) {
        details.push(detail("name", "immutable", "can't be changed"));
    }
    if given.value.is_some() || given.description.is_none() {
        check_value(given.value.as_ref(), &mut details);
    }
    checked(details)?;
    if let Some(description) = given.description {
        let patch = SecretPatch {
            description: Some(description),
            ..SecretPatch::default()
        };
        secret = secrets::describe(&app, &caller, id, &headers, patch)
            .await?
            .secret;
    }
    if let Some(value) = given.value {
        let replace = SecretReplace {
            value,
            unmaskable: false,
            egress: None,
            ttl: None,
        };
        secret = secrets::renew(&app, &caller, id, &headers, replace)
            .await?
            .secret;
    }
    answer(&app, &caller, secret, StatusCode::OK).await
}

async fn delete(
    State(app): State<App>,
    caller: Caller<OwnSecrets>,
    id: PathId<SecretKind>,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    one(&app, &caller, &headers, id.0).await?;
    let params = Params(DeleteParams { if_unused: false });
    secrets::delete(State(app), caller, id, params, headers).await
}
