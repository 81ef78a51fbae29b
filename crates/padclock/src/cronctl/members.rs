//! `cronctl members`: who is in the workspace, and what each may do.

use clap::{Args, Subcommand};
use padclock_api::client::Answer;
use padclock_api::invitation::InvitationCreate;
use padclock_api::member::{Member, MemberCreate, MemberPatch, Role};
use serde_json::json;

use super::credential::{self, Handed, Out};
use super::failure::Failure;
use super::{Session, find, jobs};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the members
    List,
    /// Invite a person by a link that works once
    Invite(Invite),
    /// Add a service member: a machine, which holds tokens only
    Add(Add),
    /// Give a member another role
    Role {
        /// The member's name, e-mail address or id
        member: String,
        /// owner, admin, editor or viewer
        #[arg(value_parser = role)]
        role: Role,
    },
    /// Say which permissions a member has beyond the role's; what is not named is taken back
    Grant(Grant),
    /// Remove a member: their tokens and sessions end, their own secrets are deleted, their jobs stay
    Remove {
        /// The member's name, e-mail address or id
        member: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Invite {
    /// What they will be: owner, admin, editor or viewer
    #[arg(long, value_parser = role)]
    role: Role,
    /// Only this address may accept it [default: whoever has the link]
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// End it after this time: 12h, 30d [default: 7d]
    #[arg(long, value_name = "SPAN", value_parser = jobs::span)]
    expires_in: Option<u64>,
    #[command(flatten)]
    out: Out,
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// What the machine is called
    name: String,
    /// admin, editor or viewer
    #[arg(long, value_parser = role)]
    role: Role,
}

#[derive(Debug, Args)]
pub(crate) struct Grant {
    /// The member's name, e-mail address or id
    member: String,
    /// The permissions: secrets:reveal
    #[arg(required_unless_present = "none")]
    permission: Vec<String>,
    /// Take all of them back
    #[arg(long, conflicts_with = "permission")]
    none: bool,
}

fn role(word: &str) -> Result<Role, String> {
    Role::of(word).ok_or_else(|| "expected owner, admin, editor or viewer".to_owned())
}

pub(crate) async fn run(command: Command, session: &mut Session) -> Result<(), Failure> {
    match command {
        Command::List => list(session).await,
        Command::Invite(args) => invite(args, session).await,
        Command::Add(args) => add(args, session).await,
        Command::Role { member, role } => {
            let change = MemberPatch {
                role: Some(role),
                grants: None,
            };
            change_member(&member, &change, session).await
        }
        Command::Grant(args) => {
            let change = MemberPatch {
                role: None,
                grants: Some(args.permission),
            };
            change_member(&args.member, &change, session).await
        }
        Command::Remove { member } => remove(&member, session).await,
    }
}

const HEADING: [&str; 7] = ["NAME", "ID", "ROLE", "GRANTED", "E-MAIL", "KIND", "SINCE"];

fn kind(member: &Member) -> String {
    if member.service { "machine" } else { "person" }.to_owned()
}

async fn list(session: &mut Session) -> Result<(), Failure> {
    let members = session.client.members().await?;
    if session.output.look.json {
        let items: Vec<_> = members.into_iter().map(|member| member.json).collect();
        return session.output.json(&json!({ "items": items }));
    }
    let row = |member: Member| {
        let kind = kind(&member);
        vec![
            member.name,
            member.user_id.to_string(),
            member.role.word().to_owned(),
            member.grants.join(", "),
            member.email.unwrap_or_default(),
            kind,
            member.created_at.to_string(),
        ]
    };
    let rows = members.into_iter().map(|answer| row(answer.it)).collect();
    session.output.table(&HEADING, rows)
}

async fn invite(args: Invite, session: &mut Session) -> Result<(), Failure> {
    let place = args.out.prepare()?;
    let new = InvitationCreate {
        email: args.email,
        role: args.role,
        expires_in: args.expires_in,
    };
    let made = session.client.invite(&new).await?;
    let invitation = &made.answer.it;
    let (id, whom) = (invitation.id, invitation.email.as_deref());
    let what = format!(
        "The link of the invitation {id} (role {}, for {}, until {})",
        invitation.role.word(),
        whom.unwrap_or("whoever has it"),
        invitation.expires_at
    );
    let handed = Handed {
        field: "url",
        credential: &made.credential,
        known: &made.answer.json,
        what,
    };
    let outcome = credential::hand_over(place, &handed, &mut session.output);
    if outcome.is_err() {
        let told = match session.client.revoke_invitation(id).await {
            Ok(()) => "the invitation is ended again: its link could not be handed over".to_owned(),
            Err(_) => format!(
                "the link could not be handed over, and the invitation not be ended: cronctl invitations revoke {id}"
            ),
        };
        session.output.warning(&told);
    }
    outcome
}

async fn add(args: Add, session: &mut Session) -> Result<(), Failure> {
    let new = MemberCreate {
        name: args.name,
        role: args.role,
    };
    let answer = session.client.create_service_member(&new).await?;
    session.output.note(&format!(
        "The machine {name} is a member; `cronctl tokens create NAME --for {id}` makes its token.",
        name = answer.it.name,
        id = answer.it.user_id
    ));
    record(session, &answer)
}

async fn change_member(
    member: &str,
    change: &MemberPatch,
    session: &mut Session,
) -> Result<(), Failure> {
    let id = find::member(&session.client, member).await?;
    let answer = session.client.change_member(id, change).await?;
    session
        .output
        .note(&format!("The member {} is changed.", answer.it.name));
    record(session, &answer)
}

async fn remove(member: &str, session: &mut Session) -> Result<(), Failure> {
    let id = find::member(&session.client, member).await?;
    session.confirm(&format!(
        "Remove the member {member}? Their tokens and sessions end, and their own secrets are deleted; their jobs stay"
    ))?;
    session.client.remove_member(id).await?;
    session
        .output
        .note(&format!("The member {member} is removed."));
    match session.output.look.json {
        true => session.output.json(&json!({ "id": id, "deleted": true })),
        false => Ok(()),
    }
}

fn record(session: &mut Session, answer: &Answer<Member>) -> Result<(), Failure> {
    if session.output.look.json {
        return session.output.json(&answer.json);
    }
    let member = &answer.it;
    let mut fields = vec![
        ("name", member.name.clone()),
        ("id", member.user_id.to_string()),
        ("role", member.role.word().to_owned()),
        ("granted", member.grants.join(", ")),
        ("kind", kind(member)),
        ("since", member.created_at.to_string()),
    ];
    if let Some(email) = &member.email {
        fields.push(("e-mail", email.clone()));
    }
    session.output.record(&fields)
}
