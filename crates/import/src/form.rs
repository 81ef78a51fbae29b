//! `a=1&b=2`, as in queries and form bodies: pairs are decoded where a credential may stand, and stay byte for byte where none does.

use padclock_vault::Place as InRequest;
use zeroize::Zeroizing;

use crate::draft::literal;
use crate::names;
use crate::secrets::{Context, Secrets, Spoken, Uses};
use crate::shell::Reason;
use crate::url;

/// The pairs with references in place of credentials.
pub(crate) fn replace(
    secrets: &mut Secrets<'_>,
    job: &mut Uses<'_>,
    place: InRequest,
    text: &str,
) -> Result<String, Reason> {
    let mut pairs = Vec::new();
    for pair in text.split('&') {
        pairs.push(one(secrets, job, place, pair)?);
    }
    Ok(pairs.join("&"))
}

fn one(
    secrets: &mut Secrets<'_>,
    job: &mut Uses<'_>,
    place: InRequest,
    pair: &str,
) -> Result<String, Reason> {
    let Some((name, raw)) = pair.split_once('=') else {
        return whole(secrets, job, place, pair);
    };
    let value = plus_decoded(raw);
    let key = plus_decoded(name);
    let field = format!(
        "request.{}.{}",
        if place == InRequest::Query {
            "query"
        } else {
            "body"
        },
        key.as_str()
    );
    let at = Spoken {
        context: Context {
            field: &field,
            name: &key,
        },
        place,
    };
    let telling = names::tells_credential(&key) && value.len() >= 4;
    let by_name = telling.then_some(0..value.len());
    let replaced = secrets.replace(job, at, &value, by_name, &|text| {
        literal(&url::encode(text))
    })?;
    Ok(format!(
        "{}={}",
        literal(name),
        replaced.unwrap_or_else(|| literal(raw))
    ))
}

/// A pair without `=` may still be a credential.
fn whole(
    secrets: &mut Secrets<'_>,
    job: &mut Uses<'_>,
    place: InRequest,
    text: &str,
) -> Result<String, Reason> {
    let decoded = plus_decoded(text);
    let field = if place == InRequest::Query {
        "request.query"
    } else {
        "request.body"
    };
    let at = Spoken {
        context: Context { field, name: "" },
        place,
    };
    let replaced = secrets.replace(job, at, &decoded, None, &|text| literal(&url::encode(text)))?;
    Ok(replaced.unwrap_or_else(|| literal(text)))
}

fn plus_decoded(text: &str) -> Zeroizing<String> {
    url::decode(&text.replace('+', " "))
}
