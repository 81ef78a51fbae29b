//! From what a person types, a name or an id, to the id.

use padclock_api::client::{Answer, Client, Job};
use padclock_api::member::Member;
use padclock_api::secret::Secret;
use padclock_api::token::Token;
use padclock_api::workspace::Workspace;
use padclock_api::{JobId, SecretId, TokenId, UserId, WorkspaceId};

use super::failure::Failure;

/// The secret with this id, or with this name if only one has it (in that environment, if one is given).
pub(crate) async fn secret(
    client: &Client,
    text: &str,
    environment: Option<&str>,
) -> Result<SecretId, Failure> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let fits = |answer: &Answer<Secret>| {
        answer.it.name == text
            && environment.is_none_or(|environment| answer.it.environment == environment)
    };
    let found = client.secrets().await?.into_iter().filter(fits);
    let told = |secret: Secret| (secret.id, format!("{} ({})", secret.id, secret.environment));
    the_one(
        "secret",
        text,
        found.map(|answer| told(answer.it)).collect(),
    )
}

/// The job with this id, or with this name if only one has it.
pub(crate) async fn job(client: &Client, text: &str) -> Result<JobId, Failure> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let found = client
        .jobs()
        .await?
        .into_iter()
        .filter(|answer: &Answer<Job>| answer.it.name == text);
    the_one(
        "job",
        text,
        found
            .map(|answer| (answer.it.id, answer.it.id.to_string()))
            .collect(),
    )
}

/// The member with this id, or with this name or e-mail address if only one has it.
pub(crate) async fn member(client: &Client, text: &str) -> Result<UserId, Failure> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let email = text.to_lowercase();
    let fits = |answer: &Answer<Member>| {
        answer.it.name == text || answer.it.email.as_deref() == Some(email.as_str())
    };
    let found = client.members().await?.into_iter().filter(fits);
    let told = |answer: Answer<Member>| (answer.it.user_id, answer.it.user_id.to_string());
    the_one("member", text, found.map(told).collect())
}

/// The token with this id, or with this name if only one has it (of the caller's, or of everyone's).
pub(crate) async fn token(
    client: &Client,
    text: &str,
    everyones: bool,
) -> Result<TokenId, Failure> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let found = client.tokens(everyones).await?.into_iter();
    let found = found.filter(|answer| answer.it.name == text);
    let told = |token: Token| (token.id, format!("{} (of {})", token.id, token.user.name));
    the_one("token", text, found.map(|answer| told(answer.it)).collect())
}

/// The workspace with this id or name.
pub(crate) async fn workspace(client: &Client, text: &str) -> Result<WorkspaceId, Failure> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let found = client.workspaces().await?.into_iter();
    let found = found.filter(|answer| answer.it.name == text);
    let told = |answer: Answer<Workspace>| (answer.it.id, answer.it.id.to_string());
    the_one("workspace", text, found.map(told).collect())
}

fn the_one<I>(what: &str, name: &str, mut found: Vec<(I, String)>) -> Result<I, Failure> {
    match (found.pop(), found.len()) {
        (Some((id, _)), 0) => Ok(id),
        (None, _) => Err(Failure::Error(format!(
            "there is no {what} with the name or id {name:?}"
        ))),
        (Some(last), _) => {
            let ids: Vec<String> = found
                .into_iter()
                .chain([last])
                .map(|(_, told)| told)
                .collect();
            Err(Failure::Usage(format!(
                "more than one {what} is called {name:?}; say which by its id: {}",
                ids.join(", ")
            )))
        }
    }
}
