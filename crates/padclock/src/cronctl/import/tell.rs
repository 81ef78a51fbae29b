//! What a person is told of an import. No credential is in a plan's texts; a URL is shown without its query all the same.

use padclock_import::{Place, Plan, Settled};
use serde_json::{Value, json};

use crate::cronctl::failure::Failure;
use crate::cronctl::{Session, shown};

const JOBS: [&str; 5] = ["JOB", "SCHEDULE", "REQUEST", "SECRETS", "FROM"];
const SECRETS: [&str; 4] = ["SECRET", "ENVIRONMENT", "MAY GO TO", "FROM"];

/// What is left out, different, there already, or missing.
pub(super) fn remarks(session: &mut Session, plan: &Plan, settled: &Settled) {
    let output = &mut session.output;
    for (at, name) in &settled.jobs {
        output.note(&format!("{at}: the job {name} is there already."));
    }
    for name in &settled.secrets {
        output.note(&format!("The secret {name} is there already and stays as it is; cronctl secrets replace gives it another value."));
    }
    for note in &plan.notes {
        output.note(&format!(
            "{}{}.",
            note.at.map(|at| format!("{at}: ")).unwrap_or_default(),
            note.text
        ));
    }
    for job in &plan.jobs {
        for note in &job.notes {
            output.note(&format!("{}: {}: {note}.", job.at, job.definition.name));
        }
    }
    for left in &plan.left_out {
        let name = left
            .name
            .as_ref()
            .map(|name| format!(" ({name})"))
            .unwrap_or_default();
        output.warning(&format!("{}{name} is left out: {}", left.at, left.reason));
    }
    for wanted in &plan.wanted {
        let environment = wanted
            .environment
            .as_ref()
            .map(|name| format!(" --environment {name}"))
            .unwrap_or_default();
        output.warning(&format!("the secret {} is missing: store its value with cronctl secrets create --name {0}{environment}", wanted.name));
    }
}

/// `3 jobs, paused, and 1 secret`.
pub(super) fn count(plan: &Plan) -> String {
    let several =
        |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    match (plan.jobs.len(), plan.secrets.len()) {
        (0, secrets) => several(secrets, "secret"),
        (jobs, 0) => format!("{}, paused", several(jobs, "job")),
        (jobs, secrets) => format!(
            "{}, paused, and {}",
            several(jobs, "job"),
            several(secrets, "secret")
        ),
    }
}

/// The plan itself.
pub(super) fn plan(
    session: &mut Session,
    plan: &Plan,
    settled: &Settled,
    dry: bool,
) -> Result<(), Failure> {
    if session.output.look.json {
        return session.output.json(&document(plan, settled, dry));
    }
    let jobs = plan.jobs.iter().map(|job| {
        let definition = &job.definition;
        let schedule = definition
            .schedule
            .expression
            .clone()
            .unwrap_or_else(|| definition.kind.as_str().to_owned());
        let zone = definition
            .schedule
            .timezone
            .as_ref()
            .map(|zone| format!(" ({zone})"))
            .unwrap_or_default();
        vec![
            definition.name.clone(),
            format!("{schedule}{zone}"),
            request(definition),
            job.secrets.join(", "),
            job.at.to_string(),
        ]
    });
    session.output.table(&JOBS, jobs.collect())?;
    let secrets = plan.secrets.iter().map(|secret| {
        let environment = secret
            .environment
            .clone()
            .unwrap_or_else(|| "workspace".to_owned());
        vec![
            secret.name.clone(),
            environment,
            shown::egress(secret.egress.as_ref()),
            places(&secret.at),
        ]
    });
    session.output.table(&SECRETS, secrets.collect())
}

fn places(places: &[Place]) -> String {
    places
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

fn request(definition: &padclock_job::Definition) -> String {
    let Some(request) = &definition.request else {
        return String::new();
    };
    let (url, query) = request
        .url
        .split_once('?')
        .map_or((request.url.as_str(), ""), |(url, _)| (url, "?…"));
    format!("{} {url}{query}", request.method)
}

/// The plan as JSON: definitions as they would be posted, and never a value.
fn document(plan: &Plan, settled: &Settled, dry: bool) -> Value {
    let jobs = plan.jobs.iter().map(|job| json!({ "from": job.at.to_string(), "definition": job.definition, "secrets": job.secrets, "notes": job.notes }));
    let secrets = plan.secrets.iter().map(|secret| {
        let from: Vec<_> = secret.at.iter().map(ToString::to_string).collect();
        json!({ "name": secret.name, "environment": secret.environment, "egress": secret.egress, "from": from })
    });
    let left = plan.left_out.iter().map(|left| json!({ "from": left.at.to_string(), "name": left.name, "reason": left.reason, "is_command": left.is_command }));
    let skipped = settled
        .jobs
        .iter()
        .map(|(at, name)| json!({ "from": at.to_string(), "name": name }));
    json!({
        "dry_run": dry,
        "jobs": jobs.collect::<Vec<_>>(),
        "secrets": secrets.collect::<Vec<_>>(),
        "there_already": { "jobs": skipped.collect::<Vec<_>>(), "secrets": settled.secrets },
        "left_out": left.collect::<Vec<_>>(),
        "missing_secrets": plan.wanted.iter().map(|wanted| &wanted.name).collect::<Vec<_>>(),
    })
}

/// What was made, as JSON.
pub(super) fn made(
    session: &mut Session,
    jobs: &[Value],
    secrets: &[Value],
    refused: &[Value],
) -> Result<(), Failure> {
    session
        .output
        .json(&json!({ "jobs": jobs, "secrets": secrets, "refused": refused }))
}
