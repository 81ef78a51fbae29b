//! `cronctl environments`: named sets of values.

use clap::Subcommand;
use padclock_api::environment::{Environment, EnvironmentCreate};
use serde_json::json;

use super::failure::Failure;
use super::{Session, shown};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the environments
    List,
    /// Make an environment, so that it is there before anything is in it
    Create {
        /// Its name
        name: String,
    },
    /// Remove an environment that no secret, job or token is of
    Delete {
        /// Its name
        name: String,
    },
}

pub(crate) async fn run(command: Command, session: &mut Session) -> Result<(), Failure> {
    match command {
        Command::List => list(session).await,
        Command::Create { name } => create(name, session).await,
        Command::Delete { name } => {
            session.confirm(&format!("Delete the environment {name}?"))?;
            session.client.delete_environment(&name).await?;
            session
                .output
                .note(&format!("The environment {name} is deleted."));
            match session.output.look.json {
                true => session
                    .output
                    .json(&json!({ "name": name, "deleted": true })),
                false => Ok(()),
            }
        }
    }
}

async fn list(session: &mut Session) -> Result<(), Failure> {
    let found = session.client.environments().await?;
    if session.output.look.json {
        let items: Vec<_> = found.into_iter().map(|answer| answer.json).collect();
        return session.output.json(&json!({ "items": items }));
    }
    let row = |environment: Environment| {
        vec![
            environment.name,
            environment.secrets.to_string(),
            environment.jobs.to_string(),
            shown::moment(environment.created_at),
        ]
    };
    let rows = found.into_iter().map(|answer| row(answer.it)).collect();
    session
        .output
        .table(&["NAME", "SECRETS", "JOBS", "CREATED"], rows)
}

async fn create(name: String, session: &mut Session) -> Result<(), Failure> {
    let answer = session
        .client
        .create_environment(&EnvironmentCreate { name })
        .await?;
    session
        .output
        .note(&format!("The environment {} is there.", answer.it.name));
    if session.output.look.json {
        return session.output.json(&answer.json);
    }
    let environment = answer.it;
    session.output.record(&[
        ("name", environment.name),
        ("secrets", environment.secrets.to_string()),
        ("jobs", environment.jobs.to_string()),
    ])
}
