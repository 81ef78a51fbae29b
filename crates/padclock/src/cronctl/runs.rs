//! `cronctl runs`: what ran, and how it went.

mod changes;
mod pace;
pub(crate) mod wait;
mod watch;

use clap::{Args, Subcommand};
use padclock_api::client::{Answer, ExecutionQuery};
use padclock_api::{Attempt, Execution, ExecutionId, Status, Trigger};
use padclock_job::Moment;
use serde_json::json;

use super::failure::Failure;
use super::output::tame;
use super::{Session, find, shown};
use wait::Wait;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List executions, newest first
    List(List),
    /// Show an execution and its attempts
    Show(Show),
    /// Follow an execution, or those of a job, as they go
    Watch(watch::Watch),
    /// Carry an execution out again
    Replay(Replay),
    /// Stop an execution
    Cancel(Which),
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The execution's id
    #[arg(value_name = "RUN")]
    run: ExecutionId,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Of this job: its name or id
    #[arg(long)]
    job: Option<String>,
    /// That stand so: queued, running, waiting, succeeded, failed, canceled, lost, skipped
    #[arg(long, value_parser = status)]
    status: Option<Status>,
    /// That were started so: schedule, manual, replay, webhook, automation, backfill
    #[arg(long, value_parser = trigger)]
    trigger: Option<Trigger>,
    /// Due at this time or later: 2026-03-15T10:00:00Z
    #[arg(long, value_name = "TIME")]
    from: Option<Moment>,
    /// Due before this time
    #[arg(long, value_name = "TIME")]
    to: Option<Moment>,
    /// At most so many
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: usize,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    which: Which,
    /// With headers and bodies, as they were kept
    #[arg(long)]
    full: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Replay {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    wait: Wait,
}

fn status(word: &str) -> Result<Status, String> {
    Status::from_word(word).ok_or_else(|| {
        "expected queued, running, waiting, succeeded, failed, canceled, lost or skipped".to_owned()
    })
}

fn trigger(word: &str) -> Result<Trigger, String> {
    Trigger::from_word(word).ok_or_else(|| {
        "expected schedule, manual, replay, webhook, automation or backfill".to_owned()
    })
}

pub(crate) async fn run(command: Command, session: &mut Session) -> Result<(), Failure> {
    match command {
        Command::List(args) => list(args, session).await,
        Command::Show(args) => show(args, session).await,
        Command::Watch(args) => watch::run(args, session).await,
        Command::Replay(args) => replay(args, session).await,
        Command::Cancel(which) => cancel(which, session).await,
    }
}

const HEADING: [&str; 8] = [
    "ID", "JOB", "STATUS", "TRIGGER", "DUE", "TOOK", "ATTEMPTS", "REASON",
];

async fn list(args: List, session: &mut Session) -> Result<(), Failure> {
    let job = match &args.job {
        Some(job) => Some(find::job(&session.client, job).await?),
        None => None,
    };
    let query = ExecutionQuery {
        job,
        status: args.status,
        trigger: args.trigger,
        from: args.from,
        to: args.to,
    };
    let found = session.client.executions(query, args.limit).await?;
    if session.output.look.json {
        return session.output.json(&json!({ "items": found.into_iter().map(|execution| execution.json).collect::<Vec<_>>() }));
    }
    if found.is_empty() {
        session.output.note("There are no such executions.");
    }
    let row = |run: Execution| {
        let took = run.duration_ms.map(shown::span).unwrap_or_default();
        let (status, trigger) = (run.status.word().to_owned(), run.trigger.word().to_owned());
        let due = run.scheduled_for.to_string();
        vec![
            run.id.to_string(),
            run.job_name,
            status,
            trigger,
            due,
            took,
            run.attempt_count.to_string(),
            run.reason.unwrap_or_default(),
        ]
    };
    session.output.table(
        &HEADING,
        found.into_iter().map(|answer| row(answer.it)).collect(),
    )
}

async fn show(args: Show, session: &mut Session) -> Result<(), Failure> {
    let answer = session.client.execution(args.which.run).await?;
    record(session, &answer, args.full)
}

async fn replay(args: Replay, session: &mut Session) -> Result<(), Failure> {
    let answer = session.client.replay(args.which.run).await?;
    wait::started(session, answer, &args.wait).await
}

async fn cancel(which: Which, session: &mut Session) -> Result<(), Failure> {
    let answer = session.client.cancel(which.run).await?;
    session
        .output
        .note("It is canceled, or will be as soon as its node hears of it.");
    record(session, &answer, false)
}

/// An execution with its attempts.
fn record(session: &mut Session, answer: &Answer<Execution>, full: bool) -> Result<(), Failure> {
    let run = &answer.it;
    for warning in &run.warnings {
        session.output.warning(warning);
    }
    if session.output.look.json {
        return session.output.json(&answer.json);
    }
    let mut fields = vec![
        ("id", run.id.to_string()),
        ("job", format!("{} ({})", run.job_name, run.job_id)),
        ("status", run.status.word().to_owned()),
        ("trigger", run.trigger.word().to_owned()),
        ("due", run.scheduled_for.to_string()),
    ];
    let secrets: Vec<String> = run
        .secrets
        .iter()
        .map(|used| format!("{} (version {})", used.name, used.version))
        .collect();
    let optional = [
        ("started", run.started_at.map(|at| at.to_string())),
        ("finished", run.finished_at.map(|at| at.to_string())),
        ("took", run.duration_ms.map(shown::span)),
        ("next attempt", run.next_attempt_at.map(|at| at.to_string())),
        ("reason", run.reason.clone()),
        ("secrets", (!secrets.is_empty()).then(|| secrets.join(", "))),
        (
            "not resolved",
            (!run.unresolved_secrets.is_empty()).then(|| run.unresolved_secrets.join(", ")),
        ),
        ("node", run.node.clone()),
        ("replay of", run.replay_of.map(|id| id.to_string())),
    ];
    fields.extend(
        optional
            .into_iter()
            .filter_map(|(label, text)| Some((label, text?))),
    );
    session.output.record(&fields)?;
    for attempt in run.attempts.iter().flatten() {
        session.output.line(&changes::attempt(attempt))?;
        if full {
            session.output.text(&wire(attempt))?;
        }
    }
    Ok(())
}

/// What was sent and what came back, as it was kept.
fn wire(attempt: &Attempt) -> String {
    let mut text = String::new();
    if let Some(request) = &attempt.request {
        text += &format!("  > {} {}\n", request.method, request.url);
        text.extend(
            request
                .headers
                .iter()
                .map(|(name, value)| format!("  > {name}: {value}\n")),
        );
        text += &indented("  > ", request.body.as_deref());
    }
    if let Some(response) = &attempt.response {
        text += &format!("  < {}\n", response.status);
        text.extend(
            response
                .headers
                .iter()
                .map(|(name, value)| format!("  < {name}: {value}\n")),
        );
        text += &indented(
            "  < ",
            response.body.as_deref().or(response.note.as_deref()),
        );
        if response.truncated {
            text += &format!(
                "  < (not all of its {} bytes were kept)\n",
                response.body_bytes
            );
        }
    }
    tame(&text)
}

fn indented(lead: &str, text: Option<&str>) -> String {
    let lines = text
        .unwrap_or_default()
        .lines()
        .map(|line| format!("{lead}{line}\n"));
    let body: String = lines.collect();
    if body.is_empty() {
        body
    } else {
        format!("{}\n{body}", lead.trim_end())
    }
}
