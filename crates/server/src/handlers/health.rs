//! Whether the node lives, whether it can serve, what it counts, and what its API is.

use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use padclock_api::ErrorCode;

use crate::failure::{Answer, Failure, stored};
use crate::state::App;

/// Answers as long as the process does.
pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}

/// Answers 200 when calls can be served, 503 with the reason when not. What does not stop the node and someone should see
/// to stands in further lines.
pub(crate) async fn readyz(State(app): State<App>) -> Answer<String> {
    if app.stopping.load(Ordering::Relaxed) {
        return Err(Failure::new(ErrorCode::Unavailable, "the node is stopping"));
    }
    app.store.now().await.map_err(stored("node"))?;
    if let Some(why) = app.metrics.audit.unwritable(&app.store).await {
        return Err(Failure::new(
            ErrorCode::Unavailable,
            format!("the audit can't be written, so nothing is started or revealed: {why}"),
        ));
    }
    if let Some(why) = app.metrics.claims_failing() {
        return Err(Failure::new(
            ErrorCode::Unavailable,
            format!("the audit can't be written, so nothing is started: {why}"),
        ));
    }
    let mut text = "ready\n".to_owned();
    for worry in app.metrics.audit.worries() {
        text.push_str(&worry);
        text.push('\n');
    }
    Ok(text)
}

/// Counters, for Prometheus.
pub(crate) async fn metrics(State(app): State<App>) -> Response {
    (
        [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )],
        app.metrics.text(),
    )
        .into_response()
}

/// The API, as OpenAPI 3.1.
pub(crate) async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(crate::openapi::document())
}
