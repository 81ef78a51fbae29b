//! `POST /v1/scan/history`: looks for the workspace's stored values in everything that is kept of it, and should find none.
//! The values stay inside the server, in a redactor; what is answered are places.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use padclock_api::scan::{HistoryPlace, HistoryScan};
use padclock_api::{ErrorCode, ErrorEnvelope};
use padclock_redact::Redactor;
use padclock_store::{Action, Detail, KeptIn, KeptTexts, SealedSecret, SecretUse};
use padclock_vault::Value;

use crate::auth::{Caller, Reveal, ScanHistory};
use crate::failure::{Answer, Failure, stored};
use crate::keys;
use crate::state::App;

/// The places that an answer lists; all of them are counted.
const MOST_PLACES: usize = 1_000;
/// The bytes of values that are looked for at once: a redactor's needles take several times as many.
const AT_ONCE: usize = 256 * 1024;
/// Under so many bytes a value can't be told from other text, and could be found by guessing.
const SHORTEST: usize = 8;

/// Looks for stored values in everything that is kept of the workspace. The search is recorded before any value is opened.
#[utoipa::path(post, path = "/v1/scan/history", tag = "scan",
    responses((status = 200, body = HistoryScan), (status = 403, body = ErrorEnvelope)))]
pub(crate) async fn search(
    State(app): State<App>,
    caller: Caller<ScanHistory>,
) -> Answer<Json<HistoryScan>> {
    // What is found says which text a value is: for those alone who may read values.
    caller.must::<Reveal>()?;
    let workspace = caller.workspace();
    let mut sealed = app
        .store
        .every_version(workspace)
        .await
        .map_err(stored("secret"))?;
    sealed.retain(|secret| secret.owner.is_none_or(|owner| owner == caller.user()));
    let detail = Detail {
        count: u32::try_from(sealed.len()).ok(),
        secrets: sealed.iter().map(named).collect(),
        ..Detail::default()
    };
    let actor = caller.actor();
    let recorded = app.store.record(
        workspace,
        &actor,
        Action::ScanHistory,
        workspace.to_string(),
        detail,
    );
    recorded.await.map_err(stored("workspace"))?;
    let mut scan = HistoryScan::default();
    let mut rest = sealed.as_slice();
    let mut first = true;
    while first || !rest.is_empty() {
        let (redactor, taken) = needles(&app, rest, &mut scan);
        rest = &rest[taken..];
        for kept_in in KeptIn::ALL {
            look_through(&app, &caller, *kept_in, &redactor, (first, &mut scan)).await?;
        }
        first = false;
    }
    scan.left_out.sort();
    scan.left_out.dedup();
    Ok(Json(scan))
}

fn named(secret: &SealedSecret) -> SecretUse {
    SecretUse {
        name: secret.name.clone(),
        id: Some(secret.id.to_string()),
        version: Some(secret.version),
    }
}

/// Opens the next secrets, as many as are looked for at once, and makes a redactor of them; tells how many were taken.
#[expect(
    clippy::disallowed_methods,
    reason = "the redactor's needles are made of the values"
)]
fn needles(app: &App, sealed: &[SealedSecret], scan: &mut HistoryScan) -> (Arc<Redactor>, usize) {
    let keyring = app.keyrings.now();
    let mut opened: Vec<(&str, Value)> = Vec::new();
    let (mut bytes, mut taken) = (0, 0);
    for secret in sealed {
        if bytes > AT_ONCE {
            break;
        }
        taken += 1;
        match keys::open(&keyring, secret) {
            Ok(value) if value.len() >= SHORTEST => {
                bytes += value.len();
                scan.values += 1;
                opened.push((&secret.name, value));
            }
            _ => scan.left_out.push(secret.name.clone()),
        }
    }
    let needles = opened.iter().map(|(name, value)| (*name, value.expose()));
    (Arc::new(Redactor::new(needles)), taken)
}

