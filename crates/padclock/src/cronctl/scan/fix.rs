//! `cronctl scan --fix`: what stands in plain text in a job becomes a secret, and a reference stands in its place.
//! The secrets are made first; when the job can't be changed they are taken back.

mod plan;

use std::collections::BTreeSet;

use padclock_api::client::{Answer, Client, Job, NewSecret};
use padclock_api::{JobId, SecretId};
use serde_json::{Value, json};

use super::ended;
use crate::cronctl::Session;
use crate::cronctl::failure::Failure;
use plan::{Move, Plan};

/// Names that secrets have already.
async fn taken_names(client: &Client) -> Result<BTreeSet<String>, Failure> {
    let secrets = client.secrets().await?;
    Ok(secrets.into_iter().map(|secret| secret.it.name).collect())
}

pub(super) async fn run(session: &mut Session) -> Result<(), Failure> {
    let mut jobs: Vec<JobId> = session
        .client
        .scan()
        .await?
        .iter()
        .map(|one| one.it.job_id)
        .collect();
    jobs.dedup();
    if jobs.is_empty() {
        session
            .output
            .note("No credential stands in plain text in the workspace's jobs.");
    }
    let (mut rows, mut left) = (Vec::new(), 0);
    for id in jobs {
        let mut names = taken_names(&session.client).await?;
        let job = session.client.job(id).await?;
        let plan = Plan::make(&job.json, &mut names);
        left += plan.by_hand.len();
        for field in &plan.by_hand {
            session.output.warning(&format!(
                "{}: {field}: a reference can't stand there: change it by hand",
                job.it.name
            ));
        }
        if !plan.moves.is_empty() {
            left += carry_out(session, (id, &job), plan, &mut rows).await?;
        }
    }
    if session.output.look.json {
        session
            .output
            .json(&json!({ "items": rows, "left": left }))?;
    }
    ended(left == 0)
}

/// Makes the secrets, changes the job, and looks at it again: how many credentials are left in what was to be changed.
async fn carry_out(
    session: &mut Session,
    (id, job): (JobId, &Answer<Job>),
    plan: Plan,
    rows: &mut Vec<Value>,
) -> Result<usize, Failure> {
    let name = &job.it.name;
    for one in &plan.moves {
        session.output.note(&format!(
            "{name}: {} ({}) becomes the secret {}, {}",
            one.field,
            one.title,
            one.secret,
            plan.whereto()
        ));
    }
    session.confirm(&format!("Make these secrets and change the job {name}?"))?;
    let made = make(&session.client, &plan).await?;
    let changed = session
        .client
        .change_job(id, &plan.change, job.etag.as_deref())
        .await;
    if let Err(error) = changed {
        take_back(session, &made).await;
        return Err(error.into());
    }
    let again = session.client.job(id).await?;
    let left = Plan::make(&again.json, &mut BTreeSet::new()).moves.len();
    let row = |one: &Move| json!({ "job_id": id.to_string(), "job_name": name, "field": one.field, "rule": one.rule, "secret": one.secret });
    rows.extend(plan.moves.iter().map(row));
    let verdict = if left == 0 {
        "is changed; read again, it holds none of them"
    } else {
        "is changed, and still holds some"
    };
    session.output.note(&format!("The job {name} {verdict}."));
    Ok(left)
}

async fn make(client: &Client, plan: &Plan) -> Result<Vec<(SecretId, String)>, Failure> {
    let mut made: Vec<(SecretId, String)> = Vec::new();
    for one in &plan.moves {
        if made.iter().any(|(_, name)| *name == one.secret) {
            continue;
        }
        let new = NewSecret {
            name: one.secret.clone(),
            description: Some(format!("{}, moved out of a job's definition", one.title)),
            egress: plan.egress.clone(),
            unmaskable: one.value.len() < 4,
            ..NewSecret::default()
        };
        match client.create_secret(&new, &one.value).await {
            Ok(answer) => made.push((answer.it.id, one.secret.clone())),
            Err(error) => {
                for (id, _) in &made {
                    // What was refused is told; one that stays is seen in the list.
                    let _ = client.delete_secret(*id).await;
                }
                return Err(error.into());
            }
        }
    }
    Ok(made)
}

async fn take_back(session: &mut Session, made: &[(SecretId, String)]) {
    for (id, name) in made {
        if session.client.delete_secret(*id).await.is_err() {
            session.output.warning(&format!(
                "the secret {name} was made and could not be taken back"
            ));
        }
    }
}
