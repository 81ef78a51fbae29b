//! JSON that is given as text: credentials in its strings become references, and all else stays byte for byte.

use padclock_vault::Place as InRequest;
use zeroize::Zeroizing;

use crate::draft::literal;
use crate::names;
use crate::secrets::{Context, Secrets, Spoken, Uses};
use crate::shell::Reason;

/// The text with references in place of credentials.
pub(crate) fn replace(
    secrets: &mut Secrets<'_>,
    job: &mut Uses<'_>,
    text: &str,
) -> Result<String, Reason> {
    let mut out = String::new();
    let mut key = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('"') {
        out.push_str(&literal(&rest[..start]));
        let length = string_length(&rest[start..]);
        let token = &rest[start..start + length];
        rest = &rest[start + length..];
        let Ok(decoded) = serde_json::from_str::<String>(token).map(Zeroizing::new) else {
            out.push_str(&literal(token));
            continue;
        };
        if rest.trim_start().starts_with(':') {
            key.clone_from(&decoded);
            out.push_str(&literal(token));
            continue;
        }
        let replaced = leaf(secrets, job, &key, &decoded, &|text| literal(&inside(text)))?;
        match replaced {
            Some(text) => out.push_str(&format!("\"{text}\"")),
            None => out.push_str(&literal(token)),
        }
    }
    out.push_str(&literal(rest));
    Ok(out)
}

/// One string under this key; nothing when it holds no credential.
pub(crate) fn leaf(
    secrets: &mut Secrets<'_>,
    job: &mut Uses<'_>,
    key: &str,
    text: &str,
    literal: &dyn Fn(&str) -> String,
) -> Result<Option<String>, Reason> {
    let field = format!("request.body.{key}");
    let at = Spoken {
        context: Context {
            field: &field,
            name: key,
        },
        place: InRequest::Body,
    };
    let by_name = (names::tells_credential(key) && text.len() >= 4).then_some(0..text.len());
    secrets.replace(job, at, text, by_name, literal)
}

/// The length of a string literal with both quotes; the whole rest when it is never closed.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// A text as it stands inside of a string literal.
fn inside(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}
