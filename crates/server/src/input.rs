//! Reading what callers send: bodies, paths and queries, with errors that name the field and never quote a value.

mod depth;
mod shape;
mod words;

use std::error::Error;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use http_body_util::LengthLimitError;
use padclock_api::ids::Kind;
use padclock_api::page::{DEFAULT_LIMIT, MAX_LIMIT};
use padclock_api::{ErrorCode, Id};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use self::shape::Shape;

use crate::failure::{Answer, Failure};
use crate::state::App;

/// The largest request body, in bytes.
pub(crate) const MAX_BODY: usize = 1024 * 1024;
/// The longest that a body may take to arrive.
const SLOWEST_BODY: Duration = Duration::from_secs(30);
/// The deepest JSON.
pub(crate) const MAX_DEPTH: usize = 64;

/// A JSON body, checked before any of it is looked at.
pub(crate) struct Body<T> {
    pub(crate) value: T,
    /// As it came, to tell a repetition of the same request from another one.
    pub(crate) raw: Bytes,
}

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &App) -> Answer<Self> {
        require_json(request.headers())?;
        let raw = read(request).await?;
        objects_only(&raw)?;
        Ok(Self {
            value: parse(&raw)?,
            raw,
        })
    }
}

async fn read(request: Request) -> Answer<Bytes> {
    let given = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok())
        .map(str::to_owned);
    let body = axum::body::to_bytes(request.into_body(), MAX_BODY);
    let broken = |message: &str| Failure::field("", "broken_body", message);
    match tokio::time::timeout(SLOWEST_BODY, body).await {
        Ok(Ok(raw)) => Ok(raw),
        Ok(Err(error))
            if error
                .source()
                .is_some_and(|source| source.is::<LengthLimitError>()) =>
        {
            let given = given.map_or_else(|| "more".to_owned(), |length| format!("{length} bytes"));
            let message =
                format!("the request body may have at most {MAX_BODY} bytes; it has {given}");
            Err(Failure::new(ErrorCode::TooLarge, message))
        }
        Ok(Err(_)) => Err(broken("the request body broke off")),
        Err(_) => Err(broken("the request body took longer than 30 s")),
    }
}

fn require_json(headers: &HeaderMap) -> Answer<()> {
    let Some(given) = headers.get(header::CONTENT_TYPE) else {
        return Ok(());
    };
    let media = given
        .to_str()
        .unwrap_or("")
        .split(';')
        .next()
        .unwrap_or("")
        .trim();
    let json = media.eq_ignore_ascii_case("application/json")
        || (media.starts_with("application/") && media.ends_with("+json"));
    // curl -d says this when it is not told otherwise.
    let plain_curl = media.eq_ignore_ascii_case("application/x-www-form-urlencoded");
    if json {
        Ok(())
    } else if plain_curl {
        Err(Failure::new(
            ErrorCode::UnsupportedMediaType,
            "send JSON, with Content-Type: application/json",
        ))
    } else {
        Err(Failure::new(
            ErrorCode::UnsupportedMediaType,
            "this call takes application/json",
        ))
    }
}

/// Parses JSON into `T`; what is wrong is said by field.
pub(crate) fn parse<T: DeserializeOwned>(raw: &[u8]) -> Answer<T> {
    if raw.iter().all(u8::is_ascii_whitespace) {
        return Err(Failure::field("", "missing_body", "a JSON body is needed"));
    }
    if depth::of(raw) > MAX_DEPTH {
        return Err(Failure::field(
            "",
            "too_deep",
            format!("the JSON is nested deeper than {MAX_DEPTH} levels"),
        ));
    }
    let mut reader = serde_json::Deserializer::from_slice(raw);
    let parsed =
        serde_path_to_error::deserialize(&mut reader).map_err(|error| words::of(&error))?;
    reader.end().map_err(|error| words::of_syntax(&error))?;
    Ok(parsed)
}

