//! `cronctl approvals`: what one admin asks for and another decides.

use clap::Subcommand;
use padclock_api::ApprovalId;
use padclock_api::approval::Approval;
use padclock_api::client::Answer;
use serde_json::json;

use super::failure::Failure;
use super::{Session, shown};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List what waits for a second admin
    List {
        /// Show those that are decided, too
        #[arg(long)]
        all: bool,
    },
    /// Approve what another admin asked for, and do it
    Approve {
        /// The approval's id
        id: ApprovalId,
    },
    /// Reject what was asked for, or take it back
    Reject {
        /// The approval's id
        id: ApprovalId,
    },
}

pub(crate) async fn run(command: Command, session: &mut Session) -> Result<(), Failure> {
    match command {
        Command::List { all } => list(all, session).await,
        Command::Approve { id } => {
            let answer = session.client.approve(id).await?;
            session.output.note("Approved, and done.");
            record(session, &answer)
        }
        Command::Reject { id } => {
            let answer = session.client.reject(id).await?;
            session.output.note("Rejected.");
            record(session, &answer)
        }
    }
}

const HEADING: [&str; 6] = ["ID", "SECRET", "SHALL GO TO", "STATE", "ASKED BY", "UNTIL"];

fn name(approval: &Approval) -> String {
    approval
        .target_name
        .clone()
        .unwrap_or_else(|| approval.target.to_string())
}

async fn list(all: bool, session: &mut Session) -> Result<(), Failure> {
    let state = (!all).then_some("pending");
    let found = session.client.approvals(state).await?;
    if session.output.look.json {
        let items: Vec<_> = found.into_iter().map(|answer| answer.json).collect();
        return session.output.json(&json!({ "items": items }));
    }
    if found.is_empty() {
        session.output.note("Nothing waits for an approval.");
    }
    let row = |approval: &Approval| {
        vec![
            approval.id.to_string(),
            name(approval),
            shown::egress(approval.proposal.egress.as_ref()),
            approval.state.word().to_owned(),
            approval.created_by.to_string(),
            approval.expires_at.to_string(),
        ]
    };
    let rows = found.iter().map(|answer| row(&answer.it)).collect();
    session.output.table(&HEADING, rows)
}

/// One approval.
pub(crate) fn record(session: &mut Session, answer: &Answer<Approval>) -> Result<(), Failure> {
    if session.output.look.json {
        return session.output.json(&answer.json);
    }
    let approval = &answer.it;
    session.output.record(&[
        ("id", approval.id.to_string()),
        ("secret", name(approval)),
        (
            "shall go to",
            shown::egress(approval.proposal.egress.as_ref()),
        ),
        ("state", approval.state.word().to_owned()),
        ("asked by", approval.created_by.to_string()),
        ("asked at", approval.created_at.to_string()),
        ("until", approval.expires_at.to_string()),
    ])
}
