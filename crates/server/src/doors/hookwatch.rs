//! `/v1/cron-secrets`, in the shape of HookWatch (the doors contract). A translation; nothing is decided here that the
//! native API decides.

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, middleware};
use padclock_api::ids::SecretKind;
use padclock_api::secret::{Reveal, Scope, Secret, SecretCreate, SecretReplace, SubmittedValue};
use padclock_api::{ErrorBody, ErrorCode, UserId, WorkspaceId};
use padclock_job::Moment;
use padclock_store::SecretFilter;
use serde::{Deserialize, Serialize};

use super::{is_own, reshaped, status};
use crate::auth::{Caller, OwnSecrets, Read};
use crate::failure::{Answer, Failure, stored};
use crate::handlers::secrets::{self, DeleteParams};
use crate::input::{Body, Params, PathId};
use crate::routes::route_table;
use crate::state::App;

pub(crate) const PATH: &str = "/v1/cron-secrets";

const PAGE: u32 = 20;
const LARGEST_PAGE: u32 = 100;

route_table! { ROUTES, all;
    "/v1/cron-secrets": get list, post create;
}
route_table! { ONE, one;
    "/v1/cron-secrets/{id}": put replace, delete delete;
}

pub(crate) fn routes() -> Router<App> {
    let one = one().layer(middleware::map_response(denied_is_missing));
    all().merge(one).layer(middleware::map_response(errors))
}

/// `{"error": {"code", "message"}}`, with the words of the document's table.
pub(super) async fn errors(response: Response) -> Response {
    #[derive(Serialize)]
    struct Shaped {
        error: Said,
    }
    #[derive(Serialize)]
    struct Said {
        code: &'static str,
        message: String,
    }
    reshaped(response, |body: &ErrorBody| {
        let (status, code) = match body.code {
            ErrorCode::ValidationError | ErrorCode::UnsupportedMediaType => {
                (StatusCode::BAD_REQUEST, "bad_request")
            }
            ErrorCode::Unauthorized => (status(body), "unauthorized"),
            ErrorCode::Forbidden => (status(body), "forbidden"),
            ErrorCode::NotFound => (status(body), "not_found"),
            ErrorCode::Conflict => (status(body), "conflict"),
            ErrorCode::PreconditionFailed => (status(body), "precondition_failed"),
            ErrorCode::TooLarge => (status(body), "too_large"),
            ErrorCode::RateLimited => (status(body), "rate_limited"),
            ErrorCode::Unavailable => (status(body), "unavailable"),
            ErrorCode::MethodNotAllowed => (status(body), "method_not_allowed"),
            _ => (status(body), "internal"),
        };
        let message = body.message.clone();
        let error = Said { code, message };
        (status, Shaped { error })
    })
}

/// "Secret not found or access denied" is one answer there: 404.
async fn denied_is_missing(mut response: Response) -> Response {
    let denied = |failure: &Failure| failure.code == ErrorCode::Forbidden;
    if response.extensions().get::<Failure>().is_some_and(denied) {
        let missing = Failure::new(ErrorCode::NotFound, "secret not found or access denied");
        response = missing.into_response();
    }
    response
}

/// A secret as the document has it.
#[derive(Serialize)]
struct Shown {
    id: String,
    user_id: Option<UserId>,
    team_id: Option<WorkspaceId>,
    key: String,
    created_at: Moment,
    updated_at: Moment,
}

fn shown<P>(caller: &Caller<P>, secret: Secret) -> Shown {
    let own = secret.scope == Scope::User;
    Shown {
        id: secret.id.to_string(),
        user_id: own.then(|| caller.user()),
        team_id: (!own).then(|| caller.workspace()),
        key: secret.name,
        created_at: secret.created_at,
        updated_at: secret.updated_at,
    }
}

#[derive(Deserialize)]
pub(crate) struct Create {
    key: Option<String>,
    value: Option<SubmittedValue>,
    team_id: Option<String>,
}

fn missing(field: &str) -> Failure {
    Failure::field(field, "missing_field", "is needed")
}

