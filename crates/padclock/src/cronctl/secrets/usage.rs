//! `cronctl secrets usage`, and what `show` and `delete` tell of it.

use padclock_api::SecretId;
use padclock_api::secret::{SecretUsage, SecretUser};
use serde_json::json;

use super::super::failure::Failure;
use super::super::{Session, find, shown};
use super::Which;

/// The users that a question names.
const NAMED: usize = 5;

pub(super) async fn show(which: Which, session: &mut Session) -> Result<(), Failure> {
    let id = find::secret(&session.client, &which.secret, which.environment.as_deref()).await?;
    let usage = session.client.secret_usage(id).await?;
    if session.output.look.json {
        let json = serde_json::to_value(&usage).unwrap_or_else(|_| json!({}));
        return session.output.json(&json);
    }
    session.output.note(&format!("{}.", last(&usage)));
    let row = |user: SecretUser| {
        let places: Vec<&str> = user.places.iter().map(|place| place.as_str()).collect();
        let here = if user.resolves_here { "yes" } else { "no" };
        vec![
            user.name,
            user.id.to_string(),
            user.state.word().to_owned(),
            user.environment,
            places.join(", "),
            here.to_owned(),
        ]
    };
    session.output.table(
        &["JOB", "ID", "STATE", "ENVIRONMENT", "IN", "MEANS THIS ONE"],
        usage.jobs.into_iter().map(row).collect(),
    )
}

/// Two more lines of a secret's record.
pub(super) async fn summary(
    id: SecretId,
    session: &mut Session,
) -> Result<Vec<(&'static str, String)>, Failure> {
    let usage = session.client.secret_usage(id).await?;
    Ok(vec![
        ("used by", counted(&usage)),
        (
            "last used",
            usage
                .last_used_at
                .map_or_else(|| "never".to_owned(), |at| shown::moment(Some(at))),
        ),
    ])
}

fn here(usage: &SecretUsage) -> Vec<&SecretUser> {
    usage
        .jobs
        .iter()
        .filter(|user| user.resolves_here)
        .collect()
}

fn counted(usage: &SecretUsage) -> String {
    match here(usage).as_slice() {
        [] => "no job".to_owned(),
        [one] => format!("the job {}", one.name),
        several => format!("{} jobs", several.len()),
    }
}

fn last(usage: &SecretUsage) -> String {
    let by = counted(usage);
    match usage.last_used_at {
        None => format!("Used by {by}; no execution has taken it yet"),
        Some(at) => format!("Used by {by}; taken last at {at}"),
    }
}

/// Who would miss the secret, for the question before it is deleted.
pub(super) async fn users(id: SecretId, session: &mut Session) -> Result<String, Failure> {
    let usage = session.client.secret_usage(id).await?;
    let users = here(&usage);
    if users.is_empty() {
        return Ok("No job uses it.".to_owned());
    }
    let mut names: Vec<&str> = users
        .iter()
        .take(NAMED)
        .map(|one| one.name.as_str())
        .collect();
    let more = format!("{} more", users.len().saturating_sub(NAMED));
    if users.len() > NAMED {
        names.push(&more);
    }
    let (uses, they) = if users.len() == 1 {
        ("uses", "it")
    } else {
        ("use", "they")
    };
    let what = counted(&usage);
    let listed = names.join(", ");
    Ok(if users.len() == 1 {
        format!("{what} {uses} it; {they} will no longer get its value.")
    } else {
        format!("{what} {uses} it ({listed}); {they} will no longer get its value.")
    })
}
