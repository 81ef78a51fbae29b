//! Lists: queries, and following `next_cursor` to the end or to as many as are wanted.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Answer, Client, ClientError};
use crate::page::MAX_LIMIT;

/// All but the unreserved characters (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// A page whose items are read one by one, so that each is kept as it was sent.
#[derive(Deserialize)]
struct RawPage {
    items: Vec<serde_json::Value>,
    #[serde(default)]
    next_cursor: Option<String>,
}

impl Client {
    /// The first `most` items of a list (all when `None`), over as many pages as it takes.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        filters: &[(&str, String)],
        most: Option<usize>,
    ) -> Result<Vec<Answer<T>>, ClientError> {
        let mut found: Vec<Answer<T>> = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let left = most.map_or(usize::MAX, |most| most.saturating_sub(found.len()));
            let limit = left.clamp(1, MAX_LIMIT as usize);
            let mut query = filters.to_vec();
            query.push(("limit", limit.to_string()));
            query.extend(cursor.clone().map(|cursor| ("cursor", cursor)));
            let page: Answer<RawPage> = self.get(&with_query(path, &query)).await?;
            let items = page.it.items.into_iter().take(left).map(Answer::part);
            found.extend(items.collect::<Result<Vec<_>, _>>()?);
            let next = page.it.next_cursor;
            // A cursor that stays where it is would go round for ever.
            if next.is_none() || next == cursor || most.is_some_and(|most| found.len() >= most) {
                return Ok(found);
            }
            cursor = next;
        }
    }
}

/// Text as it stands in one part of a path or a query.
pub(super) fn encoded(text: &str) -> impl std::fmt::Display + '_ {
    utf8_percent_encode(text, RESERVED)
}

/// `path?name=text&…`, with each text encoded.
pub(super) fn with_query(path: &str, query: &[(&str, String)]) -> String {
    let pairs = query
        .iter()
        .map(|(name, text)| format!("{name}={}", encoded(text)));
    let joined = pairs.collect::<Vec<_>>().join("&");
    if joined.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{joined}")
    }
}
