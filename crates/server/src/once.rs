//! The answers that hold what lets someone in: a new token, an invitation's link. Each is given once, by the call that made it.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use padclock_vault::Value;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::failure::{Answer, Failure};

/// Text that lets someone in, with what stands before it.
pub(crate) struct Issued<'a> {
    /// The answer's field.
    pub(crate) field: &'static str,
    /// What stands before it in that field: the address of a link.
    pub(crate) before: &'a str,
    pub(crate) value: &'a Value,
}

/// `known` as a JSON object, with the new token or link beside its fields. Its memory is wiped when it was sent, and nobody
/// on the way may keep it.
pub(crate) fn answer(
    status: StatusCode,
    known: &impl Serialize,
    issued: &Issued<'_>,
) -> Answer<Response> {
    let internal = || {
        Failure::new(
            padclock_api::ErrorCode::Internal,
            "the answer can't be written",
        )
    };
    let known = serde_json::to_string(known).map_err(|_| internal())?;
    let before = serde_json::to_string(issued.before).map_err(|_| internal())?;
    let (Some(fields), Some(before)) = (known.strip_suffix('}'), before.strip_suffix('"')) else {
        return Err(internal());
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "a new token is shown once, in the answer of the call that made it"
    )]
    let text = issued.value.expose();
    // Letters, digits and underscores alone: it stands in JSON as it is.
    if !text
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
    {
        return Err(internal());
    }
    let field = issued.field;
    // It never grows: growing would leave a copy behind that is not wiped.
    let length = fields.len() + field.len() + before.len() + text.len() + 8;
    let mut body = Zeroizing::new(Vec::with_capacity(length));
    body.extend_from_slice(format!("{fields},\"{field}\":{before}").as_bytes());
    body.extend_from_slice(text);
    body.extend_from_slice(b"\"}");
    let mut response = (status, Bytes::from_owner(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    async fn said(before: &str, value: &'static str) -> Option<serde_json::Value> {
        let issued = Issued {
            field: "token",
            before,
            value: &Value::new(value.as_bytes().to_vec()),
        };
        let response = answer(StatusCode::CREATED, &json!({"id": "x"}), &issued).ok()?;
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        let body = axum::body::to_bytes(response.into_body(), 1024)
            .await
            .unwrap();
        Some(serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn it_is_one_json_object() {
        assert_eq!(
            said("", "pck_0aZ").await,
            Some(json!({"id": "x", "token": "pck_0aZ"}))
        );
        assert_eq!(
            said("http://a\"b/#", "pcl_1").await,
            Some(json!({"id": "x", "token": "http://a\"b/#pcl_1"}))
        );
    }

    #[tokio::test]
    async fn nothing_but_a_token_goes_into_it() {
        assert_eq!(said("", "pck_\"}").await, None);
    }
}
