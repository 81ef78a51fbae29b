//! `cronctl tokens`: what lets members in, narrowed as they wish.

use clap::{Args, Subcommand};
use padclock_api::TokenId;
use padclock_api::client::Answer;
use padclock_api::token::{Token, TokenCreate};
use padclock_job::Moment;
use serde_json::json;

use super::credential::{self, Handed, Out};
use super::failure::Failure;
use super::{Session, find, jobs, shown};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List your tokens: what is known of them, never what lets one in
    List {
        /// Everyone's
        #[arg(long)]
        all: bool,
    },
    /// Make a token, which is shown this once. What is left out is as wide as it is for the token that makes it
    Create(Box<Create>),
    /// End a token at once
    Revoke(Revoke),
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// What it is called
    #[arg(value_name = "NAME")]
    name: String,
    /// Narrow it to these permissions: read, secrets:write, jobs:write ... (several: repeat, or use commas)
    #[arg(long, value_name = "PERMISSION", value_delimiter = ',')]
    permission: Vec<String>,
    /// Narrow it to one environment
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Narrow it to ranges of addresses, such as 10.0.0.0/8 (several: repeat, or use commas)
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    cidr: Vec<String>,
    /// End it after this time: 12h, 30d
    #[arg(long, value_name = "SPAN", value_parser = jobs::span)]
    expires_in: Option<u64>,
    /// End it at this time: 2026-03-15T10:00:00Z
    #[arg(long, value_name = "TIME", conflicts_with = "expires_in")]
    expires_at: Option<Moment>,
    /// Make it for this service member: a name or id [default: yourself]
    #[arg(long = "for", value_name = "MEMBER")]
    whose: Option<String>,
    #[command(flatten)]
    out: Out,
}

#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// The token's name or id
    #[arg(value_name = "TOKEN")]
    token: String,
    /// Look for the name among everyone's tokens
    #[arg(long)]
    all: bool,
}

pub(crate) async fn run(command: Command, session: &mut Session) -> Result<(), Failure> {
    match command {
        Command::List { all } => list(all, session).await,
        Command::Create(args) => create(*args, session).await,
        Command::Revoke(args) => revoke(args, session).await,
    }
}

const HEADING: [&str; 8] = [
    "NAME",
    "ID",
    "WHOSE",
    "PERMISSIONS",
    "ENVIRONMENT",
    "FROM",
    "EXPIRES",
    "LAST USED",
];

async fn list(all: bool, session: &mut Session) -> Result<(), Failure> {
    let tokens = session.client.tokens(all).await?;
    if session.output.look.json {
        let items: Vec<_> = tokens.into_iter().map(|token| token.json).collect();
        return session.output.json(&json!({ "items": items }));
    }
    let row = |token: Token| {
        vec![
            token.name,
            token.id.to_string(),
            token.user.name,
            shown::words(token.permissions.as_deref(), "all"),
            token.environment.unwrap_or_else(|| "all".to_owned()),
            shown::words(token.cidrs.as_deref(), "anywhere"),
            shown::ending(token.expires_at),
            shown::moment(token.last_used_at),
        ]
    };
    let rows = tokens.into_iter().map(|answer| row(answer.it)).collect();
    session.output.table(&HEADING, rows)
}

fn some<T>(all: Vec<T>) -> Option<Vec<T>> {
    (!all.is_empty()).then_some(all)
}

async fn create(args: Create, session: &mut Session) -> Result<(), Failure> {
    let place = args.out.prepare()?;
    let for_user = match &args.whose {
        Some(member) => Some(find::member(&session.client, member).await?),
        None => None,
    };
    let new = TokenCreate {
        name: args.name,
        permissions: some(args.permission),
        environment: args.environment,
        cidrs: some(args.cidr),
        expires_in: args.expires_in,
        expires_at: args.expires_at,
        for_user,
    };
    let made = session.client.create_token(&new).await?;
    let id = made.answer.it.id;
    let handed = Handed {
        field: "token",
        credential: &made.credential,
        known: &made.answer.json,
        what: told(&made.answer),
    };
    let outcome = credential::hand_over(place, &handed, &mut session.output);
    if outcome.is_err() {
        take_back(id, session).await;
    }
    outcome
}

/// What it is, for whom, and until when.
fn told(answer: &Answer<Token>) -> String {
    let token = &answer.it;
    let end = token.expires_at.map(|at| format!(", until {at}"));
    format!(
        "The token {} ({}) of {}{}",
        token.name,
        token.id,
        token.user.name,
        end.unwrap_or_default()
    )
}

/// A token that nobody has got lets nobody in.
async fn take_back(id: TokenId, session: &mut Session) {
    match session.client.revoke_token(id).await {
        Ok(()) => session.output.warning("the token is ended again: it could not be handed over"),
        Err(_) => session.output.warning(&format!(
            "the token could not be handed over, and not be ended either: cronctl tokens revoke {id}"
        )),
    }
}

async fn revoke(args: Revoke, session: &mut Session) -> Result<(), Failure> {
    let id = find::token(&session.client, &args.token, args.all).await?;
    session.confirm(&format!(
        "End the token {}? What uses it is refused from then on",
        args.token
    ))?;
    session.client.revoke_token(id).await?;
    session.ended("token", &args.token, &id.to_string())
}
