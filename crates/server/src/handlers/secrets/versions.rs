//! `/v1/secrets/:id/versions`, `/rollback` and `/retire-previous`: rotation in two steps, and back in one.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use padclock_api::ids::SecretKind;
use padclock_api::secret::{Secret, SecretVersion};
use padclock_api::{ErrorCode, ErrorEnvelope, Page, SecretId};
use padclock_store::{NewVersion, SealedSecret, SecretRow, StoreError};

use super::super::tagged;
use super::{MASKABLE, WELL_MASKABLE, may_write, one};
use crate::auth::{Caller, OwnSecrets, Read};
use crate::failure::{Answer, Failure, stored, unsealed};
use crate::input::{PathId, if_match};
use crate::keys;
use crate::state::App;

/// The versions that are kept, newest first; no values.
#[utoipa::path(get, path = "/v1/secrets/{id}/versions", operation_id = "list_versions", tag = "secrets", params(("id" = String, Path,)),
    responses((status = 200, body = Page<SecretVersion>), (status = 404, body = ErrorEnvelope)))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller<Read>,
    PathId(id): PathId<SecretKind>,
) -> Answer<Json<Page<SecretVersion>>> {
    one(&app, &caller, id).await?;
    let items = app
        .store
        .secret_versions(caller.workspace(), id, caller.user())
        .await
        .map_err(stored("secret"))?;
    Ok(Json(Page {
        items,
        next_cursor: None,
    }))
}

/// The secret at the revision that the caller means, and its previous version.
async fn before(
    app: &App,
    caller: &Caller<OwnSecrets>,
    id: SecretId,
    headers: &HeaderMap,
) -> Answer<(SecretRow, SealedSecret)> {
    let (row, previous) = app
        .store
        .previous_version(caller.workspace(), id, caller.user())
        .await
        .map_err(stored("secret"))?;
    if !caller.sees_environment(&row.secret.environment) {
        return Err(Failure::not_found("secret"));
    }
    may_write(caller, row.secret.scope, &row.secret.environment)?;
    if if_match(headers)?.is_some_and(|expected| expected != row.revision) {
        return Err(stored("secret")(StoreError::Changed));
    }
    previous.map(|previous| (row, previous)).ok_or_else(none)
}

fn none() -> Failure {
    Failure::new(
        ErrorCode::Conflict,
        "the secret has no previous version: it was never replaced, or the one before was retired",
    )
}

/// Makes the previous value the current one, as a new version; what was current becomes the previous.
#[utoipa::path(post, path = "/v1/secrets/{id}/rollback", tag = "secrets", params(("id" = String, Path,)),
    responses((status = 200, body = Secret), (status = 404, body = ErrorEnvelope), (status = 409, body = ErrorEnvelope),
        (status = 412, body = ErrorEnvelope)))]
pub(crate) async fn roll_back(
    State(app): State<App>,
    caller: Caller<OwnSecrets>,
    PathId(id): PathId<SecretKind>,
    headers: HeaderMap,
) -> Answer<Response> {
    let (row, previous) = before(&app, &caller, id, &headers).await?;
    let version = row.secret.version + 1;
    let term = previous.sealed.term;
    app.keyrings.for_term(term).await.map_err(unsealed)?;
    let keyring = app.keyrings.to_seal(1).await.map_err(unsealed)?;
    let sealed = keys::reseal(&keyring, &previous, version).map_err(|_| {
        let message = "the previous version was sealed under another egress policy, or can't be opened: \
            going back to it would send it where it was not meant to go; set the value anew";
        Failure::new(ErrorCode::Conflict, message)
    })?;
    let length = sealed.value_len();
    let new = NewVersion {
        version,
        unmaskable: length < MASKABLE,
        short: length < WELL_MASKABLE,
        egress: None,
        ttl_seconds: None,
        sealed,
    };
    let place = (caller.workspace(), id);
    let row = app
        .store
        .roll_back_secret(place, new, row.revision, caller.actor(), caller.user())
        .await
        .map_err(stored("secret"))?;
    Ok(tagged(StatusCode::OK, &row.secret, row.revision))
}

/// Removes the previous version and its value for good.
#[utoipa::path(post, path = "/v1/secrets/{id}/retire-previous", tag = "secrets", params(("id" = String, Path,)),
    responses((status = 200, body = Secret), (status = 404, body = ErrorEnvelope), (status = 409, body = ErrorEnvelope),
        (status = 412, body = ErrorEnvelope)))]
pub(crate) async fn retire(
    State(app): State<App>,
    caller: Caller<OwnSecrets>,
    PathId(id): PathId<SecretKind>,
    headers: HeaderMap,
) -> Answer<Response> {
    let (row, _) = before(&app, &caller, id, &headers).await?;
    let place = (caller.workspace(), id);
    let row = app
        .store
        .retire_previous(place, row.revision, caller.actor(), caller.user())
        .await
        .map_err(stored("secret"))?
        .ok_or_else(none)?;
    Ok(tagged(StatusCode::OK, &row.secret, row.revision))
}
