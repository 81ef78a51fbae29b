//! What of a plan is there already: importing the same twice changes nothing the second time.

use std::collections::BTreeSet;

use padclock_job::{Definition, Kind, ScheduleSpec};

use crate::plan::{Place, Plan};

/// A job that the workspace has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExistingJob {
    /// Its name.
    pub name: String,
    /// How it becomes due.
    pub kind: Kind,
    /// When.
    pub schedule: ScheduleSpec,
    /// Its request's URL, as a template.
    pub url: Option<String>,
}

impl ExistingJob {
    fn is(&self, definition: &Definition) -> bool {
        let url = definition
            .request
            .as_ref()
            .map(|request| request.url.as_str());
        self.name == definition.name
            && self.kind == definition.kind
            && self.schedule == definition.schedule
            && self.url.as_deref() == url
    }
}

/// What the workspace has.
#[derive(Clone, Debug, Default)]
pub struct Existing {
    /// Jobs.
    pub jobs: Vec<ExistingJob>,
    /// Names and environments of secrets; `None`: all environments.
    pub secrets: Vec<(String, Option<String>)>,
}

/// What was taken out of a plan because it is there, and which names found credentials may not have.
#[derive(Debug, Default)]
pub struct Settled {
    /// Jobs that are there, by name.
    pub jobs: Vec<(Place, String)>,
    /// Secrets that are there, by name.
    pub secrets: Vec<String>,
    /// Names that other secrets have: the text is to be read again with these in `Options::taken`.
    pub taken: BTreeSet<String>,
}

/// Takes out of a plan what is there: a job of the same name, schedule and URL, and the secrets that only such jobs use. A secret
/// whose name another one has is in `taken`, unless a job that is there uses it: then it is the same.
pub fn settle(plan: &mut Plan, existing: &Existing) -> Settled {
    let mut settled = Settled::default();
    let mut used_before = BTreeSet::new();
    plan.jobs.retain(|job| {
        let there = existing.jobs.iter().any(|other| other.is(&job.definition));
        if there {
            settled.jobs.push((job.at, job.definition.name.clone()));
            used_before.extend(job.secrets.iter().cloned());
        }
        !there
    });
    let jobs = &plan.jobs;
    let needed = |name: &String| jobs.iter().any(|job| job.secrets.contains(name));
    plan.secrets.retain(|secret| {
        let has = |(name, environment): &(String, Option<String>)| {
            *name == secret.name && *environment == secret.environment
        };
        let there = existing.secrets.iter().any(has);
        if there && (secret.fixed || used_before.contains(&secret.name)) {
            settled.secrets.push(secret.name.clone());
            return false;
        }
        if !secret.fixed && !needed(&secret.name) {
            return false;
        }
        if there {
            settled.taken.insert(secret.name.clone());
        }
        true
    });
    let missing = |name: &String, environment: &Option<String>| {
        let serves = |(other, of): &(String, Option<String>)| {
            other == name && (of.is_none() || of == environment)
        };
        !existing.secrets.iter().any(serves)
    };
    plan.wanted
        .retain(|wanted| missing(&wanted.name, &wanted.environment));
    settled
}
