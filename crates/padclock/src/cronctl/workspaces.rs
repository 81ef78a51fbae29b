//! `cronctl workspaces`: those of the token's member, and what each asks of its secrets and jobs.

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args, Subcommand};
use padclock_api::WorkspaceId;
use padclock_api::client::{Answer, Client, Made};
use padclock_api::workspace::{
    SettingsPatch, Workspace, WorkspaceCreate, WorkspacePatch, WorkspaceSettings,
};
use padclock_job::OnUnresolved;
use serde_json::json;

use super::credential::{self, Handed, Out, Place};
use super::failure::Failure;
use super::{Session, find};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the workspaces that you are a member of
    List,
    /// Make a workspace; you are its owner
    Create(Create),
    /// Show a workspace and what it asks of its secrets and jobs
    Show {
        /// The workspace's name or id [default: the token's]
        workspace: Option<String>,
    },
    /// Change the name and the settings of the token's workspace; without options, show them
    Settings(Settings),
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Its name, which no other workspace has
    name: String,
    #[command(flatten)]
    asks: Asks,
    /// Make a token of this name for it as well, which is shown this once
    #[arg(long, value_name = "NAME")]
    token_name: Option<String>,
    #[command(flatten)]
    out: Out,
}

#[derive(Debug, Args)]
pub(crate) struct Settings {
    /// Its new name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    asks: Asks,
}

/// What a workspace asks of its secrets and jobs.
#[derive(Debug, Args)]
struct Asks {
    /// Refuse a secret that does not say where it may be sent
    #[arg(long, value_name = "YES|NO", action = ArgAction::Set, value_parser = BoolishValueParser::new())]
    require_egress_policy: Option<bool>,
    /// Refuse a job that holds what looks like a credential in plain text
    #[arg(long, value_name = "YES|NO", action = ArgAction::Set, value_parser = BoolishValueParser::new())]
    refuse_plaintext_secrets: Option<bool>,
    /// What happens to a secret://name that names no secret: send, as each job says, or fail, in every job
    #[arg(long, value_name = "send|fail", value_parser = on_unresolved)]
    on_unresolved: Option<OnUnresolved>,
}

fn on_unresolved(word: &str) -> Result<OnUnresolved, String> {
    serde_json::from_value(json!(word)).map_err(|_| "expected send or fail".to_owned())
}

impl Asks {
    fn patch(&self) -> SettingsPatch {
        SettingsPatch {
            require_egress_policy: self.require_egress_policy,
            refuse_plaintext_secrets: self.refuse_plaintext_secrets,
            on_unresolved: self.on_unresolved,
        }
    }
}

pub(crate) async fn run(command: Command, session: &mut Session) -> Result<(), Failure> {
    match command {
        Command::List => list(session).await,
        Command::Create(args) => create(args, session).await,
        Command::Show { workspace } => {
            let id = match workspace {
                Some(text) => find::workspace(&session.client, &text).await?,
                None => own(&session.client).await?,
            };
            let answer = session.client.workspace(id).await?;
            record(session, &answer)
        }
        Command::Settings(args) => settings(args, session).await,
    }
}

/// The workspace that the token opens.
async fn own(client: &Client) -> Result<WorkspaceId, Failure> {
    let me = client.whoami().await?.it;
    let unreadable = || Failure::Error(format!("{} is no workspace's id", me.workspace.id));
    me.workspace.id.parse().map_err(|_| unreadable())
}

async fn list(session: &mut Session) -> Result<(), Failure> {
    let found = session.client.workspaces().await?;
    if session.output.look.json {
        let items: Vec<_> = found.into_iter().map(|answer| answer.json).collect();
        return session.output.json(&json!({ "items": items }));
    }
    let row = |workspace: Workspace| {
        vec![
            workspace.name,
            workspace.id.to_string(),
            workspace.role.word().to_owned(),
            workspace.created_at.to_string(),
        ]
    };
    let rows = found.into_iter().map(|answer| row(answer.it)).collect();
    session
        .output
        .table(&["NAME", "ID", "YOUR ROLE", "CREATED"], rows)
}

async fn create(args: Create, session: &mut Session) -> Result<(), Failure> {
    let new = WorkspaceCreate {
        name: args.name,
        settings: args.asks.patch().applied_to(WorkspaceSettings::default()),
        token_name: None,
    };
    let place = args.out.prepare()?;
    let Some(token_name) = &args.token_name else {
        if matches!(place, Place::File(_)) {
            let why = "--out is for the token: name one with --token-name".to_owned();
            return Err(Failure::Usage(why));
        }
        let answer = session.client.create_workspace(&new).await?;
        session
            .output
            .note(&format!("The workspace {} is there.", answer.it.name));
        return record(session, &answer);
    };
    let client = &session.client;
    let made = client.create_workspace_with_token(&new, token_name).await?;
    let workspace = &made.answer.it;
    let handed = Handed {
        field: "token",
        credential: &made.credential,
        known: &made.answer.json,
        what: format!(
            "The token {token_name} of the new workspace {} ({})",
            workspace.name, workspace.id
        ),
    };
    let outcome = credential::hand_over(place, &handed, &mut session.output);
    if outcome.is_err() {
        take_back(&made, session).await;
    }
    outcome
}

/// A token that nobody has got lets nobody in. It is of another workspace than ours, so it has to end itself.
async fn take_back(made: &Made<Workspace>, session: &mut Session) {
    let ended = match Client::new(session.client.base().clone(), &made.credential) {
        Ok(client) => client.revoke_own_token().await.is_ok(),
        Err(_) => false,
    };
    let token = if ended {
        "is ended again"
    } else {
        "still works"
    };
    session.output.warning(&format!(
        "the workspace {} is there; its token {token}, and could not be handed over",
        made.answer.it.name
    ));
}

async fn settings(args: Settings, session: &mut Session) -> Result<(), Failure> {
    let id = own(&session.client).await?;
    let patch = args.asks.patch();
    let change = WorkspacePatch {
        name: args.name,
        settings: (patch != SettingsPatch::default()).then_some(patch),
    };
    if change == WorkspacePatch::default() {
        let answer = session.client.workspace(id).await?;
        return record(session, &answer);
    }
    let answer = session.client.change_workspace(id, &change).await?;
    session
        .output
        .note(&format!("The workspace {} is changed.", answer.it.name));
    record(session, &answer)
}

fn yes(asked: bool) -> String {
    if asked { "yes" } else { "no" }.to_owned()
}

fn record(session: &mut Session, answer: &Answer<Workspace>) -> Result<(), Failure> {
    if session.output.look.json {
        return session.output.json(&answer.json);
    }
    let workspace = &answer.it;
    let settings = workspace.settings;
    let unresolved = match settings.on_unresolved {
        OnUnresolved::Send => "send",
        OnUnresolved::Fail => "fail",
    };
    session.output.record(&[
        ("name", workspace.name.clone()),
        ("id", workspace.id.to_string()),
        ("your role", workspace.role.word().to_owned()),
        ("created", workspace.created_at.to_string()),
        ("require egress policy", yes(settings.require_egress_policy)),
        (
            "refuse plaintext secrets",
            yes(settings.refuse_plaintext_secrets),
        ),
        ("on unresolved", unresolved.to_owned()),
    ])
}
