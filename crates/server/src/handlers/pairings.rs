//! `/v1/pairings`: a command line asks for a token, which somebody who is signed in confirms in the browser.
//! These two calls are for those who have no token yet.

use axum::Json;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use padclock_api::pairing::{PairingCreate, PairingMade, TOKEN_DAYS};
use padclock_api::{ErrorCode, ErrorEnvelope, PairingId};
use padclock_store::{Claim, NewPairing, NewToken};
use padclock_vault::{Keyring, Label, Randomness, Value, token};

use crate::auth::{peer, session};
use crate::failure::{Answer, Failure, stored};
use crate::handlers::check_text;
use crate::input::Body;
use crate::random::{self, System};
use crate::state::App;

/// Letters and digits that are not mistaken for each other, and make no words.
const SIGNS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// Signs of a code: 20⁸ of them.
const LENGTH: usize = 8;
/// How long a code can be confirmed, in seconds.
const LASTS: i64 = 600;
/// How often to ask, in seconds.
const INTERVAL: u32 = 2;

/// The keyed hash under which a code is stored.
pub(crate) fn code_lookup(keyring: &Keyring, code: &str) -> [u8; 32] {
    keyring
        .derived(Label::TokenLookup)
        .mac(&[b"padclock/1 pairing code", code.as_bytes()])
}

fn key_lookup(keyring: &Keyring, key: &str) -> [u8; 32] {
    keyring
        .derived(Label::TokenLookup)
        .mac(&[b"padclock/1 pairing key", key.as_bytes()])
}

/// A code as it is shown and looked up, whatever stands between its signs when it is typed.
pub(crate) fn shown_code(typed: &str) -> String {
    let signs = typed
        .bytes()
        .map(|byte| byte.to_ascii_uppercase())
        .filter(|byte| SIGNS.contains(byte));
    let mut code = String::with_capacity(LENGTH + 1);
    for (at, sign) in signs.take(LENGTH).enumerate() {
        if at == LENGTH / 2 {
            code.push('-');
        }
        code.push(char::from(sign));
    }
    code
}

fn fresh_code() -> String {
    let mut code = String::new();
    while code.len() < LENGTH {
        let mut bytes = [0; 16];
        System::default().fill(&mut bytes);
        // 240 is the largest multiple of 20 below 256: above it some signs would come more often.
        let fair = bytes.iter().filter(|byte| **byte < 240);
        code.extend(fair.map(|byte| char::from(SIGNS[usize::from(byte % 20)])));
    }
    shown_code(&code)
}

/// Asks for a token; answers the code that somebody has to confirm.
#[utoipa::path(post, path = "/v1/pairings", tag = "access", request_body = PairingCreate, security(()),
    responses((status = 201, body = PairingMade), (status = 429, body = ErrorEnvelope)))]
pub(crate) async fn create(
    State(app): State<App>,
    parts: Parts,
    body: Body<PairingCreate>,
) -> Answer<Response> {
    let from = peer(&parts);
    app.failures.admit(&from)?;
    // Each counts as a failure until it is confirmed: nobody fills the table from one address.
    app.count_failure(from, "");
    check_text("name", Some(&body.value.name), 128)?;
    let (code, key) = (fresh_code(), session::fresh());
    let id: PairingId = random::id(random::wall_clock());
    let keyring = app.keyrings.now();
    let new = NewPairing {
        id,
        code: code_lookup(&keyring, &code),
        lookup: key_lookup(&keyring, &key),
        name: body.value.name,
        address: from.to_string(),
        lasts: LASTS * 1_000,
    };
    app.store
        .create_pairing(new)
        .await
        .map_err(stored("pairing"))?;
    let made = PairingMade {
        id,
        verify_url: format!("{}/pair?code={code}", app.public_url),
        code,
        key,
        expires_in: LASTS as u32,
        interval: INTERVAL,
    };
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

/// Fetches the token, once somebody has confirmed the code; until then 202.
#[utoipa::path(post, path = "/v1/pairings/token", tag = "access", security(()),
    responses((status = 200, description = "`{\"token\"}`: it is shown this once"), (status = 202, description = "nobody has confirmed the code yet"), (status = 404, body = ErrorEnvelope)))]
pub(crate) async fn token(State(app): State<App>, parts: Parts) -> Answer<Response> {
    let from = peer(&parts);
    let key = crate::auth::bearer(&parts)?;
    let keyring = app.keyrings.now();
    let made = token::generate(&mut System::default());
    let new = NewToken {
        id: random::id(random::wall_clock()),
        lookup: hashed(&keyring, &made),
        name: String::new(),
    };
    let lasts = i64::from(TOKEN_DAYS) * 86_400_000;
    let claim = app
        .store
        .claim_pairing(key_lookup(&keyring, key), new, lasts, from.to_string())
        .await;
    match claim.map_err(stored("pairing"))? {
        Claim::Made(..) => Ok(disclosed(&made)),
        Claim::Waiting => Ok(StatusCode::ACCEPTED.into_response()),
        Claim::Gone => {
            app.failures.admit(&from)?;
            app.count_failure(from, "");
            Err(Failure::new(
                ErrorCode::NotFound,
                "the code has ended, or its token was fetched already: ask for a new one",
            ))
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a token is hashed to be stored")]
fn hashed(keyring: &Keyring, made: &Value) -> [u8; 32] {
    let text = std::str::from_utf8(made.expose()).unwrap_or_default();
    token::lookup(keyring.derived(Label::TokenLookup), text)
}

/// The one answer that shows the token.
#[expect(
    clippy::disallowed_methods,
    reason = "a new token is shown once, to whom it was made for"
)]
fn disclosed(made: &Value) -> Response {
    // A token has no character that JSON would escape.
    let text = std::str::from_utf8(made.expose()).unwrap_or_default();
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (StatusCode::OK, kind, format!("{{\"token\":\"{text}\"}}")).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        assert_eq!(shown_code("bcdf-ghjk"), "BCDF-GHJK");
        assert_eq!(shown_code(" BCDF GHJK "), "BCDF-GHJK");
        assert_eq!(shown_code("BCDFGHJKLM"), "BCDF-GHJK");
        assert_eq!(shown_code("BC"), "BC");
        assert_eq!(shown_code("<script>"), "SCRP-T");
    }

    #[test]
    fn fresh_codes_differ_and_are_whole() {
        let (one, other) = (fresh_code(), fresh_code());
        assert_eq!(one.len(), LENGTH + 1);
        assert_eq!(shown_code(&one), one);
        assert_ne!(one, other);
    }
}
