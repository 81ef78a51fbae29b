//! `GET /v1/secrets/:id/value`: a value read back, its record durable before it is opened.

use axum::extract::State;
use axum::response::Response;
use padclock_api::ids::SecretKind;
use padclock_api::secret::Revealed;
use padclock_api::{ErrorCode, ErrorEnvelope, SecretId};
use padclock_job::Moment;
use padclock_store::Revealing as Outcome;
use serde::Serialize;

use crate::auth::{Asking, Reveal};
use crate::failure::{Answer, Failure, stored, unsealed};
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
    let who = asking.anyone();
    let (workspace, user) = (who.workspace(), who.user());
    let caller = match asking.granted() {
        Ok(caller) => caller,
        Err(refused) => {
            let recorded = app.store.refuse_reveal(workspace, id, who.actor(), user);
            recorded.await.map_err(stored("secret"))?;
            return Err(refused);
        }
    };
    let outcome = app
        .store
        .reveal_secret(workspace, id, caller.actor(), user)
        .await
        .map_err(stored("secret"))?;
    let (secret, decrypted_at) = match outcome {
        Outcome::Sealed { secret, at } => (secret, at),
        Outcome::Never => {
            let message =
                "this secret was made with \"reveal\": \"never\": no one can read it back";
            return Err(Failure::new(ErrorCode::Forbidden, message));
        }
        Outcome::Ended => {
            let message = "this secret has ended: its time to live has passed";
            return Err(Failure::new(ErrorCode::NotFound, message));
        }
    };
    let term = secret.sealed.term;
    let keyring = app.keyrings.for_term(term).await.map_err(unsealed)?;
    let opened = keys::open(&keyring, &secret);
    let value =
        opened.map_err(|unreadable| Failure::new(ErrorCode::Internal, unreadable.to_string()))?;
    let known = Known {
        id,
        name: &secret.name,
        decrypted_at,
    };
    disclose::with_value(&known, &value)
}
