//! `cronctl jobs`: what runs, and when.

mod definition;

use clap::{Args, Subcommand};
use padclock_api::client::{Answer, Job};
use padclock_api::job::Preview;
use padclock_job::Warning;
use serde_json::{Value, json};

use super::failure::Failure;
use super::runs::wait::{self, Wait};
use super::{Session, find, shown};
use definition::DefinitionArgs;
pub(crate) use definition::span;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the jobs
    List(List),
    /// Save a new job, from a file or from options
    Create(Box<DefinitionArgs>),
    /// Check a definition and show when it would run; nothing is saved
    Check(Box<DefinitionArgs>),
    /// Show a job, its next times and its last execution
    Show(Which),
    /// Change a job: what the file or the options name, and nothing else
    Edit(Box<Edit>),
    /// Delete a job; its executions stay until they age out
    Delete(Which),
    /// Run a job now, whatever its schedule says
    Run(Run),
    /// Keep a job from becoming due
    Pause(Which),
    /// Let a paused job become due again
    Resume(Which),
    /// Show a job's next times
    Next(NextTimes),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Those that name a secret which is not there, with the names
    #[arg(long)]
    unresolved: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The job's name or id
    #[arg(value_name = "JOB")]
    job: String,
}

#[derive(Debug, Args)]
pub(crate) struct Edit {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    definition: DefinitionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    wait: Wait,
}

#[derive(Debug, Args)]
pub(crate) struct NextTimes {
    #[command(flatten)]
    which: Which,
    /// How many, at most 100
    #[arg(short, default_value_t = 5, value_name = "COUNT")]
    n: u32,
}

pub(crate) async fn run(command: Command, session: &mut Session) -> Result<(), Failure> {
    match command {
        Command::List(args) => list(args, session).await,
        Command::Create(args) => create(*args, session).await,
        Command::Check(args) => check(*args, session).await,
        Command::Show(which) => show(which, session).await,
        Command::Edit(args) => edit(*args, session).await,
        Command::Delete(which) => delete(which, session).await,
        Command::Run(args) => start(args, session).await,
        Command::Pause(which) => pause(which, session).await,
        Command::Resume(which) => resume(which, session).await,
        Command::Next(args) => next(args, session).await,
    }
}

const HEADING: [&str; 7] = [
    "NAME",
    "ID",
    "STATE",
    "SCHEDULE",
    "NEXT RUN",
    "LAST RUN",
    "LAST STATUS",
];

async fn list(args: List, session: &mut Session) -> Result<(), Failure> {
    let jobs = if args.unresolved {
        session.client.unresolved_jobs().await?
    } else {
        session.client.jobs().await?
    };
    if session.output.look.json {
        return session
            .output
            .json(&json!({ "items": jobs.into_iter().map(|job| job.json).collect::<Vec<_>>() }));
    }
    if args.unresolved {
        return unresolved(jobs, session);
    }
    if jobs.is_empty() {
        session.output.note("There are no jobs yet; `cronctl jobs create --name NAME --every 5m --url URL` makes one.");
    }
    let row = |job: Job| {
        let last = job
            .last_execution
            .as_ref()
            .map(|execution| execution.status.word().to_owned())
            .unwrap_or_default();
        let schedule = shown::schedule(&job);
        let (next, before) = (
            shown::moment(job.next_run_at),
            shown::moment(job.last_run_at),
        );
        vec![
            job.name,
            job.id.to_string(),
            job.state.word().to_owned(),
            schedule,
            next,
            before,
            last,
        ]
    };
    session.output.table(
        &HEADING,
        jobs.into_iter().map(|answer| row(answer.it)).collect(),
    )
}

fn unresolved(jobs: Vec<Answer<Job>>, session: &mut Session) -> Result<(), Failure> {
    if jobs.is_empty() {
        session
            .output
            .note("No job names a secret that is not there.");
    }
    let row = |job: Job| {
        let names = job.unresolved_secrets.unwrap_or_default().join(", ");
        vec![
            job.name,
            job.id.to_string(),
            job.state.word().to_owned(),
            names,
        ]
    };
    let rows = jobs.into_iter().map(|answer| row(answer.it)).collect();
    session
        .output
        .table(&["NAME", "ID", "STATE", "NOT THERE"], rows)
}

async fn create(args: DefinitionArgs, session: &mut Session) -> Result<(), Failure> {
    let definition = args.whole(session.keyboard.as_mut())?;
    let answer = session.client.create_job(&definition).await?;
    session
        .output
        .note(&format!("The job {} is saved.", answer.it.name));
    record(session, &answer)
}

async fn check(args: DefinitionArgs, session: &mut Session) -> Result<(), Failure> {
    let definition = args.whole(session.keyboard.as_mut())?;
    let answer = session.client.check_job(&definition).await?;
    warn(session, &answer.it.warnings);
    session
        .output
        .note("The definition is good; nothing was saved.");
    if session.output.look.json {
        return session.output.json(&answer.json);
    }
    answer
        .it
        .preview
        .as_ref()
        .map_or(Ok(()), |preview| times(session, preview))
}