async fn create(
    State(app): State<App>,
    caller: Caller<OwnSecrets>,
    headers: HeaderMap,
    body: Body<Create>,
) -> Answer<Response> {
    let Create {
        key,
        value,
        team_id,
    } = body.value;
    let name = key
        .filter(|key| !key.is_empty())
        .ok_or_else(|| missing("key"))?;
    let value = value.ok_or_else(|| missing("value"))?;
    let scope = match &team_id {
        None => Scope::User,
        Some(team) if is_own(&caller, team) => Scope::Workspace,
        Some(_) => return Err(Failure::not_found("team")),
    };
    let own = (scope == Scope::User).then(|| caller.user());
    let taken = app
        .store
        .has_secret(caller.workspace(), own, name.clone())
        .await
        .map_err(stored("secret"))?;
    // A call that is repeated with its Idempotency-Key finds what it made itself.
    if taken && !headers.contains_key("idempotency-key") {
        let message = "a secret with this key already exists";
        return Err(Failure::new(ErrorCode::Conflict, message));
    }
    let new = SecretCreate {
        name,
        value,
        environment: caller.environment().map(str::to_owned),
        scope,
        description: None,
        egress: None,
        ttl: None,
        reveal: Reveal::Allowed,
        // Its document knows no shortest value.
        unmaskable: false,
        rotate_every_days: None,
    };
    let row = secrets::make(&app, &caller, &headers, (PATH, &body.raw), new).await?;
    Ok((StatusCode::CREATED, Json(shown(&caller, row.secret))).into_response())
}

#[derive(Deserialize)]
pub(crate) struct Paging {
    limit: Option<u32>,
    offset: Option<u32>,
}

#[derive(Serialize)]
struct Listed {
    data: Vec<Shown>,
    total: i64,
    limit: u32,
    offset: u32,
}

async fn list(
    State(app): State<App>,
    caller: Caller<Read>,
    paging: Result<Query<Paging>, axum::extract::rejection::QueryRejection>,
) -> Answer<Response> {
    let numbers = "must be a whole number, from 0";
    let Query(paging) =
        paging.map_err(|_| Failure::field("limit, offset", "bad_number", numbers))?;
    let limit = paging.limit.unwrap_or(PAGE).clamp(1, LARGEST_PAGE);
    let offset = paging.offset.unwrap_or(0);
    let filter = SecretFilter {
        own: Some(caller.user()),
        environment: caller.environment().map(str::to_owned),
    };
    let (rows, total) = app
        .store
        .secrets_from(caller.workspace(), filter, limit, offset)
        .await
        .map_err(stored("secret"))?;
    let data = rows
        .into_iter()
        .map(|row| shown(&caller, row.secret))
        .collect();
    let listed = Listed {
        data,
        total,
        limit,
        offset,
    };
    Ok(Json(listed).into_response())
}

#[derive(Deserialize)]
pub(crate) struct Replace {
    value: Option<SubmittedValue>,
    #[serde(default)]
    key: Key,
}

/// Whether a body bears a key, whatever it is.
#[derive(Default)]
struct Key(bool);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self(true))
    }
}

async fn replace(
    State(app): State<App>,
    caller: Caller<OwnSecrets>,
    PathId(id): PathId<SecretKind>,
    headers: HeaderMap,
    body: Body<Replace>,
) -> Answer<Response> {
    if body.value.key.0 {
        return Err(Failure::field("key", "immutable", "a key can't be changed"));
    }
    let value = body.value.value.ok_or_else(|| missing("value"))?;
    let given = SecretReplace {
        value,
        unmaskable: false,
        egress: None,
        ttl: None,
    };
    let row = secrets::renew(&app, &caller, id, &headers, given).await?;
    Ok(Json(shown(&caller, row.secret)).into_response())
}

async fn delete(
    app: State<App>,
    caller: Caller<OwnSecrets>,
    id: PathId<SecretKind>,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    let params = Params(DeleteParams { if_unused: false });
    secrets::delete(app, caller, id, params, headers).await
}
