//! Reads what other schedulers and files hold (crontabs, `.env` files, documents of TrigRun, cron-job.org and Padclock itself) into a
//! [`Plan`]: jobs, the secrets that were found in them, and what had to be left out, with the reason.
//!
//! Pure: what makes credentials out is given as a function, the time as an argument, and nothing is created here. No line that is
//! read is ever run. Nothing in a plan shows a credential: values are [`padclock_vault::Value`]s, and reasons repeat no text.

mod command;
mod credentials;
mod cron_job_org;
mod crontab;
mod curl;
mod documents;
pub mod dotenv;
mod draft;
mod extract;
mod form;
mod json_text;
mod names;
mod plan;
mod secrets;
mod settle;
mod shell;
mod url;
mod wget;

pub use credentials::credentials;
pub use documents::{Export, ExportedSecret, FORMAT, definition_of};
pub use plan::{LeftOut, Note, Place, Plan, PlannedJob, PlannedSecret, WantedSecret};
pub use secrets::{Context, Find, Found};
pub use settle::{Existing, ExistingJob, Settled, settle};

use std::collections::BTreeSet;

use padclock_job::Moment;

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A crontab, as `crontab -l` prints it.
    Crontab,
    /// A `.env` file: secrets.
    Env,
    /// Jobs or secrets as TrigRun's API answers them, or as Padclock's does.
    TrigRun,
    /// Jobs as cron-job.org's REST API answers them.
    CronJobOrg,
    /// What `cronctl export` wrote.
    Padclock,
}

impl Format {
    /// The name on the command line and in the API.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Crontab => "crontab",
            Self::Env => "env",
            Self::TrigRun => "trigrun",
            Self::CronJobOrg => "cron-job.org",
            Self::Padclock => "padclock",
        }
    }

    /// The format of this name.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [
            Self::Crontab,
            Self::Env,
            Self::TrigRun,
            Self::CronJobOrg,
            Self::Padclock,
        ]
        .into_iter()
        .find(|format| format.word() == word)
    }
}

/// How a text is to be read.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// The time at which it is read: schedules are checked from it.
    pub now: Moment,
    /// The time zone of a crontab that names none; UTC when missing.
    pub zone: Option<&'a str>,
    /// The environment that jobs and secrets are made for; when missing, jobs run in `production` and secrets serve all.
    pub environment: Option<&'a str>,
    /// A crontab has a column with the user's name, as `/etc/crontab` has.
    pub system: bool,
    /// Of a `.env` file every line becomes a secret, not those alone that look like credentials.
    pub all: bool,
    /// Jobs of a Padclock document keep their state; otherwise all are paused.
    pub keep_state: bool,
    /// Names of secrets that found credentials may not take.
    pub taken: &'a BTreeSet<String>,
}

/// A text can't be read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// It is not JSON.
    #[error("it is not JSON from line {line}, column {column} on")]
    NotJson {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// It is JSON of another shape.
    #[error("{0}")]
    Shape(&'static str),
    /// What it is can't be told.
    #[error(
        "what kind of file it is can't be told; say it: crontab, env, trigrun, cron-job.org or padclock"
    )]
    Unknown,
}

/// What a text seems to be.
///
/// # Errors
/// [`Unread::Unknown`] when it looks like none of them.
pub fn guess(text: &str) -> Result<Format, Unread> {
    let trimmed = text.trim_start_matches('\u{feff}').trim_start();
    if trimmed.starts_with(['{', '[']) {
        return documents::guess(trimmed);
    }
    let mut lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    if lines.clone().any(crontab::looks_like_one) {
        return Ok(Format::Crontab);
    }
    if lines.any(dotenv::looks_like_one) {
        return Ok(Format::Env);
    }
    Err(Unread::Unknown)
}

/// Reads a text and takes out of the plan what is there already. Names that other secrets have are not used again.
///
/// # Errors
/// As [`read`].
pub fn read_beside(
    text: &str,
    format: Format,
    options: &Options<'_>,
    find: &Find<'_>,
    existing: &Existing,
) -> Result<(Plan, Settled), Unread> {
    let mut taken = options.taken.clone();
    loop {
        let options = Options {
            taken: &taken,
            ..*options
        };
        let mut plan = read(text, format, &options, find)?;
        let settled = settle(&mut plan, existing);
        // Each round names at least one more, and those that are there are not endless.
        if settled.taken.is_subset(&taken) {
            return Ok((plan, settled));
        }
        taken.extend(settled.taken);
    }
}

/// Reads a text of this format. `find` tells which parts of a text are credentials.
///
/// # Errors
/// [`Unread`] when it is not of the format; single lines or items that can't become jobs are in the plan's `left_out`.
pub fn read(
    text: &str,
    format: Format,
    options: &Options<'_>,
    find: &Find<'_>,
) -> Result<Plan, Unread> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut plan = match format {
        Format::Crontab => crontab::read(text, options, find),
        Format::Env => dotenv::read(text, options, find),
        Format::TrigRun => documents::trigrun(text, options, find)?,
        Format::Padclock => documents::padclock(text, options, find)?,
        Format::CronJobOrg => cron_job_org::read(text, options, find)?,
    };
    plan.check(options.now);
    Ok(plan)
}

#[cfg(test)]
mod tests;
