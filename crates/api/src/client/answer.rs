//! Answers: a success is read, a failure becomes the error that its envelope tells.

use http::header::ETAG;
use serde::de::DeserializeOwned;

use super::ClientError;
use super::transport::Reply;
use crate::{ErrorBody, ErrorCode, ErrorDetail};

/// One thing that the server answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer<T> {
    /// As this version knows it.
    pub it: T,
    /// As it was sent, fields that this version does not know included.
    pub json: serde_json::Value,
    /// Which version of the thing it is, for `If-Match` and `If-None-Match`.
    pub etag: Option<String>,
}

impl<T: DeserializeOwned> Answer<T> {
    /// One that came within another answer.
    pub(super) fn part(json: serde_json::Value) -> Result<Self, ClientError> {
        let it = T::deserialize(&json).map_err(|_| ClientError::Unreadable("a field"))?;
        Ok(Self {
            it,
            json,
            etag: None,
        })
    }
}

/// Reads a success.
pub(super) fn read<T: DeserializeOwned>(reply: Reply) -> Result<Answer<T>, ClientError> {
    let json =
        serde_json::from_slice(&reply.body).map_err(|_| ClientError::Unreadable("a body"))?;
    let etag = reply
        .headers
        .get(ETAG)
        .and_then(|tag| tag.to_str().ok())
        .map(str::to_owned);
    Ok(Answer {
        etag,
        ..Answer::part(json)?
    })
}

/// The answer if it is a success, its error otherwise. `304` counts as a success: it is asked for.
pub(super) fn success(reply: Reply) -> Result<Reply, ClientError> {
    match reply.status {
        200..=299 | 304 => Ok(reply),
        status @ 300..=399 => Err(ClientError::Redirected { status }),
        status => Err(refusal(&reply.body, status)
            .map_or(ClientError::Foreign { status }, ClientError::Refused)),
    }
}

/// The envelope, if it is one. A code that this version does not know is taken from the status.
fn refusal(body: &[u8], status: u16) -> Option<Box<ErrorBody>> {
    let json: serde_json::Value = serde_json::from_slice(body).ok()?;
    let error = json.get("error")?.as_object()?;
    let text = |field: &str| {
        error
            .get(field)
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let code = error
        .get("code")
        .and_then(|code| serde_json::from_value(code.clone()).ok());
    let details = error
        .get("details")
        .and_then(serde_json::Value::as_array)
        .into_iter()
        .flatten();
    Some(Box::new(ErrorBody {
        code: code.unwrap_or_else(|| code_of(status)),
        message: error.get("message")?.as_str()?.to_owned(),
        details: details
            .filter_map(|detail| serde_json::from_value::<ErrorDetail>(detail.clone()).ok())
            .collect(),
        request_id: text("request_id"),
    }))
}

fn code_of(status: u16) -> ErrorCode {
    match status {
        401 => ErrorCode::Unauthorized,
        403 => ErrorCode::Forbidden,
        404 | 410 => ErrorCode::NotFound,
        405 => ErrorCode::MethodNotAllowed,
        409 => ErrorCode::Conflict,
        412 | 428 => ErrorCode::PreconditionFailed,
        413 => ErrorCode::TooLarge,
        415 => ErrorCode::UnsupportedMediaType,
        429 => ErrorCode::RateLimited,
        400..=499 => ErrorCode::ValidationError,
        502..=504 => ErrorCode::Unavailable,
        _ => ErrorCode::Internal,
    }
}
