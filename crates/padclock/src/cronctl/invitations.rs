//! `cronctl invitations`: links that nobody has accepted yet. `cronctl members invite` makes one.

use clap::Subcommand;
use padclock_api::LinkId;
use padclock_api::invitation::Invitation;
use serde_json::json;

use super::Session;
use super::failure::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the invitations that can still be accepted
    List,
    /// End an invitation: its link works no more
    Revoke {
        /// The invitation's id
        id: LinkId,
    },
}

pub(crate) async fn run(command: Command, session: &mut Session) -> Result<(), Failure> {
    match command {
        Command::List => list(session).await,
        Command::Revoke { id } => {
            session.client.revoke_invitation(id).await?;
            let id = id.to_string();
            session.ended("invitation", &id, &id)
        }
    }
}

async fn list(session: &mut Session) -> Result<(), Failure> {
    let found = session.client.invitations().await?;
    if session.output.look.json {
        let items: Vec<_> = found.into_iter().map(|answer| answer.json).collect();
        return session.output.json(&json!({ "items": items }));
    }
    if found.is_empty() {
        session
            .output
            .note("No invitation waits; `cronctl members invite --role ROLE` makes one.");
    }
    let row = |invitation: Invitation| {
        vec![
            invitation.id.to_string(),
            invitation.role.word().to_owned(),
            invitation
                .email
                .unwrap_or_else(|| "whoever has the link".to_owned()),
            invitation.created_at.to_string(),
            invitation.expires_at.to_string(),
        ]
    };
    let rows = found.into_iter().map(|answer| row(answer.it)).collect();
    session
        .output
        .table(&["ID", "ROLE", "FOR", "CREATED", "EXPIRES"], rows)
}
