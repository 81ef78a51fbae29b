//! The pages for people: to set up, sign in, accept an invitation, and let a command line in. What they do is done by the
//! store; a page answers HTML whose only script and style are our own.

mod home;
mod link;
mod pair;
mod sign_in;

use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use padclock_api::ErrorCode;

use crate::auth::session::{Visitor, same_origin};
use crate::failure::Failure;
use crate::routes::route_table;
use crate::state::App;

/// The largest form, in bytes.
const LARGEST: usize = 16 * 1024;
/// The longest that a form may take to arrive.
const SLOWEST: Duration = Duration::from_secs(10);
/// Nothing but our own style, script and forms; in no frame.
const CSP: &str = "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
const NOT_OURS: &str = "This form did not come from a page of this server that was opened in this browser. Please try again.";

route_table! { ROUTES, table;
    "/": get home::home;
    "/sign-in": get sign_in::page, post sign_in::submit;
    "/sign-out": post sign_in::out;
    "/setup": get link::set_up_page, post link::set_up;
    "/invite": get link::invite_page, post link::join;
    "/pair": get pair::page_with_code, post pair::submit;
    "/assets/padclock.css": get style;
    "/assets/link.js": get script;
}

/// The pages' routes.
pub(crate) fn routes() -> Router<App> {
    table()
        .layer(DefaultBodyLimit::max(LARGEST))
        .layer(middleware::from_fn(whole))
}

/// Reads a form to its end before it is looked at: one that comes too slowly holds a place for seconds only.
async fn whole(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let read = tokio::time::timeout(SLOWEST, axum::body::to_bytes(body, LARGEST)).await;
    match read {
        Ok(Ok(bytes)) => {
            next.run(Request::from_parts(parts, Body::from(bytes)))
                .await
        }
        Ok(Err(_)) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}

async fn style() -> Response {
    asset(
        "text/css; charset=utf-8",
        include_str!("../assets/padclock.css"),
    )
}

async fn script() -> Response {
    asset(
        "text/javascript; charset=utf-8",
        include_str!("../assets/link.js"),
    )
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, text).into_response()
}

/// A page, for this visitor.
fn page(status: StatusCode, visitor: &Visitor, template: &impl Template) -> Response {
    let Ok(text) = template.render() else {
        return Failure::new(ErrorCode::Internal, "the page could not be made").into_response();
    };
    let mut response = (status, Html(text)).into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CSP),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Some(cookie) = &visitor.sets {
        headers.append(header::SET_COOKIE, cookie.clone());
    }
    response
}

/// To another page of ours, by GET.
fn to(path: &str, cookie: Option<HeaderValue>) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    let location = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    headers.insert(header::LOCATION, location);
    if let Some(cookie) = cookie {
        headers.append(header::SET_COOKIE, cookie);
    }
    response
}

/// Whether a form is to be believed: it has this browser's tag, and comes from a page of this server.
fn believed(visitor: &Visitor, headers: &HeaderMap, csrf: &str) -> bool {
    visitor.sent(csrf) && same_origin(headers)
}

/// A problem as a person reads it on a page.
fn told(failure: &Failure) -> String {
    let body = failure.body("");
    let mut text = body.message;
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text.push('.');
    text
}
