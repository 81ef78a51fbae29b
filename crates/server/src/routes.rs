//! The one route table, and what every answer goes through.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use padclock_api::{ErrorCode, ErrorEnvelope};
use padclock_vault::Randomness;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate};

use crate::auth::ClientAddress;
use crate::failure::Failure;
use crate::handlers::{
    approvals, audit, egress, environments, executions, health, invitations, jobs, me, members,
    pairings, scan, secrets, tokens, workspaces,
};
use crate::state::App;
use crate::{disclose, doors, pages, random};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A call that the server takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// `GET`, `POST` …
    pub method: &'static str,
    /// As the router and the OpenAPI document name it: `/v1/jobs/{id}`.
    pub path: &'static str,
}

pub(crate) const fn method_of(function: &str) -> &'static str {
    match function.as_bytes() {
        b"get" => "GET",
        b"post" => "POST",
        b"put" => "PUT",
        b"patch" => "PATCH",
        b"delete" => "DELETE",
        _ => panic!("a route's method is none that is known here"),
    }
}

/// A table of routes, written once: the list that tests walk, and the router made of the same lines.
macro_rules! route_table {
    ($list:ident, $router:ident; $($path:literal: $($method:ident $handler:path),+;)*) => {
        pub(crate) const $list: &[$crate::routes::Route] = &[$($($crate::routes::Route {
            method: $crate::routes::method_of(stringify!($method)),
            path: $path,
        }),+),*];

        fn $router() -> axum::Router<$crate::state::App> {
            axum::Router::new()$(
                .route($path, axum::routing::MethodRouter::new()$(.$method($handler))+)
            )*
        }
    };
}
pub(crate) use route_table;

route_table! { NATIVE, table;
    "/healthz": get health::healthz;
    "/readyz": get health::readyz;
    "/metrics": get health::metrics;
    "/openapi.json": get health::openapi;
    "/v1/whoami": get me::whoami;
    "/v1/secrets": get secrets::list, post secrets::create;
    "/v1/secrets/{id}": get secrets::get, put secrets::replace, patch secrets::patch, delete secrets::delete;
    "/v1/secrets/{id}/value": get secrets::reveal::value;
    "/v1/secrets/{id}/versions": get secrets::versions::list;
    "/v1/secrets/{id}/usage": get secrets::usage::usage;
    "/v1/secrets/{id}/rollback": post secrets::versions::roll_back;
    "/v1/secrets/{id}/retire-previous": post secrets::versions::retire;
    "/v1/jobs": get jobs::list, post jobs::create;
    "/v1/jobs/{id}": get jobs::get, patch jobs::edit::patch, delete jobs::delete;
    "/v1/jobs/{id}/run-now": post jobs::run_now;
    "/v1/jobs/{id}/pause": post jobs::pause;
    "/v1/jobs/{id}/resume": post jobs::resume;
    "/v1/jobs/{id}/next": get jobs::next;
    "/v1/jobs/import": post jobs::import::import;
    "/v1/executions": get executions::list;
    "/v1/executions/{id}": get executions::get;
    "/v1/executions/{id}/replay": post executions::replay;
    "/v1/executions/{id}/cancel": post executions::cancel;
    "/v1/pairings": post pairings::create;
    "/v1/pairings/token": post pairings::token;
    "/v1/audit": get audit::list;
    "/v1/audit/export": get audit::export;
    "/v1/scan": get scan::list;
    "/v1/scan/history": post scan::history::search;
    "/v1/secrets/{id}/policy": post egress::policy;
    "/v1/secrets/{id}/proposed-policy": get egress::proposed;
    "/v1/approvals": get approvals::list;
    "/v1/approvals/{id}": get approvals::get;
    "/v1/approvals/{id}/approve": post approvals::approve;
    "/v1/approvals/{id}/reject": post approvals::reject;
    "/v1/workspaces": get workspaces::list, post workspaces::create;
    "/v1/workspaces/{id}": get workspaces::get, patch workspaces::patch;
    "/v1/members": get members::list, post members::create;
    "/v1/members/{id}": get members::get, patch members::patch, delete members::delete;
    "/v1/invitations": get invitations::list, post invitations::create;
    "/v1/invitations/{id}": delete invitations::delete;
    "/v1/tokens": get tokens::list, post tokens::create;
    "/v1/tokens/{id}": get tokens::get, delete tokens::delete;
    "/v1/environments": get environments::list, post environments::create;
    "/v1/environments/{name}": delete environments::delete;
}

/// Those of the native API.
#[cfg(test)]
pub(crate) fn native() -> &'static [Route] {
    NATIVE
}

/// Every call that the server takes, for the tests that try each of them.
#[must_use]
pub fn routes() -> Vec<Route> {
    [
        NATIVE,
        pages::ROUTES,
        doors::hookwatch::ROUTES,
        doors::hookwatch::ONE,
        doors::hooklistener::ROUTES,
    ]
    .concat()
}

