//! `cronctl scan`: credentials in plain text, in the workspace's jobs, in files, in a crontab. It tells where, and never what.

mod crontab;
mod files;
mod fix;

use std::path::PathBuf;

use clap::Args;
use padclock_api::scan::ScanFinding;
use serde_json::{Value, json};

use super::Session;
use super::failure::Failure;
use super::keyboard::Keyboard;
use super::output::Output;

const AFTER: &str = "\
What is found is told by place and rule; the text itself is never printed.
Exit codes: 0 nothing was found, 1 something was found, or an error; the others as everywhere.";

/// What to look through.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(crate) struct Scan {
    /// Files and folders; without any, and without an option: the workspace's jobs
    #[arg(value_name = "PATH", conflicts_with_all = ["crontab", "fix", "history"])]
    paths: Vec<PathBuf>,
    /// A crontab: a file, - for standard input, or without one what `crontab -l` prints
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "", conflicts_with_all = ["fix", "history"])]
    crontab: Option<String>,
    /// Move what is found in jobs into secrets, and name these in its place
    #[arg(long, conflicts_with = "history")]
    fix: bool,
    /// Look for stored values in everything that the server has kept (for admins)
    #[arg(long)]
    history: bool,
}

impl Scan {
    /// Whether it can be done without a server.
    pub(crate) fn is_local(&self) -> bool {
        self.crontab.is_some() || !self.paths.is_empty()
    }
}

/// Looks through files or a crontab of this machine.
pub(crate) fn local(
    scan: &Scan,
    keyboard: &mut dyn Keyboard,
    output: &mut Output,
) -> Result<(), Failure> {
    let found = match &scan.crontab {
        Some(given) => crontab::look(given, keyboard)?,
        None => files::look(&scan.paths)?,
    };
    for skipped in &found.unread {
        output.warning(skipped);
    }
    let summary = found.summary();
    tell(
        output,
        &["PLACE", "RULE", "TITLE", "SECRET"],
        found.rows(),
        found.json(),
    )?;
    output.note(&summary);
    ended(found.items.is_empty())
}

/// Looks through the workspace's jobs, or through what the server has kept.
pub(crate) async fn run(scan: Scan, session: &mut Session) -> Result<(), Failure> {
    if scan.fix {
        return fix::run(session).await;
    }
    if scan.history {
        return history(session).await;
    }
    let found = session.client.scan().await?;
    let json: Vec<Value> = found.iter().map(|one| one.json.clone()).collect();
    let row = |one: &ScanFinding| {
        vec![
            format!("{}:{}:{}:{}", one.job_name, one.field, one.line, one.column),
            one.rule.clone(),
            one.title.clone(),
            one.suggested_name.clone(),
        ]
    };
    let rows: Vec<_> = found.iter().map(|one| row(&one.it)).collect();
    tell(
        &mut session.output,
        &["PLACE", "RULE", "TITLE", "SECRET"],
        rows,
        json!({ "items": json }),
    )?;
    let note = match found.len() {
        0 => "No credential stands in plain text in the workspace's jobs.".to_owned(),
        count => format!(
            "{}; `cronctl scan --fix` moves them into secrets.",
            counted(count)
        ),
    };
    session.output.note(&note);
    ended(found.is_empty())
}

async fn history(session: &mut Session) -> Result<(), Failure> {
    let answer = session.client.scan_history().await?;
    let scan = &answer.it;
    let row = |place: &padclock_api::scan::HistoryPlace| {
        vec![
            place.kind.clone(),
            place.id.clone(),
            place.field.clone(),
            place.secret.clone(),
        ]
    };
    let rows = scan.places.iter().map(row).collect();
    tell(
        &mut session.output,
        &["KIND", "ID", "FIELD", "SECRET"],
        rows,
        answer.json.clone(),
    )?;
    let searched: u64 = scan.searched.values().sum();
    session.output.note(&format!(
        "Looked for {} values in {searched} rows; places that hold one: {}.",
        scan.values, scan.found
    ));
    if !scan.left_out.is_empty() {
        session.output.warning(&format!(
            "not looked for, since they can't be opened or are too short: {}",
            scan.left_out.join(", ")
        ));
    }
    ended(scan.found == 0)
}

fn tell(
    output: &mut Output,
    heading: &[&str],
    rows: Vec<Vec<String>>,
    json: Value,
) -> Result<(), Failure> {
    if output.look.json {
        output.json(&json)
    } else {
        output.table(heading, rows)
    }
}

fn ended(clean: bool) -> Result<(), Failure> {
    if clean { Ok(()) } else { Err(Failure::Found) }
}

fn counted(count: usize) -> String {
    if count == 1 {
        "1 credential stands in plain text".to_owned()
    } else {
        format!("{count} credentials stand in plain text")
    }
}
