//! Where the client holds a value in plain: the token into its header, a value into the body that creates or replaces it,
//! a value that is read back, and a new token or link out of the one answer that holds it. What is made here is marked sensitive, or wiped when it was sent or read.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::HeaderValue;
use padclock_job::Moment;
use padclock_vault::Value;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use zeroize::{Zeroize, Zeroizing};

use super::{Answer, ClientError};
use crate::SecretId;
use crate::secret::{Revealed, SubmittedValue};

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
        token: SubmittedValue,
    }
    let shown: Shown =
        serde_json::from_slice(body).map_err(|_| ClientError::Unreadable("a token"))?;
    Ok(shown.token.0)
}

/// Something that was made together with text that lets someone in: a token, or an invitation's link.
// No `Debug`: it opens a workspace.
pub struct Made<T> {
    /// What is known of it, without that text.
    pub answer: Answer<T>,
    /// That text, which no other call answers.
    pub credential: Value,
}

/// Takes the credential out of the answer's `field`. What the transport collected is wiped, if nothing else holds it.
pub(super) fn made<T: DeserializeOwned>(body: Bytes, field: &str) -> Result<Made<T>, ClientError> {
    let read = read_made(&body, field);
    if let Ok(mut memory) = body.try_into_mut() {
        memory.as_mut().zeroize();
    }
    read
}

fn read_made<T: DeserializeOwned>(body: &[u8], field: &str) -> Result<Made<T>, ClientError> {
    let unreadable = || ClientError::Unreadable("a credential");
    // Each part as it stands in the body: a parser's own tree would keep a copy of the credential.
    let mut parts: BTreeMap<String, &RawValue> =
        serde_json::from_slice(body).map_err(|_| unreadable())?;
    let literal = parts.remove(field).ok_or_else(unreadable)?;
    let credential = unescaped(literal.get()).ok_or_else(unreadable)?;
    let json = serde_json::to_value(&parts).map_err(|_| unreadable())?;
    Ok(Made {
        answer: Answer::part(json)?,
        credential,
    })
}

/// A value that was read back. What the transport collected is wiped, if nothing else holds it.
pub(super) fn revealed(body: Bytes) -> Result<Revealed, ClientError> {
    let read = read_revealed(&body);
    if let Ok(mut memory) = body.try_into_mut() {
        memory.as_mut().zeroize();
    }
    read
}

fn read_revealed(body: &[u8]) -> Result<Revealed, ClientError> {
    #[derive(serde::Deserialize)]
    struct Shown<'b> {
        id: SecretId,
        name: String,
        #[serde(borrow)]
        value: &'b RawValue,
        decrypted_at: Moment,
    }
    let unreadable = || ClientError::Unreadable("a value");
    let shown: Shown<'_> = serde_json::from_slice(body).map_err(|_| unreadable())?;
    let value = unescaped(shown.value.get()).ok_or_else(unreadable)?;
    Ok(Revealed {
        id: shown.id,
        name: shown.name,
        value: SubmittedValue(value),
        decrypted_at: shown.decrypted_at,
    })
}

/// The text of a JSON string literal, straight into its value: a parser's own buffer would keep a copy.
fn unescaped(literal: &str) -> Option<Value> {
    let inner = literal.strip_prefix('"')?.strip_suffix('"')?;
    let mut text = Zeroizing::new(Vec::with_capacity(inner.len()));
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        text.extend_from_slice(&rest.as_bytes()[..at]);
        let (c, used) = escape(&rest[at + 1..])?;
        text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        rest = &rest[at + 1 + used..];
    }
    text.extend_from_slice(rest.as_bytes());
    Some(Value::new(std::mem::take(&mut *text)))
}

/// The character that follows a backslash stands for, and how many bytes say so (RFC 8259, section 7).
fn escape(text: &str) -> Option<(char, usize)> {
    let simple = match text.bytes().next()? {
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'u' => return unicode(text),
        same @ (b'"' | b'\\' | b'/') => char::from(same),
        _ => return None,
    };
    Some((simple, 1))
}

/// `uXXXX`, or two of them for a character beyond the first plane.
fn unicode(text: &str) -> Option<(char, usize)> {
    let unit = |at: usize| u16::from_str_radix(text.get(at..at + 4)?, 16).ok();
    let first = unit(1)?;
    let second = text
        .get(5..7)
        .filter(|mark| *mark == "\\u")
        .and_then(|_| unit(7));
    let units = [Some(first), second].into_iter().flatten();
    let c = char::decode_utf16(units).next()?.ok()?;
    Some((c, if c.len_utf16() == 2 { 11 } else { 5 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_as_it_was_written() {
        let awkward = "quote \" back \\ / line\n\r\t\u{8}\u{c} nul \u{0} \u{1f} é ☃ \u{1f511} \u{2028} \\u0041 \\";
        for text in ["", "plain", awkward] {
            let json = serde_json::json!({
                "id": format!("sec_{}", "0".repeat(26)), "name": "KEY", "value": text, "decrypted_at": "2026-03-15T10:00:00.000Z", "more": [1],
            });
            let read = revealed(json.to_string().into()).unwrap();
            assert_eq!(
                (read.name.as_str(), read.value.0),
                ("KEY", Value::new(text))
            );
        }
        assert_eq!(
            unescaped(r#""\u00e9\ud83d\udd11\/""#),
            Some(Value::new("é🔑/"))
        );
        for wrong in [r#""\ud83d""#, r#""\x""#, r#""\u12""#, "3", "null", "\"", ""] {
            assert_eq!(unescaped(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_credential_is_taken_out_of_what_was_made() {
        #[derive(serde::Deserialize)]
        struct Known {
            name: String,
        }
        let body = r#"{"name": "ci", "token": "pck_\u0061\/b", "more": {"token": 1}}"#;
        let made: Made<Known> = made(body.into(), "token").unwrap();
        assert_eq!(made.credential, Value::new("pck_a/b"));
        assert_eq!(made.answer.it.name, "ci");
        let rest = serde_json::json!({"name": "ci", "more": {"token": 1}});
        assert_eq!(made.answer.json, rest);
    }

    #[test]
    fn what_was_made_without_a_credential_is_unreadable() {
        for body in [
            "{}",
            "[]",
            r#"{"token": null}"#,
            r#"{"token": 7, "url": "pck_1"}"#,
            "pck_1",
        ] {
            let Err(told) = made::<serde_json::Value>(body.into(), "token") else {
                panic!("{body} was read");
            };
            assert!(!format!("{told} {told:?}").contains("pck_"));
        }
    }

    #[test]
    fn an_answer_of_another_shape_tells_nothing_of_itself() {
        for body in ["{}", "[]", "{\"value\": \"sk_live_1\"}", "sk_live_1"] {
            let told = revealed(body.to_owned().into()).unwrap_err();
            assert!(!format!("{told} {told:?}").contains("sk_live"));
        }
    }
}
