//! `cronctl import`: what other schedulers and files hold becomes jobs, paused, and secrets. What is read and what becomes of it
//! is `padclock_import`'s to say; here it is shown, asked about and carried out.

mod make;
mod source;
mod tell;

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use padclock_api::client::Client;
use padclock_api::secret::{ALL_ENVIRONMENTS, Scope};
use padclock_import::{Existing, ExistingJob, Format, Options, credentials, guess, read_beside};

use super::Session;
use super::failure::Failure;

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The file to read (- is standard input)
    #[arg(value_name = "FILE", required_unless_present = "crontab")]
    file: Option<PathBuf>,
    /// Read this user's crontab, as `crontab -l` prints it
    #[arg(long, conflicts_with = "file")]
    crontab: bool,
    /// What the file is: crontab, env, trigrun, cron-job.org, padclock [default: what it looks like]
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    from: Option<Format>,
    /// Show what would be made, and make nothing
    #[arg(long)]
    dry_run: bool,
    /// The environment that the jobs run in and the secrets serve [default: production, and all]
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// The time zone of a crontab that names none [default: this machine's]
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// The crontab is the system's: its lines name a user
    #[arg(long)]
    system: bool,
    /// Of a .env file, store every line, not those alone that look like credentials
    #[arg(long)]
    all: bool,
    /// Jobs that cronctl export wrote keep their state; otherwise all are paused
    #[arg(long)]
    keep_state: bool,
}

fn format(word: &str) -> Result<Format, String> {
    Format::from_word(word)
        .ok_or_else(|| "expected crontab, env, trigrun, cron-job.org or padclock".to_owned())
}

pub(crate) async fn run(args: Import, session: &mut Session) -> Result<(), Failure> {
    let (text, from) = source::text(&args, session.keyboard.as_mut())?;
    let unread = |error: padclock_import::Unread| Failure::Usage(format!("{from}: {error}"));
    let format = match (args.from, args.crontab) {
        (Some(format), _) => format,
        (None, true) => Format::Crontab,
        (None, false) => guess(&text).map_err(unread)?,
    };
    let zone = match (&args.timezone, format) {
        (Some(zone), _) => Some(zone.clone()),
        (None, Format::Crontab) => source::zone(),
        (None, _) => None,
    };
    let options = Options {
        now: source::now(),
        zone: zone.as_deref(),
        environment: args.environment.as_deref(),
        system: args.system,
        all: args.all,
        keep_state: args.keep_state,
        taken: &BTreeSet::new(),
    };
    let existing = existing(&session.client).await?;
    let (plan, settled) =
        read_beside(&text, format, &options, &credentials, &existing).map_err(unread)?;
    drop(text);
    if let (None, Some(zone), false) = (&args.timezone, &zone, plan.jobs.is_empty()) {
        session.output.note(&format!(
            "Times are taken to be of {zone}, this machine's zone, where the crontab names none."
        ));
    }
    tell::remarks(session, &plan, &settled);
    if args.dry_run || (plan.jobs.is_empty() && plan.secrets.is_empty()) {
        tell::plan(session, &plan, &settled, args.dry_run)?;
        session.output.note(if args.dry_run {
            "Nothing was made: this is what would be."
        } else {
            "There is nothing to make."
        });
        return Ok(());
    }
    if !session.output.look.json {
        tell::plan(session, &plan, &settled, false)?;
    }
    session.confirm(&format!("Make {}?", tell::count(&plan)))?;
    make::all(session, plan).await
}

/// What the workspace has.
async fn existing(client: &Client) -> Result<Existing, Failure> {
    let job = |answer: padclock_api::client::Answer<padclock_api::client::Job>| {
        let read = |name: &str| answer.json.get(name).cloned().unwrap_or_default();
        Some(ExistingJob {
            name: answer.it.name.clone(),
            kind: serde_json::from_value(read("kind")).ok()?,
            schedule: serde_json::from_value(read("schedule")).ok()?,
            url: answer
                .it
                .request
                .get("url")
                .and_then(|url| url.as_str())
                .map(str::to_owned),
        })
    };
    let jobs = client.jobs().await?.into_iter().filter_map(job).collect();
    let secrets = client.secrets().await?.into_iter().map(|answer| answer.it);
    let shared = secrets.filter(|secret| secret.scope == Scope::Workspace);
    Ok(Existing {
        jobs,
        secrets: shared
            .map(|secret| {
                (
                    secret.name,
                    Some(secret.environment).filter(|name| name != ALL_ENVIRONMENTS),
                )
            })
            .collect(),
    })
}
