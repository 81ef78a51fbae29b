//! Carries a plan out: the secrets of a job, then the job. A secret that no job came to use is taken away again.

use std::collections::BTreeMap;

use padclock_api::client::{ClientError, NewSecret};
use padclock_api::{ErrorCode, SecretId};
use padclock_import::{Plan, PlannedSecret};
use serde_json::{Value, json};

use super::tell;
use crate::cronctl::Session;
use crate::cronctl::failure::Failure;

#[derive(Default)]
struct Made {
    jobs: Vec<Value>,
    secrets: Vec<Value>,
    /// What the server said no to, and why.
    refused: Vec<Value>,
    /// Secrets that no job uses yet, by name.
    waiting: BTreeMap<String, SecretId>,
}

/// Makes all of it; what the server refuses is told, and the rest goes on.
pub(super) async fn all(session: &mut Session, plan: Plan) -> Result<(), Failure> {
    let mut made = Made::default();
    let outcome = each(session, &plan, &mut made).await;
    // Whatever went wrong: no credential stays behind that nothing uses.
    for (name, id) in std::mem::take(&mut made.waiting) {
        if session.client.delete_secret(id).await.is_err() {
            session.output.warning(&format!("the secret {name} was made and is used by no job: delete it with cronctl secrets delete {name}"));
        }
        made.secrets
            .retain(|secret| secret["name"] != name.as_str());
    }
    outcome?;
    if session.output.look.json {
        tell::made(session, &made.jobs, &made.secrets, &made.refused)?;
    }
    let note = match (made.jobs.len(), made.secrets.len()) {
        (0, secrets) => format!("Stored: {secrets} (secrets)."),
        (jobs, secrets) => format!(
            "Made: {jobs} (jobs), {secrets} (secrets). Look at a job with cronctl jobs show, then let it run with cronctl jobs resume."
        ),
    };
    session.output.note(&note);
    match made.refused.len() {
        0 => Ok(()),
        count => Err(Failure::Error(format!(
            "the server refused {count} of them; what it said is above"
        ))),
    }
}

async fn each(session: &mut Session, plan: &Plan, made: &mut Made) -> Result<(), Failure> {
    for secret in plan.secrets.iter().filter(|secret| secret.fixed) {
        if let Err(error) = store(session, secret)
            .await
            .map(|(_, json)| made.secrets.push(json))
        {
            refusal(session, made, &secret.name, error)?;
        }
    }
    for job in &plan.jobs {
        match with_secrets(session, plan, job, made).await {
            Ok(answer) => made.jobs.push(answer),
            Err(error) => refusal(session, made, &job.definition.name, error)?,
        }
    }
    Ok(())
}

/// A job, once its secrets are there.
async fn with_secrets(
    session: &mut Session,
    plan: &Plan,
    job: &padclock_import::PlannedJob,
    made: &mut Made,
) -> Result<Value, ClientError> {
    for name in &job.secrets {
        let there = made
            .secrets
            .iter()
            .any(|secret| secret["name"] == name.as_str());
        let planned = plan.secrets.iter().find(|secret| secret.name == *name);
        if let (Some(planned), false) = (planned, there) {
            let (id, json) = store(session, planned).await?;
            made.secrets.push(json);
            made.waiting.insert(name.clone(), id);
        }
    }
    let answer = session.client.create_job(&job.definition).await?;
    made.waiting.retain(|name, _| !job.secrets.contains(name));
    Ok(json!({ "id": answer.it.id, "name": answer.it.name, "state": answer.it.state }))
}

async fn store(
    session: &Session,
    secret: &PlannedSecret,
) -> Result<(SecretId, Value), ClientError> {
    let new = NewSecret {
        name: secret.name.clone(),
        environment: secret.environment.clone(),
        egress: secret.egress.clone(),
        ..NewSecret::default()
    };
    let answer = session.client.create_secret(&new, &secret.value).await?;
    let known =
        json!({ "id": answer.it.id, "name": secret.name, "environment": answer.it.environment });
    Ok((answer.it.id, known))
}

/// A refusal of this one thing is told; anything else ends the import.
fn refusal(
    session: &mut Session,
    made: &mut Made,
    name: &str,
    error: ClientError,
) -> Result<(), Failure> {
    let of_this_one = |code| {
        matches!(
            code,
            ErrorCode::ValidationError | ErrorCode::Conflict | ErrorCode::TooLarge
        )
    };
    match error {
        ClientError::Refused(body) if of_this_one(body.code) => {
            let details: Vec<_> = body
                .details
                .iter()
                .map(|detail| format!("{}: {}", detail.field, detail.message))
                .collect();
            let why = if details.is_empty() {
                body.message.clone()
            } else {
                details.join("; ")
            };
            session.output.warning(&format!("{name} is refused: {why}"));
            made.refused.push(json!({ "name": name, "message": why }));
            Ok(())
        }
        other => Err(other.into()),
    }
}
