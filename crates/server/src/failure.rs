//! What callers are told when something fails, and what only the log keeps.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use padclock_api::{ErrorBody, ErrorCode, ErrorDetail};
use padclock_job::Problem;
use padclock_store::StoreError;

/// The most details of one failure.
const MOST_DETAILS: usize = 100;

/// A failed call. The request's id is added on the way out.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) code: ErrorCode,
    message: String,
    details: Vec<ErrorDetail>,
    retry_after: Option<u64>,
}

/// A handler's answer.
pub(crate) type Answer<T> = Result<T, Failure>;

impl Failure {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            details: Vec::new(),
            retry_after: None,
        }
    }

    /// One field is wrong.
    pub(crate) fn field(field: &str, code: &str, message: impl Into<String>) -> Self {
        Self::invalid(vec![detail(field, code, message)])
    }

    /// Several things are wrong.
    pub(crate) fn invalid(details: Vec<ErrorDetail>) -> Self {
        let message = match details.as_slice() {
            [one] if one.field.is_empty() => one.message.clone(),
            [one] => format!("{}: {}", one.field, one.message),
            several => format!("{} fields are wrong; see details", several.len()),
        };
        Self::new(ErrorCode::ValidationError, message).with(details)
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(
            ErrorCode::NotFound,
            format!("there is no such {what} in this workspace"),
        )
    }

    /// With what it is about, at most a hundred lines of it.
    pub(crate) fn with(self, mut details: Vec<ErrorDetail>) -> Self {
        details.truncate(MOST_DETAILS);
        Self { details, ..self }
    }

    pub(crate) fn retry_after(self, seconds: u64) -> Self {
        Self {
            retry_after: Some(seconds),
            ..self
        }
    }

    /// What kind it is, as the record of a refusal says it.
    pub(crate) const fn code_word(&self) -> &'static str {
        match self.code {
            ErrorCode::Forbidden => "forbidden",
            ErrorCode::NotFound => "not_found",
            _ => "failed",
        }
    }

    /// As the envelope's body, for this request.
    pub(crate) fn body(&self, request_id: &str) -> ErrorBody {
        ErrorBody {
            code: self.code,
            message: self.message.clone(),
            details: self.details.clone(),
            request_id: request_id.to_owned(),
        }
    }
}

/// One thing that is wrong.
pub(crate) fn detail(field: &str, code: &str, message: impl Into<String>) -> ErrorDetail {
    ErrorDetail {
        field: field.to_owned(),
        code: code.to_owned(),
        message: message.into(),
        position: None,
    }
}

/// What a job's compiler found, as details.
pub(crate) fn problems(found: Vec<Problem>) -> Failure {
    let detail = |problem: Problem| ErrorDetail {
        field: problem.field,
        code: problem.code.to_owned(),
        message: problem.message,
        position: problem.position,
    };
    Failure::invalid(found.into_iter().map(detail).collect())
}

/// What a store's error means to a caller who asked for a `what`.
pub(crate) fn stored(what: &'static str) -> impl Fn(StoreError) -> Failure {
    move |error| match error {
        StoreError::NotFound => Failure::not_found(what),
        StoreError::Conflict(of) => {
            Failure::new(ErrorCode::Conflict, format!("{of} already exists"))
        }
        StoreError::Changed => Failure::new(
            ErrorCode::PreconditionFailed,
            format!("the {what} has changed since it was read; read it again"),
        ),
        StoreError::Ended => Failure::new(
            ErrorCode::Conflict,
            format!("the {what} has ended; create it again, under the same name if you like"),
        ),
        StoreError::PolicyRequired => Failure::field(
            "egress",
            "egress_policy_required",
            "this workspace requires an egress policy: name at least `hosts`",
        ),
        StoreError::Closed => Failure::new(
            ErrorCode::Conflict,
            format!(
                "the {what} is no longer open: it was decided, has expired, or its secret has changed since; ask again"
            ),
        ),
        StoreError::Unavailable(why) => {
            tracing::warn!(why, "the store is unavailable");
            Failure::new(
                ErrorCode::Unavailable,
                format!("the database is unavailable: {why}"),
            )
            .retry_after(1)
        }
        other => {
            tracing::error!(error = %other, "the store failed");
            Failure::new(
                ErrorCode::Internal,
                "the store failed; the log of this node says how",
            )
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.code == ErrorCode::Unauthorized {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // The outermost layer writes the body, with the request's id.
        response.extensions_mut().insert(self);
        response
    }
}
