//! The one route table, and what every answer goes through.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use padclock_api::{ErrorCode, ErrorEnvelope};
use padclock_vault::Randomness;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate};

use crate::failure::Failure;
use crate::handlers::{
    approvals, audit, egress, executions, health, jobs, me, pairings, scan, secrets,
};
use crate::state::App;
use crate::{disclose, doors, pages, random};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Every path of the native API, as its OpenAPI document names it.
#[cfg(test)]
pub(crate) const DOCUMENTED: &[&str] = &[
    "/v1/whoami",
    "/v1/secrets",
    "/v1/secrets/{id}",
    "/v1/secrets/{id}/value",
    "/v1/secrets/{id}/versions",
    "/v1/secrets/{id}/usage",
    "/v1/secrets/{id}/rollback",
    "/v1/secrets/{id}/retire-previous",
    "/v1/jobs",
    "/v1/jobs/{id}",
    "/v1/jobs/{id}/run-now",
    "/v1/jobs/{id}/pause",
    "/v1/jobs/{id}/resume",
    "/v1/jobs/{id}/next",
    "/v1/executions",
    "/v1/executions/{id}",
    "/v1/executions/{id}/replay",
    "/v1/executions/{id}/cancel",
    "/v1/secrets/{id}/policy",
    "/v1/secrets/{id}/proposed-policy",
    "/v1/approvals",
    "/v1/approvals/{id}",
    "/v1/approvals/{id}/approve",
    "/v1/approvals/{id}/reject",
    "/v1/audit",
    "/v1/audit/export",
    "/v1/pairings",
    "/v1/pairings/token",
    "/v1/scan",
    "/v1/scan/history",
];

/// The server's router.
pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .route("/openapi.json", get(health::openapi))
        .route("/v1/whoami", get(me::whoami))
        .route("/v1/secrets", get(secrets::list).post(secrets::create))
        .route(
            "/v1/secrets/{id}",
            get(secrets::get)
                .put(secrets::replace)
                .patch(secrets::patch)
                .delete(secrets::delete),
        )
        .route("/v1/secrets/{id}/value", get(secrets::reveal::value))
        .route("/v1/secrets/{id}/versions", get(secrets::versions::list))
        .route("/v1/secrets/{id}/usage", get(secrets::usage::usage))
        .route(
            "/v1/secrets/{id}/rollback",
            post(secrets::versions::roll_back),
        )
        .route(
            "/v1/secrets/{id}/retire-previous",
            post(secrets::versions::retire),
        )
        .route("/v1/jobs", get(jobs::list).post(jobs::create))
        .route(
            "/v1/jobs/{id}",
            get(jobs::get).patch(jobs::edit::patch).delete(jobs::delete),
        )
        .route("/v1/jobs/{id}/run-now", post(jobs::run_now))
        .route("/v1/jobs/{id}/pause", post(jobs::pause))
        .route("/v1/jobs/{id}/resume", post(jobs::resume))
        .route("/v1/jobs/{id}/next", get(jobs::next))
        .route("/v1/executions", get(executions::list))
        .route("/v1/executions/{id}", get(executions::get))
        .route("/v1/executions/{id}/replay", post(executions::replay))
        .route("/v1/executions/{id}/cancel", post(executions::cancel))
        .route("/v1/secrets/{id}/policy", post(egress::policy))
        .route("/v1/secrets/{id}/proposed-policy", get(egress::proposed))
        .route("/v1/approvals", get(approvals::list))
        .route("/v1/approvals/{id}", get(approvals::get))
        .route("/v1/approvals/{id}/approve", post(approvals::approve))
        .route("/v1/approvals/{id}/reject", post(approvals::reject))
        .route("/v1/audit", get(audit::list))
        .route("/v1/audit/export", get(audit::export))
        .route("/v1/pairings", post(pairings::create))
        .route("/v1/pairings/token", post(pairings::token))
        .route("/v1/scan", get(scan::list))
        .route("/v1/scan/history", post(scan::history::search))
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
async fn finish(State(app): State<App>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = request_id(&request);
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("other", MatchedPath::as_str)
        .to_owned();
    let method = request.method().as_str().to_owned();
    let mut response = match unknown_parameter(&request, &route) {
        Some(name) => {
            Failure::field(&name, "unknown_parameter", "this call does not take it").into_response()
        }
        None => next.run(request).await,
    };
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
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    let method = if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        "other"
    } else {
        &method
    };
    app.metrics
        .requests
        .with_label_values(&[&route, method, response.status().as_str()])
        .observe(begun.elapsed().as_secs_f64());
    response
}

/// The parameters that calls take; every other is refused, for it was meant to do something.
const PARAMETERS: &[(&str, &str, &[&str])] = &[
    ("GET", "/v1/secrets", &["limit", "cursor", "due"]),
    ("DELETE", "/v1/secrets/{id}", &["if_unused"]),
    ("GET", "/v1/secrets/{id}/usage", &["limit", "cursor"]),
    ("GET", "/v1/jobs", &["limit", "cursor", "unresolved"]),
    ("POST", "/v1/jobs", &["dry_run"]),
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
