//! What would be made of a text: the plan that a dry run shows and an import carries out. No field of it shows a credential.

use padclock_job::{Anchor, Definition, Job, Moment};
use padclock_vault::{EgressPolicy, Value};

/// Stands for the id that a job has not got yet.
const NO_ID: &str = "cj_00000000000000000000000000";

/// Where in the text a thing was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A line, from 1.
    Line(usize),
    /// An item of a document's list, from 1.
    Item(usize),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Line(number) => write!(f, "line {number}"),
            Self::Item(number) => write!(f, "item {number}"),
        }
    }
}

/// A job to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedJob {
    /// Where it was read.
    pub at: Place,
    /// What is to be saved; credentials are references in it.
    pub definition: Definition,
    /// The names of the planned secrets that it uses.
    pub secrets: Vec<String>,
    /// What its owner should know of the change.
    pub notes: Vec<String>,
}

/// A secret to be made.
#[derive(Debug)]
pub struct PlannedSecret {
    /// How templates name it.
    pub name: String,
    /// The credential.
    pub value: Value,
    /// The environment it serves; all when missing.
    pub environment: Option<String>,
    /// Where it may be sent: what the jobs that use it need. Missing: anywhere.
    pub egress: Option<EgressPolicy>,
    /// Where it was read, in order.
    pub at: Vec<Place>,
    /// It has this name in its file: one that has it already is the same, and is not made again under another name.
    pub fixed: bool,
}

/// A secret that the text names and gives no value for.
#[derive(Clone, Debug, PartialEq)]
pub struct WantedSecret {
    /// Its name.
    pub name: String,
    /// The environment it serves; all when missing.
    pub environment: Option<String>,
    /// Where it may be sent, when the text says so.
    pub egress: Option<EgressPolicy>,
}

/// What can't be imported, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Where it stands.
    pub at: Place,
    /// The job's name, when it has one.
    pub name: Option<String>,
    /// Why; it repeats nothing of the text.
    pub reason: String,
    /// Whether it is a command: those can't be scheduled yet.
    pub is_command: bool,
}

/// Something to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What it is about.
    pub at: Option<Place>,
    /// What is to be said.
    pub text: String,
}

/// All that would be made, in the order of the text.
#[derive(Debug, Default)]
pub struct Plan {
    /// Jobs.
    pub jobs: Vec<PlannedJob>,
    /// Secrets.
    pub secrets: Vec<PlannedSecret>,
    /// Secrets that are named without a value.
    pub wanted: Vec<WantedSecret>,
    /// What is left out.
    pub left_out: Vec<LeftOut>,
    /// What else is to be told.
    pub notes: Vec<Note>,
}

impl Plan {
    /// Takes out the jobs that could not be saved, with the first reason, and secrets that no job uses any more.
    pub(crate) fn check(&mut self, now: Moment) {
        let jobs = std::mem::take(&mut self.jobs);
        for job in jobs {
            match problem(&job.definition, now) {
                None => self.jobs.push(job),
                Some(reason) => self.left_out.push(LeftOut {
                    at: job.at,
                    name: Some(job.definition.name.clone()),
                    reason,
                    is_command: false,
                }),
            }
        }
        self.left_out.sort_by_key(|left| left.at);
        let jobs = &self.jobs;
        let used = |name: &String| jobs.iter().any(|job| job.secrets.contains(name));
        self.secrets
            .retain(|secret| secret.fixed || used(&secret.name));
    }

    pub(crate) fn leave_out(&mut self, at: Place, reason: impl Into<String>) {
        self.left_out.push(LeftOut {
            at,
            name: None,
            reason: reason.into(),
            is_command: false,
        });
    }

    pub(crate) fn note(&mut self, at: impl Into<Option<Place>>, text: impl Into<String>) {
        self.notes.push(Note {
            at: at.into(),
            text: text.into(),
        });
    }
}

fn problem(definition: &Definition, now: Moment) -> Option<String> {
    let anchor = Anchor {
        job_id: NO_ID,
        created_at: now,
    };
    let problems = Job::compile(definition.clone(), &anchor).err()?;
    let first = problems.first()?;
    Some(format!("{}: {}", first.field, first.message))
}