/// The server's router.
pub(crate) fn router(app: App) -> Router {
    table()
        .merge(pages::routes())
        .merge(doors::hookwatch::routes())
        .merge(doors::hooklistener::routes())
        .fallback(|| async { Failure::new(ErrorCode::NotFound, "there is no such path") })
        .method_not_allowed_fallback(|| async {
            Failure::new(
                ErrorCode::MethodNotAllowed,
                "this path does not take that method; see Allow",
            )
        })
        .layer(CatchPanicLayer::custom(panicked))
        .layer(
            CompressionLayer::new()
                .compress_when(DefaultPredicate::new().and(disclose::compressible)),
        )
        .layer(middleware::from_fn_with_state(app.clone(), finish))
        .with_state(app)
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    // What it said may hold anything: the panic hook has logged its place, and nothing more is told.
    Failure::new(
        ErrorCode::Internal,
        "the call failed inside Padclock; the log of this node says where",
    )
    .into_response()
}

/// Gives every answer its id, its error body, its headers, and a place in the metrics.
async fn finish(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let client = client_address(&request, &app);
    request.extensions_mut().insert(client);
    let id = request_id(&request);
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("other", MatchedPath::as_str)
        .to_owned();
    let method = request.method().as_str().to_owned();
    let path = request.uri().path().to_owned();
    let response = match unknown_parameter(&request, &route) {
        Some(name) => {
            Failure::field(&name, "unknown_parameter", "this call does not take it").into_response()
        }
        None => next.run(request).await,
    };
    let mut response = doors::outside(&path, response).await;
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        response = with_body(response, &failure, &id);
    }
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, value);
    }
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if app.secure_cookies {
        // Whoever has come by TLS once never comes without it again.
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    let method = if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        "other"
    } else {
        known_method(&method)
    };
    app.metrics
        .requests
        .with_label_values(&[&route, method, response.status().as_str()])
        .observe(begun.elapsed().as_secs_f64());
    response
}

fn client_address(request: &Request, app: &App) -> ClientAddress {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(IpAddr::from([0, 0, 0, 0]), |info| info.0.ip());
    ClientAddress::of(peer, request.headers(), &app.trusted_proxies)
}

/// The parameters that calls take; every other is refused, for it was meant to do something.
const PARAMETERS: &[(&str, &str, &[&str])] = &[
    ("GET", "/v1/secrets", &["limit", "cursor", "due"]),
    ("DELETE", "/v1/secrets/{id}", &["if_unused"]),
    ("GET", "/v1/secrets/{id}/usage", &["limit", "cursor"]),
    ("GET", "/v1/jobs", &["limit", "cursor", "unresolved"]),
    ("POST", "/v1/jobs", &["dry_run"]),
    ("POST", "/v1/jobs/import", &["dry_run"]),
    ("GET", "/v1/jobs/{id}/next", &["n"]),
    ("GET", "/v1/scan", &["limit", "cursor"]),
    ("GET", "/sign-in", &["next"]),
    ("GET", "/pair", &["code"]),
    (
        "GET",
        "/v1/executions",
        &[
            "job_id", "status", "trigger", "from", "to", "limit", "cursor",
        ],
    ),
    ("GET", "/v1/approvals", &["limit", "cursor", "state"]),
    (
        "GET",
        "/v1/audit",
        &["actor", "action", "target", "from", "to", "limit", "cursor"],
    ),
    ("GET", "/v1/workspaces", &["limit", "cursor"]),
    ("GET", "/v1/members", &["limit", "cursor"]),
    ("GET", "/v1/invitations", &["limit", "cursor"]),
    ("GET", "/v1/tokens", &["all", "limit", "cursor"]),
    ("GET", "/v1/environments", &["limit", "cursor"]),
];

fn unknown_parameter(request: &Request, route: &str) -> Option<String> {
    let query = request.uri().query().filter(|_| !doors::is_door(route))?;
    let method = request.method().as_str();
    let taken = PARAMETERS
        .iter()
        .find(|(of, path, _)| *of == method && *path == route)
        .map_or(&[][..], |(_, _, names)| names);
    let names = query
        .split('&')
        .filter_map(|pair| pair.split('=').next())
        .filter(|name| !name.is_empty());
    names
        .into_iter()
        .find(|name| !taken.contains(name))
        .map(|name| name.chars().take(64).collect())
}

/// A method as the metrics name it: whatever else is sent must not make series of its own.
fn known_method(method: &str) -> &'static str {
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("other")
}

fn with_body(response: Response, failure: &Failure, id: &str) -> Response {
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    let body = Json(ErrorEnvelope {
        error: failure.body(id),
    })
    .into_response();
    parts.headers.extend(
        body.headers()
            .iter()
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    Response::from_parts(parts, body.into_body())
}

/// The caller's own id when it is a tame one, else a new one.
fn request_id(request: &Request) -> String {
    let given = request
        .headers()
        .get(&REQUEST_ID)
        .and_then(|value| value.to_str().ok());
    let tame = |text: &&str| {
        (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    given.filter(tame).map_or_else(new_id, str::to_owned)
}

fn new_id() -> String {
    let mut bytes = [0; 8];
    random::System::default().fill(&mut bytes);
    format!("req_{:016x}", u64::from_be_bytes(bytes))
}
