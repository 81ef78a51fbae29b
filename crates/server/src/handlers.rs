//! The calls of the API, one file per resource: parameters, answer, body, from top to bottom.

pub(crate) mod approvals;
pub(crate) mod audit;
pub(crate) mod egress;
pub(crate) mod environments;
pub(crate) mod executions;
pub(crate) mod health;
pub(crate) mod invitations;
pub(crate) mod jobs;
pub(crate) mod me;
pub(crate) mod members;
pub(crate) mod pairings;
pub(crate) mod scan;
pub(crate) mod secrets;
pub(crate) mod tokens;
pub(crate) mod workspaces;

use axum::Json;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use padclock_api::{ErrorCode, Page};
use padclock_vault::Label;
use serde::Serialize;

use crate::auth::Caller;
use crate::failure::{Answer, Failure, stored};
use crate::input;
use crate::state::App;

/// A page of a list, with the next one's address in `Link`.
fn page<T: Serialize>(
    path: &str,
    items: Vec<T>,
    limit: u32,
    cursor_of: impl Fn(&T) -> String,
) -> Response {
    let full = items.len() == limit as usize;
    let next_cursor = if full {
        items.last().map(cursor_of)
    } else {
        None
    };
    page_from(path, items, limit, next_cursor)
}

/// A page of a list that goes on from a cursor of its own, though it may not be full.
fn page_from<T: Serialize>(
    path: &str,
    items: Vec<T>,
    limit: u32,
    next_cursor: Option<String>,
) -> Response {
    let join = if path.contains('?') { '&' } else { '?' };
    let link = next_cursor
        .as_ref()
        .map(|cursor| format!("<{path}{join}limit={limit}&cursor={cursor}>; rel=\"next\""));
    let mut response = Json(Page { items, next_cursor }).into_response();
    if let Some(link) = link.and_then(|link| HeaderValue::from_str(&link).ok()) {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

/// One object, with the tag that `If-Match` takes.
fn tagged<T: Serialize>(status: StatusCode, body: &T, revision: u32) -> Response {
    let mut response = (status, Json(body)).into_response();
    put(&mut response, header::ETAG, &format!("\"{revision}\""));
    response
}

fn put(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// A creation that bears an `Idempotency-Key`: the id that the new object is to have, and whether the key was seen before.
async fn reserve<P>(
    app: &App,
    caller: &Caller<P>,
    headers: &HeaderMap,
    call: (&str, &[u8]),
    id: [u8; 16],
) -> Answer<([u8; 16], bool)> {
    let Some(key) = input::idempotency_key(headers)? else {
        return Ok((id, false));
    };
    let (path, body) = call;
    // Keyed, so that what is stored tells nothing of the body.
    let fingerprint = app.keyrings.now().derived(Label::TokenLookup).mac(&[
        b"idempotency",
        path.as_bytes(),
        body,
    ]);
    let reserved = app
        .store
        .reserve(caller.workspace(), key, fingerprint, id)
        .await
        .map_err(stored("request"))?;
    Ok((reserved.target, !reserved.fresh))
}

/// What a call made is answered once: a repetition of the call can't be told it.
fn refuse_showing_again(shown: bool) -> Answer<()> {
    if shown {
        return Err(Failure::new(
            ErrorCode::Conflict,
            "this Idempotency-Key has made one already, and it is shown only once; delete that one and use another key",
        ));
    }
    Ok(())
}

/// The longest name of a workspace, a member or a token.
const MAX_LABEL: usize = 64;

/// Refuses what is no name for people to read.
fn check_label(field: &str, name: &str) -> Answer<()> {
    let fits = (1..=MAX_LABEL).contains(&name.chars().count());
    if !fits || name.trim() != name || name.chars().any(char::is_control) {
        let message = format!(
            "must be 1 to {MAX_LABEL} characters, with no control character and no space around it"
        );
        return Err(Failure::field(field, "bad_name", message));
    }
    Ok(())
}

/// Refuses text that is too long or holds control characters.
fn check_text(field: &str, text: Option<&str>, most: usize) -> Answer<()> {
    let Some(text) = text else { return Ok(()) };
    if text.chars().count() > most {
        return Err(Failure::field(
            field,
            "too_long",
            format!("must be at most {most} characters"),
        ));
    }
    if text
        .chars()
        .any(|character| character.is_control() && character != '\n' && character != '\t')
    {
        return Err(Failure::field(
            field,
            "control_character",
            "must hold no control characters",
        ));
    }
    Ok(())
}
