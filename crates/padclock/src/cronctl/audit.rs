//! `cronctl audit`: who did what, and the chain itself to keep or to verify elsewhere.

use std::time::Duration;

use clap::{Args, Subcommand};
use padclock_api::audit::{AuditActor, AuditRecord};
use padclock_api::client::{Answer, AuditQuery};
use padclock_job::Moment;
use serde_json::json;

use super::Session;
use super::failure::Failure;

/// Between two looks for new records.
const PAUSE: Duration = Duration::from_secs(2);
/// New records that one look takes; what is beyond that is told.
const BURST: usize = 10_000;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List what was done, newest first
    List(List),
    /// Print the whole chain as JSON lines with their tags, for padclock audit verify --file
    Export,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// By this actor: a user's or token's id, a node's name, an address
    #[arg(long, value_name = "WHO")]
    actor: Option<String>,
    /// Of this kind: secret.reveal, job.update ...; secret. for all that begin so
    #[arg(long)]
    action: Option<String>,
    /// About this: an id
    #[arg(long, value_name = "ID")]
    target: Option<String>,
    /// At this time or later: 2026-03-15T10:00:00Z
    #[arg(long, value_name = "TIME")]
    from: Option<Moment>,
    /// Before this time
    #[arg(long, value_name = "TIME")]
    to: Option<Moment>,
    /// At most so many
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: usize,
    /// Go on with what is new, oldest first, until interrupted
    #[arg(long, conflicts_with = "to")]
    follow: bool,
}

pub(crate) async fn run(command: Command, session: &mut Session) -> Result<(), Failure> {
    match command {
        Command::List(args) => list(args, session).await,
        Command::Export => export(session).await,
    }
}

const HEADING: [&str; 6] = ["SEQ", "AT", "WHO", "ACTION", "TARGET", "DETAIL"];

async fn list(args: List, session: &mut Session) -> Result<(), Failure> {
    let query = AuditQuery {
        actor: args.actor,
        action: args.action,
        target: args.target,
        from: args.from,
        to: args.to,
    };
    let found = session.client.audit(query.clone(), args.limit).await?;
    if args.follow {
        return follow(query, found, session).await;
    }
    if session.output.look.json {
        let items: Vec<_> = found.into_iter().map(|record| record.json).collect();
        return session.output.json(&json!({ "items": items }));
    }
    if found.is_empty() {
        session.output.note("There are no such records.");
    }
    let rows = found.into_iter().map(|answer| row(answer.it)).collect();
    session.output.table(&HEADING, rows)
}

/// What was found, then what comes.
async fn follow(
    query: AuditQuery,
    found: Vec<Answer<AuditRecord>>,
    session: &mut Session,
) -> Result<(), Failure> {
    let mut last = found.first().map_or(0, |record| record.it.seq);
    tell(found, session)?;
    loop {
        tokio::time::sleep(PAUSE).await;
        let newest = session.client.audit(query.clone(), 1).await?;
        let reached = newest.first().map_or(0, |record| record.it.seq);
        if reached <= last {
            continue;
        }
        let most = usize::try_from(reached - last).unwrap_or(BURST).min(BURST);
        let mut new = session.client.audit(query.clone(), most).await?;
        new.retain(|record| record.it.seq > last);
        last = new.first().map_or(reached, |record| record.it.seq);
        tell(new, session)?;
    }
}

fn tell(mut found: Vec<Answer<AuditRecord>>, session: &mut Session) -> Result<(), Failure> {
    found.reverse();
    for answer in found {
        if session.output.look.json {
            session.output.json_line(&answer.json)?;
        } else {
            session.output.line(&row(answer.it).join("\t"))?;
        }
    }
    Ok(())
}

fn row(record: AuditRecord) -> Vec<String> {
    vec![
        record.seq.to_string(),
        record.at.to_string(),
        who(&record.actor),
        record.action,
        record.target,
        detail(&record.detail),
    ]
}

fn who(actor: &AuditActor) -> String {
    let name = actor.user.map(|user| user.to_string());
    let name = name.or_else(|| actor.node.as_ref().map(|node| format!("node {node}")));
    let name = name.unwrap_or_else(|| actor.kind.clone());
    match &actor.from {
        Some(from) => format!("{name} from {from}"),
        None => name,
    }
}

/// The detail's fields in one line: `name=KEY version=2`.
fn detail(detail: &serde_json::Value) -> String {
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let fields = detail.as_object().into_iter().flatten();
    fields
        .map(|(name, value)| format!("{name}={}", text(value)))
        .collect::<Vec<_>>()
        .join(" ")
}

async fn export(session: &mut Session) -> Result<(), Failure> {
    let Session { client, output, .. } = session;
    client.export_audit(|piece| output.bytes(&piece)).await
}
