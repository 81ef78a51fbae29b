//! `padclock audit`: what the host's operator asks of the audit. It needs the root key for all but `verify-heads`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use padclock_server::{Auditor, check_heads};
use padclock_store::Report;
use padclock_vault::PublicKey;
use serde_json::json;

use crate::config::{self, Flags};
use crate::say::Say;

/// Something is wrong with a chain.
const BROKEN: u8 = 1;
/// Nothing can be said: the database, a file or the key can't be had.
const UNKNOWN: u8 = 2;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Verify the audit chains, while nodes run or not: exit 0 when they are whole, 1 when one is broken, 2 when there is no telling
    Verify(Verify),
    /// Print the public key that signed heads are checked with
    Key(Where),
    /// Check a file of signed heads with the public key alone: exit 0, 1 and 2 as for verify
    VerifyHeads(VerifyHeads),
}

#[derive(Debug, Args)]
pub(crate) struct Where {
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Only the chain of the workspace with this name
    #[arg(long, value_name = "NAME")]
    workspace: Option<String>,
    /// Compare with the signed heads in this file [default: audit.heads in the data folder, if it is there]
    #[arg(long, value_name = "FILE")]
    heads: Option<PathBuf>,
    /// Verify an export or a live copy instead of the database's chains
    #[arg(long, value_name = "FILE", conflicts_with_all = ["workspace", "heads"])]
    file: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyHeads {
    /// The public key, as padclock audit key prints it
    #[arg(long, value_name = "HEX")]
    key: PublicKey,
    /// The file: an audit.heads
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Carries a command out. Whatever is in the way of an answer has an exit code of its own.
pub(crate) async fn run(command: Command) -> Result<ExitCode> {
    let outcome = match command {
        Command::Verify(args) => verify(args).await,
        Command::Key(args) => key(&args.flags).await,
        Command::VerifyHeads(args) => verify_heads(&args),
    };
    Ok(outcome.unwrap_or_else(|error| {
        Say.note(&format!("padclock: {error:#}"));
        ExitCode::from(UNKNOWN)
    }))
}

async fn open(flags: &Flags) -> Result<Auditor> {
    Ok(Auditor::open(&config::resolve(flags)?.settings()?).await?)
}

async fn key(flags: &Flags) -> Result<ExitCode> {
    Say.data(&open(flags).await?.key().to_string());
    Ok(ExitCode::SUCCESS)
}

async fn verify(args: Verify) -> Result<ExitCode> {
    let auditor = open(&args.flags).await?;
    let (reports, outside) = match &args.file {
        Some(file) => (auditor.verify_file(file)?, None),
        None => {
            let only = args.workspace.as_deref();
            let (reports, known) = auditor.verify(only, args.heads.as_deref()).await?;
            (reports, Some(known))
        }
    };
    let good = reports.iter().all(Report::is_good);
    if args.json {
        let told = json!({ "good": good, "key": auditor.key().to_string(), "heads_outside": outside, "workspaces": reports });
        Say.data(&serde_json::to_string_pretty(&told)?);
    } else {
        reports.iter().for_each(|report| Say.data(&told(report)));
        if outside == Some(0) {
            Say.note("No heads kept outside of the database were given: a tail that was cut together with its signatures can't be told.");
        }
    }
    Ok(verdict(good))
}

fn verdict(good: bool) -> ExitCode {
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(BROKEN)
    }
}

/// A report in words.
fn told(report: &Report) -> String {
    let name = report.name.as_deref().unwrap_or(&report.workspace);
    let verdict = match report.faults.first() {
        None => "good".to_owned(),
        Some(first) => match first.seq() {
            Some(seq) => format!("BROKEN, first at record {seq}"),
            None => "BROKEN".to_owned(),
        },
    };
    let mut lines = vec![format!("{name}: {verdict}")];
    let span = match (report.first, report.last) {
        (Some(first), Some(last)) => format!(", from {first} to {last}"),
        _ => String::new(),
    };
    lines.push(format!(
        "  {} records{span}; {} signed heads agree",
        report.records, report.heads
    ));
    lines.extend(report.faults.iter().map(|fault| format!("  {fault}")));
    if report.more_faults > 0 {
        lines.push(format!("  and {} more", report.more_faults));
    }
    lines.join("\n")
}

fn verify_heads(args: &VerifyHeads) -> Result<ExitCode> {
    let checked = check_heads(&args.file, &args.key)?;
    let mut lines = vec![format!(
        "{} heads of {} chains",
        checked.heads,
        checked.newest.len()
    )];
    for head in checked.newest.values() {
        lines.push(format!(
            "  {}: record {} at {}, tag {}",
            head.workspace, head.seq, head.at, head.tag
        ));
    }
    lines.extend(
        checked
            .faults
            .iter()
            .map(|(line, why)| format!("  BROKEN, line {line}: {why}")),
    );
    Say.data(&lines.join("\n"));
    Ok(verdict(checked.faults.is_empty()))
}
