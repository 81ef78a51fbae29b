//! From what a person types, a name or an id, to the id.

use padclock_api::client::{Answer, Client, Job};
use padclock_api::secret::Secret;
use padclock_api::{JobId, SecretId};

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