async fn show(which: Which, session: &mut Session) -> Result<(), Failure> {
    let id = find::job(&session.client, &which.job).await?;
    let answer = session.client.job(id).await?;
    record(session, &answer)
}

async fn edit(args: Edit, session: &mut Session) -> Result<(), Failure> {
    let change = args.definition.change(session.keyboard.as_mut())?;
    let id = find::job(&session.client, &args.which.job).await?;
    // What is changed is what was there when the command began, not what someone else saved meanwhile.
    let etag = session.client.job(id).await?.etag;
    let answer = session
        .client
        .change_job(id, &change, etag.as_deref())
        .await?;
    session
        .output
        .note(&format!("The job {} is changed.", answer.it.name));
    record(session, &answer)
}

async fn delete(which: Which, session: &mut Session) -> Result<(), Failure> {
    let id = find::job(&session.client, &which.job).await?;
    session.confirm(&format!("Delete the job {}?", which.job))?;
    session.client.delete_job(id).await?;
    session.deleted("job", &which.job, &id.to_string())
}

async fn start(args: Run, session: &mut Session) -> Result<(), Failure> {
    let id = find::job(&session.client, &args.which.job).await?;
    let answer = session.client.run_job(id).await?;
    wait::started(session, answer, &args.wait).await
}

async fn pause(which: Which, session: &mut Session) -> Result<(), Failure> {
    let id = find::job(&session.client, &which.job).await?;
    let answer = session.client.pause_job(id).await?;
    session
        .output
        .note(&format!("The job {} is paused.", answer.it.name));
    record(session, &answer)
}

async fn resume(which: Which, session: &mut Session) -> Result<(), Failure> {
    let id = find::job(&session.client, &which.job).await?;
    let answer = session.client.resume_job(id).await?;
    session
        .output
        .note(&format!("The job {} is active again.", answer.it.name));
    record(session, &answer)
}

async fn next(args: NextTimes, session: &mut Session) -> Result<(), Failure> {
    let id = find::job(&session.client, &args.which.job).await?;
    let answer = session.client.next_times(id, args.n).await?;
    if session.output.look.json {
        return session.output.json(&answer.json);
    }
    times(session, &answer.it)
}

fn record(session: &mut Session, answer: &Answer<Job>) -> Result<(), Failure> {
    let job = &answer.it;
    warn(session, &job.warnings);
    if session.output.look.json {
        return session.output.json(&answer.json);
    }
    let request = |field: &str| {
        job.request
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let mut fields = vec![
        ("name", job.name.clone()),
        ("id", job.id.to_string()),
        ("state", job.state.word().to_owned()),
        (
            "schedule",
            job.preview.as_ref().map_or_else(
                || shown::schedule(job),
                |preview| preview.description.clone(),
            ),
        ),
        (
            "request",
            format!("{} {}", request("method"), request("url")),
        ),
        (
            "environment",
            job.environment
                .clone()
                .unwrap_or_else(|| "production".to_owned()),
        ),
        ("created", job.created_at.to_string()),
        ("updated", job.updated_at.to_string()),
    ];
    if let Some(names) = job
        .unresolved_secrets
        .as_ref()
        .filter(|names| !names.is_empty())
    {
        fields.push(("secrets not there", names.join(", ")));
    }
    if let Some(text) = &job.description {
        fields.push(("description", text.clone()));
    }
    if let Some(last) = &job.last_execution {
        fields.push((
            "last run",
            format!(
                "{} {} ({})",
                last.status.word(),
                shown::moment(last.started_at),
                last.id
            ),
        ));
    }
    // While it is not active its next times are what would be, and no next run is due.
    let next = job
        .preview
        .iter()
        .flat_map(|preview| &preview.next)
        .filter(|_| job.next_run_at.is_some());
    fields.extend(next.map(|next| ("next", next_time(next).join(" "))));
    let notes = job
        .preview
        .iter()
        .flat_map(|preview| preview.dst_notes.clone());
    fields.extend(notes.map(|note| ("note", note)));
    session.output.record(&fields)
}

fn next_time(next: &padclock_job::Next) -> [String; 3] {
    [next.at.to_string(), next.local.clone(), next.zone.clone()]
}

/// The times on standard output, what is to be said of them on standard error.
fn times(session: &mut Session, preview: &Preview) -> Result<(), Failure> {
    session.output.note(&format!("{}.", preview.description));
    for note in &preview.dst_notes {
        session.output.note(&format!("{note}."));
    }
    let rows = preview
        .next
        .iter()
        .map(|next| next_time(next).to_vec())
        .collect();
    session.output.table(&["AT", "LOCAL TIME", "ZONE"], rows)
}

fn warn(session: &mut Session, warnings: &[Warning]) {
    for warning in warnings {
        session
            .output
            .warning(&format!("{}: {}", warning.field, warning.message));
    }
}
