//! Doors: API surfaces shaped like other systems'. Each is a thin translation of requests, answers and errors, in a file
//! of its own; what is done, and who may do it, is decided where the native API decides it.

pub(crate) mod hooklistener;
pub(crate) mod hookwatch;

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use padclock_api::ErrorBody;
use serde::Serialize;

use crate::auth::Caller;
use crate::failure::Failure;

/// The paths that doors begin with: they take what their documents do not name and pass it by.
const PATHS: [&str; 2] = [hookwatch::PATH, hooklistener::PATH];

/// Whether a route is a door's.
pub(crate) fn is_door(route: &str) -> bool {
    PATHS.iter().any(|path| route.starts_with(path))
}

/// What fails before a door's own code is reached, such as a method that it does not take, in the door's shape.
pub(crate) async fn outside(path: &str, response: Response) -> Response {
    if path.starts_with(hookwatch::PATH) {
        hookwatch::errors(response).await
    } else if path.starts_with(hooklistener::PATH) {
        hooklistener::errors(response).await
    } else {
        response
    }
}

/// Gives a failed call the body that its door's document has.
fn reshaped<T: Serialize>(
    mut response: Response,
    shape: impl FnOnce(&ErrorBody) -> (StatusCode, T),
) -> Response {
    let Some(failure) = response.extensions_mut().remove::<Failure>() else {
        return response;
    };
    let (status, body) = shape(&failure.body(""));
    let mut shaped = (status, Json(body)).into_response();
    for name in [header::RETRY_AFTER, header::WWW_AUTHENTICATE] {
        if let Some(value) = response.headers().get(&name) {
            shaped.headers_mut().insert(name, value.clone());
        }
    }
    shaped
}

/// The status that a failure has by itself.
fn status(body: &ErrorBody) -> StatusCode {
    StatusCode::from_u16(body.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Whether a caller's workspace is the one that a call names, by its id or by its name.
fn is_own<P>(caller: &Caller<P>, workspace: &str) -> bool {
    caller.workspace().to_string() == workspace || caller.identity.workspace_name == workspace
}
