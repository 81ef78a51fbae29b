//! `cronctl export`: all jobs and what is known of the workspace's secrets, as one document that `cronctl import` reads back.
//! No value is in it: no call here could bring one.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use padclock_api::client::Answer;
use padclock_api::secret::{Scope, Secret};
use padclock_import::{Export as Document, ExportedSecret, FORMAT, definition_of};

use super::Session;
use super::failure::{Failure, system_words};

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The file to write, instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How it is written
    #[arg(long, value_enum, default_value_t = Written::Json)]
    format: Written,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Written {
    Json,
}

pub(crate) async fn run(args: Export, session: &mut Session) -> Result<(), Failure> {
    let Written::Json = args.format;
    let jobs = session.client.jobs().await?;
    let secrets = session.client.secrets().await?;
    let shared = secrets
        .into_iter()
        .filter(|answer| answer.it.scope == Scope::Workspace);
    let document = Document {
        format: FORMAT.to_owned(),
        jobs: jobs
            .iter()
            .map(|answer| definition_of(&answer.json))
            .collect(),
        secrets: shared.map(known).collect(),
    };
    let (jobs, secrets) = (document.jobs.len(), document.secrets.len());
    let json = serde_json::to_value(&document)
        .map_err(|_| Failure::Error("the document can't be written as JSON".to_owned()))?;
    match &args.output {
        None => session.output.json(&json)?,
        Some(path) => std::fs::write(path, format!("{json:#}\n")).map_err(|error| {
            Failure::Error(format!(
                "{} can't be written: {}",
                path.display(),
                system_words(&error)
            ))
        })?,
    }
    session.output.note(&format!(
        "Written: {jobs} (jobs), {secrets} (secrets, without their values)."
    ));
    Ok(())
}

fn known(answer: Answer<Secret>) -> ExportedSecret {
    let word = |name: &str| {
        answer
            .json
            .get(name)
            .and_then(|word| word.as_str())
            .map(str::to_owned)
    };
    ExportedSecret {
        scope: word("scope"),
        reveal: word("reveal"),
        name: answer.it.name,
        environment: answer.it.environment,
        description: answer.it.description,
        egress: answer.it.egress,
        rotate_every_days: answer.it.rotate_every_days,
    }
}
