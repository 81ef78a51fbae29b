//! The two places of the client that read a value's bytes: the token into its header, a secret's value into the body
//! that creates or replaces it. What they make is marked sensitive, or wiped when it was sent.

use bytes::Bytes;
use http::HeaderValue;
use padclock_vault::Value;
use serde::Serialize;
use zeroize::Zeroizing;

use super::ClientError;

/// `Bearer TOKEN`, marked so that it is neither printed nor put into a compression table.
pub(super) fn bearer(token: &Value) -> Result<HeaderValue, ClientError> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the token goes into the Authorization header, and nowhere else"
    )]
    let bytes = token.expose();
    // Visible ASCII alone: a line end or a space in a token is a slip that would otherwise fail far from here.
    if bytes.is_empty() || !bytes.iter().all(u8::is_ascii_graphic) {
        return Err(ClientError::BadToken);
    }
    let mut text = Zeroizing::new(Vec::with_capacity(bytes.len() + 7));
    text.extend_from_slice(b"Bearer ");
    text.extend_from_slice(bytes);
    let mut header = HeaderValue::from_bytes(&text).map_err(|_| ClientError::BadToken)?;
    header.set_sensitive(true);
    Ok(header)
}

/// The JSON object of `fields` with `value` beside them. Its memory is wiped when the transport lets go of it.
pub(super) fn with_value(
    fields: &impl Serialize,
    value: &Value,
) -> Result<Option<Bytes>, ClientError> {
    #[derive(Serialize)]
    struct Body<'a, F> {
        #[serde(flatten)]
        fields: &'a F,
        value: &'a str,
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "this body is how a value gets to the server"
    )]
    let bytes = value.expose();
    let text = std::str::from_utf8(bytes).map_err(|_| ClientError::NotText)?;
    let others = serde_json::to_vec(fields)
        .map_err(|_| ClientError::Unwritable)?
        .len();
    // A byte takes six at most (`\u0001`), so this never grows: growing would leave an unwiped copy behind.
    let mut body = Zeroizing::new(Vec::with_capacity(others + 6 * text.len() + 16));
    serde_json::to_writer(
        &mut *body,
        &Body {
            fields,
            value: text,
        },
    )
    .map_err(|_| ClientError::Unwritable)?;
    Ok(Some(Bytes::from_owner(body)))
}

/// The `token` of an answer that shows one.
pub(super) fn token(body: &[u8]) -> Result<Value, ClientError> {
    #[derive(serde::Deserialize)]
    struct Shown {
        token: crate::secret::SubmittedValue,
    }
    let shown: Shown =
        serde_json::from_slice(body).map_err(|_| ClientError::Unreadable("a token"))?;
    Ok(shown.token.0)
}
