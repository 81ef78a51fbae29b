//! `cronctl secrets versions`, `rollback` and `retire-previous`.

use padclock_api::client::Answer;
use padclock_api::secret::{SecretVersion, VersionState};
use serde_json::json;

use super::super::failure::Failure;
use super::super::{Session, find};
use super::{Which, told};

pub(super) async fn list(which: Which, session: &mut Session) -> Result<(), Failure> {
    let id = find::secret(&session.client, &which.secret, which.environment.as_deref()).await?;
    let versions = session.client.secret_versions(id).await?;
    if session.output.look.json {
        let items: Vec<_> = versions.into_iter().map(|version| version.json).collect();
        return session.output.json(&json!({ "items": items }));
    }
    let row = |version: Answer<SecretVersion>| {
        let state = match version.it.state {
            VersionState::Current => "current",
            VersionState::Previous => "previous",
        };
        vec![
            version.it.number.to_string(),
            state.to_owned(),
            version.it.key_version,
            version.it.created_at.to_string(),
        ]
    };
    session.output.table(
        &["VERSION", "STATE", "KEY VERSION", "CREATED"],
        versions.into_iter().map(row).collect(),
    )
}

pub(super) async fn roll_back(which: Which, session: &mut Session) -> Result<(), Failure> {
    let id = find::secret(&session.client, &which.secret, which.environment.as_deref()).await?;
    let etag = session.client.secret(id).await?.etag;
    session.confirm(&format!(
        "Go back to the value before the current one of {}? Jobs use it from their next attempt.",
        which.secret
    ))?;
    let answer = session.client.roll_back_secret(id, etag.as_deref()).await?;
    told(
        session,
        &answer,
        "back at the value before; what was current is kept",
    )
}

pub(super) async fn retire(which: Which, session: &mut Session) -> Result<(), Failure> {
    let id = find::secret(&session.client, &which.secret, which.environment.as_deref()).await?;
    let etag = session.client.secret(id).await?.etag;
    session.confirm(&format!(
        "Remove the value before the current one of {}, for good?",
        which.secret
    ))?;
    let answer = session.client.retire_previous(id, etag.as_deref()).await?;
    told(session, &answer, "rid of the value before")
}
