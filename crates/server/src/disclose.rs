//! The one place of the server that writes a value into an answer, and a new token or link into the one answer that holds
//! it. The answer's memory is wiped when it was sent, and
//! nothing on the way out keeps or compresses it.

use axum::body::{Body, Bytes};
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use padclock_vault::Value;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::failure::Answer;
use crate::failure::Failure;

/// Marks an answer that no layer may compress: a compressor keeps what it has read, and the length of what it makes
/// tells of the contents.
#[derive(Debug, Clone, Copy)]
struct Plain;

/// Whether an answer may be compressed.
pub(crate) fn compressible(
    _: StatusCode,
    _: Version,
    _: &HeaderMap,
    extensions: &Extensions,
) -> bool {
    extensions.get::<Plain>().is_none()
}

/// The JSON object of `fields` with `value` beside them.
pub(crate) fn with_value(fields: &impl Serialize, value: &Value) -> Answer<Response> {
    #[derive(Serialize)]
    struct Disclosed<'a, F> {
        #[serde(flatten)]
        fields: &'a F,
        value: &'a str,
    }
    let unwritable = || {
        Failure::new(
            padclock_api::ErrorCode::Internal,
            "the value can't be written as JSON",
        )
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "this answer is how a value gets to a caller who may reveal it"
    )]
    let bytes = value.expose();
    let text = std::str::from_utf8(bytes).map_err(|_| unwritable())?;
    let others = serde_json::to_vec(fields).map_err(|_| unwritable())?.len();
    // A byte takes six at most (`\u0001`), so this never grows: growing would leave an unwiped copy behind.
    let mut body = Zeroizing::new(Vec::with_capacity(others + 6 * text.len() + 16));
    let disclosed = Disclosed {
        fields,
        value: text,
    };
    serde_json::to_writer(&mut *body, &disclosed).map_err(|_| unwritable())?;
    let mut response = Response::new(Body::from(Bytes::from_owner(body)));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.extensions_mut().insert(Plain);
    Ok(response)
}

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
pub(crate) fn issued(
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
    response.extensions_mut().insert(Plain);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn each_value_is_written_whole_and_escaped_and_marked() {
        for text in [
            "plain",
            "quote \" back \\ line\n\r\t nul \u{0} esc \u{1b}",
            "é ☃ \u{1f511} \u{2028}",
            &"\u{1}".repeat(1_000),
        ] {
            let fields = json!({"id": "sec_1", "name": "KEY"});
            let response = with_value(&fields, &Value::new(text)).unwrap();
            let (parts, body) = response.into_parts();
            assert_eq!(parts.headers[header::CACHE_CONTROL], "no-store");
            assert!(!compressible(
                parts.status,
                parts.version,
                &parts.headers,
                &parts.extensions
            ));
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let read: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(read, json!({"id": "sec_1", "name": "KEY", "value": text}));
        }
        let broken = with_value(&json!({}), &Value::new(vec![0xff, 0xfe]));
        assert_eq!(broken.unwrap_err().code, padclock_api::ErrorCode::Internal);
    }

    async fn said(before: &str, value: &'static str) -> Option<serde_json::Value> {
        let issued = Issued {
            field: "token",
            before,
            value: &Value::new(value.as_bytes().to_vec()),
        };
        let response = super::issued(StatusCode::CREATED, &json!({"id": "x"}), &issued).ok()?;
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
