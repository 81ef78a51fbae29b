//! The error envelope that every native answer uses, and the closed list of its codes.
//!
//! A message says what is wrong and what would be right; it never repeats what was submitted as a value.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What kind of failure an answer reports; each has one HTTP status (API contract, conventions).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// 400: the request is not what this call takes; `details` says where.
    ValidationError,
    /// 401: no valid token.
    Unauthorized,
    /// 403: the token may not do this.
    Forbidden,
    /// 404: no such thing in the caller's workspace.
    NotFound,
    /// 405: the path exists, the method does not.
    MethodNotAllowed,
    /// 409: it contradicts what is there.
    Conflict,
    /// 412: `If-Match` names another version.
    PreconditionFailed,
    /// 413: larger than the limit.
    TooLarge,
    /// 415: a body of another type than the call takes.
    UnsupportedMediaType,
    /// 429: too many calls.
    RateLimited,
    /// 500: a fault of Padclock's.
    Internal,
    /// 503: it can't be done now; the message says why.
    Unavailable,
}

impl ErrorCode {
    /// The HTTP status that goes with the code.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::ValidationError => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Conflict => 409,
            Self::PreconditionFailed => 412,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::RateLimited => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorDetail {
    /// The path of the field, such as `request.headers.Authorization`; empty for the body as a whole.
    pub field: String,
    /// A short machine word, such as `unknown_variable`.
    pub code: String,
    /// What is wrong and what would be right.
    pub message: String,
    /// Where in the field's text, in bytes from its start.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub position: Option<usize>,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// The kind of failure.
    pub code: ErrorCode,
    /// For a person.
    pub message: String,
    /// Each thing that is wrong, when there are several or they have a place.
    #[serde(default)]
    pub details: Vec<ErrorDetail>,
    /// The same as the answer's `X-Request-Id`.
    #[serde(default)]
    pub request_id: String,
}

/// Every error answer: `{"error": {…}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorEnvelope {
    /// The failure.
    pub error: ErrorBody,
}