/// Searches one kind of what is kept, page by page.
async fn look_through(
    app: &App,
    caller: &Caller<ScanHistory>,
    kept_in: KeptIn,
    redactor: &Arc<Redactor>,
    (count, scan): (bool, &mut HistoryScan),
) -> Answer<()> {
    let mut after = None;
    loop {
        let page = app.store.kept(caller.workspace(), kept_in, after).await;
        let (page, next) = page.map_err(stored("workspace"))?;
        if count {
            *scan.searched.entry(kept_in.word().to_owned()).or_default() += page.len() as u64;
        }
        let redactor = Arc::clone(redactor);
        let searched = tokio::task::spawn_blocking(move || {
            page.iter()
                .flat_map(|kept| places(kept_in, kept, &redactor))
                .collect::<Vec<_>>()
        });
        let places = searched
            .await
            .map_err(|_| Failure::new(ErrorCode::Internal, "the search was stopped"))?;
        scan.found += places.len() as u64;
        let room = MOST_PLACES.saturating_sub(scan.places.len());
        scan.places.extend(places.into_iter().take(room));
        match next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}

fn places(kept_in: KeptIn, kept: &KeptTexts, redactor: &Redactor) -> Vec<HistoryPlace> {
    let mut places = Vec::new();
    for (field, text) in &kept.texts {
        let names = held(redactor, text);
        if names.is_empty() {
            continue;
        }
        let mut leaves = Vec::new();
        if let Ok(json) = serde_json::from_str(text) {
            walk(&json, (*field).to_owned(), redactor, &mut leaves);
        }
        let told: BTreeSet<&String> = leaves.iter().map(|(_, name)| name).collect();
        let whole: Vec<_> = names
            .iter()
            .filter(|name| !told.contains(name))
            .map(|name| ((*field).to_owned(), name.clone()))
            .collect();
        let place = |(field, secret): (String, String)| HistoryPlace {
            kind: kept_in.word().to_owned(),
            id: redactor.redact_str(&kept.id).into_owned(),
            // A key may hold a value as well.
            field: redactor.redact_str(&field).into_owned(),
            secret,
        };
        places.extend(leaves.into_iter().chain(whole).map(place));
    }
    places
}

/// The texts of a JSON document that hold a value, by their paths.
fn walk(
    json: &serde_json::Value,
    path: String,
    redactor: &Redactor,
    found: &mut Vec<(String, String)>,
) {
    match json {
        serde_json::Value::String(text) => found.extend(
            held(redactor, text)
                .into_iter()
                .map(|name| (path.clone(), name)),
        ),
        serde_json::Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, format!("{path}[{index}]"), redactor, found);
            }
        }
        serde_json::Value::Object(fields) => {
            for (key, value) in fields {
                let path = format!("{path}.{key}");
                found.extend(
                    held(redactor, key)
                        .into_iter()
                        .map(|name| (path.clone(), name)),
                );
                walk(value, path, redactor, found);
            }
        }
        _ => {}
    }
}

/// The names of the secrets whose values stand in a text.
fn held(redactor: &Redactor, text: &str) -> BTreeSet<String> {
    const OPEN: &str = "[REDACTED:";
    let redacted = match redactor.redact(text.as_bytes()) {
        std::borrow::Cow::Borrowed(_) => return BTreeSet::new(),
        std::borrow::Cow::Owned(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
    };
    let mut names = BTreeSet::new();
    for (at, _) in redacted.match_indices(OPEN) {
        if let Some((name, _)) = redacted[at + OPEN.len()..].split_once(']') {
            let mark = format!("{OPEN}{name}]");
            if redacted.matches(&mark).count() > text.matches(&mark).count() {
                names.insert(name.to_owned());
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str) -> KeptTexts {
        KeptTexts {
            id: "one".to_owned(),
            texts: vec![
                ("attempts", text.to_owned()),
                ("reason", "nothing".to_owned()),
            ],
        }
    }

    #[test]
    fn places_are_told_by_path_and_name_and_never_repeat_the_value() {
        let redactor = Redactor::new([
            ("KEY", &b"tulip-in-the-snow"[..]),
            ("OTHER", &b"lamp-in-the-hall"[..]),
        ]);
        let text = r#"[{"response": {"body": "x tulip-in-the-snow", "headers": {"tulip-in-the-snow": "[REDACTED:OTHER]"}}}]"#;
        let found = places(KeptIn::Executions, &kept(text), &redactor);
        let told: Vec<(&str, &str)> = found
            .iter()
            .map(|place| (place.field.as_str(), place.secret.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("attempts[0].response.body", "KEY"),
                ("attempts[0].response.headers.[REDACTED:KEY]", "KEY")
            ]
        );
        assert!(!format!("{found:?}").contains("tulip"));
        assert_eq!(
            places(KeptIn::Executions, &kept("[REDACTED:KEY]"), &redactor),
            []
        );
        // Not JSON: the field itself.
        let found = places(KeptIn::Jobs, &kept("{ tulip-in-the-snow"), &redactor);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].field, "attempts");
    }
}
