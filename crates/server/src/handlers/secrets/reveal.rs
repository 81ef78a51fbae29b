//! `GET /v1/secrets/:id/value`: a value read back, its record durable before it is opened.

use axum::extract::State;
use axum::response::Response;
use padclock_api::ids::SecretKind;
use padclock_api::secret::{Reveal as MayBe, Revealed};
use padclock_api::{ErrorCode, ErrorEnvelope, SecretId};
use padclock_job::Moment;
use padclock_store::{Action, Detail, Revealing};
use serde::Serialize;

use crate::auth::{Asking, Caller, Reveal};
use crate::failure::{Answer, Failure, stored};
use crate::input::PathId;
use crate::state::App;
use crate::{disclose, keys};

#[derive(Serialize)]
struct Known<'a> {
    id: SecretId,
    name: &'a str,
    decrypted_at: Moment,
}

/// Reads a value back. It needs the permission `secrets:reveal`, and each call is recorded, refused ones too.
#[utoipa::path(get, path = "/v1/secrets/{id}/value", tag = "secrets", params(("id" = String, Path,)),
    responses((status = 200, body = Revealed), (status = 403, body = ErrorEnvelope), (status = 404, body = ErrorEnvelope)))]
pub(crate) async fn value(
    State(app): State<App>,
    asking: Asking<Reveal>,
    PathId(id): PathId<SecretKind>,
) -> Answer<Response> {
    revealed(&app, &asking, id).await
}

/// Check, record, open, answer: in this order, whichever door it comes through.
pub(crate) async fn revealed(app: &App, asking: &Asking<Reveal>, id: SecretId) -> Answer<Response> {
    let who = asking.caller();
    let found = app
        .store
        .sealed_secret(who.workspace(), id, who.user())
        .await;
    let found = found
        .map_err(stored("secret"))
        .and_then(|found| visible(who, found));
    let allowed = match &found {
        Ok(found) => asking.granted().and_then(|_| check(who, found)),
        // Who lacks the permission is told that first, whatever there is.
        Err(missing) => asking.granted().and(Err(missing.clone())),
    };
    let secret = found.as_ref().ok().map(|found| &found.secret);
    let detail = Detail {
        name: secret.map(|secret| secret.name.clone()),
        version: secret.map(|secret| secret.version),
        result: allowed
            .as_ref()
            .err()
            .map(|refused| format!("refused: {}", refused.code_word())),
        ..Detail::default()
    };
    app.store
        .record(
            who.workspace(),
            &who.actor(),
            Action::SecretReveal,
            id.to_string(),
            detail,
        )
        .await
        .map_err(stored("secret"))?;
    allowed?;
    let Revealing { secret, now, .. } = found?;
    let value = keys::open(&app.keyrings.now(), &secret)
        .map_err(|unreadable| Failure::new(ErrorCode::Internal, unreadable.to_string()))?;
    let known = Known {
        id,
        name: &secret.name,
        decrypted_at: now,
    };
    disclose::with_value(&known, &value)
}

fn visible(caller: &Caller<Reveal>, found: Revealing) -> Answer<Revealing> {
    if caller.sees_environment(&found.secret.environment) {
        Ok(found)
    } else {
        Err(Failure::not_found("secret"))
    }
}

/// Whether this secret may be read back, by this caller and now.
fn check(caller: &Caller<Reveal>, found: &Revealing) -> Answer<()> {
    caller.may_use_environment(&found.secret.environment)?;
    if found.reveal == MayBe::Never {
        let message = "this secret was made with \"reveal\": \"never\": no one can read it back";
        return Err(Failure::new(ErrorCode::Forbidden, message));
    }
    if found.secret.expires_at.is_some_and(|end| end <= found.now) {
        let message = "this secret has ended: its time to live has passed";
        return Err(Failure::new(ErrorCode::NotFound, message));
    }
    Ok(())
}