/// Fields whose value is an object, wherever they stand in a body.
const OBJECTS: &[&str] = &[
    "schedule",
    "request",
    "request.auth",
    "request.auth.basic",
    "request.auth.bearer",
    "request.auth.awsv4",
    "request.auth.oauth2_client_credentials",
    "retry",
    "egress",
];

/// Refuses arrays where objects belong: the parser would take their items for the fields, in order.
fn objects_only(raw: &[u8]) -> Answer<()> {
    // What is no JSON at all is told about when it is parsed in earnest.
    let Ok(body) = serde_json::from_slice::<Shape>(raw) else {
        return Ok(());
    };
    let refused = |field: &str| Err(Failure::field(field, "wrong_type", "expected an object"));
    if !matches!(body, Shape::Object(_)) {
        return refused("");
    }
    match OBJECTS
        .iter()
        .find(|field| body.at(field) == Some(&Shape::Array))
    {
        Some(field) => refused(field),
        None => Ok(()),
    }
}

/// As [`parse`], from JSON that was already read.
pub(crate) fn parse_value<T: DeserializeOwned>(value: serde_json::Value) -> Answer<T> {
    serde_path_to_error::deserialize(value).map_err(|error| words::of(&error))
}

/// The id in the path. One that is malformed names nothing, so it is 404 like one that is unknown.
pub(crate) struct PathId<K>(pub(crate) Id<K>);

impl<K: Kind> FromRequestParts<App> for PathId<K> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Answer<Self> {
        let unknown = || {
            Failure::new(
                ErrorCode::NotFound,
                format!("no such id: one of the form {}_… is expected", K::PREFIX),
            )
        };
        let Path(text) = Path::<String>::from_request_parts(parts, app)
            .await
            .map_err(|_| unknown())?;
        text.parse().map(PathId).map_err(|_| unknown())
    }
}

/// The query of a call, unknown parameters refused.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Params<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Answer<Self> {
        let query = Query::<T>::from_request_parts(parts, app).await;
        let Query(params) = query.map_err(|error| words::of_query(&error.body_text()))?;
        Ok(Self(params))
    }
}

/// The parameters that every list takes.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paging {
    limit: Option<u32>,
    pub(crate) cursor: Option<String>,
}

/// How many items a page is to hold.
pub(crate) fn page_size(limit: Option<u32>) -> Answer<u32> {
    match limit.unwrap_or(DEFAULT_LIMIT) {
        limit @ 1..=MAX_LIMIT => Ok(limit),
        _ => Err(Failure::field(
            "limit",
            "out_of_range",
            format!("must be 1 to {MAX_LIMIT}"),
        )),
    }
}

impl Paging {
    pub(crate) fn limit(&self) -> Answer<u32> {
        page_size(self.limit)
    }
}

/// The cursor of a page: the id after which it begins.
pub(crate) fn cursor<K: Kind>(text: Option<&str>) -> Answer<Option<Id<K>>> {
    let bad = |_| Failure::field("cursor", "bad_cursor", "must be a next_cursor of this list");
    text.map(|text| text.parse().map_err(bad)).transpose()
}

/// The revision that `If-Match` names; none when it is absent or `*`.
pub(crate) fn if_match(headers: &HeaderMap) -> Answer<Option<u32>> {
    let Some(header) = headers.get(header::IF_MATCH) else {
        return Ok(None);
    };
    let text = header.to_str().unwrap_or("").trim();
    if text == "*" {
        return Ok(None);
    }
    let revision = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .and_then(|digits| digits.parse().ok());
    // A tag that was never given out matches nothing.
    Ok(Some(revision.unwrap_or(0)))
}

/// The `Idempotency-Key` of a creation.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Answer<Option<String>> {
    let Some(header) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let text = header.to_str().unwrap_or("");
    if text.is_empty() || text.len() > 255 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        let message = "must be 1 to 255 visible ASCII characters";
        return Err(Failure::field("Idempotency-Key", "bad_key", message));
    }
    Ok(Some(text.to_owned()))
}

#[cfg(test)]
mod tests;
