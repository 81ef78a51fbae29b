//! From the jobs that name a secret to the narrowest policy under which they work. Pure; nothing here changes a policy.

use std::collections::BTreeSet;

use padclock_api::JobId;
use padclock_api::secret::{NamedJob, ProposedPolicy};
use padclock_job::Job;
use padclock_template::{TargetUrl, Variables};
use padclock_vault::{EgressPolicy, Place};

/// The most entries of a policy's list.
const MOST: usize = 64;

/// A policy in the making.
#[derive(Debug, Default)]
pub(crate) struct Proposal {
    schemes: BTreeSet<String>,
    hosts: BTreeSet<String>,
    ports: BTreeSet<u16>,
    methods: BTreeSet<String>,
    paths: BTreeSet<String>,
    places: BTreeSet<Place>,
    jobs: Vec<NamedJob>,
    warnings: Vec<String>,
}

impl Proposal {
    /// Notes what the policy could not be made of, once.
    pub(crate) fn note(&mut self, warning: &str) {
        if !self.warnings.iter().any(|known| known == warning) {
            self.warnings.push(warning.to_owned());
        }
    }

    /// Adds what a job needs that names the secret in these places.
    pub(crate) fn add(&mut self, (id, workspace): (JobId, &str), job: &Job, places: Vec<Place>) {
        let definition = job.definition();
        let Some(request) = job.request() else {
            let name = &definition.name;
            self.warnings.push(format!(
                "the job {name} sends no request; name its agents by hand"
            ));
            return;
        };
        let told = |set| request.target(&variables(job, &id.to_string(), workspace, set));
        let (Ok(first), Ok(second)) = (told(0), told(1)) else {
            self.warnings.push(format!(
                "where the job {} sends to can't be told",
                definition.name
            ));
            return;
        };
        if (first.scheme, &first.host, first.port) != (second.scheme, &second.host, second.port) {
            self.warnings.push(format!(
                "the host of the job {} changes from run to run; name it by hand",
                definition.name
            ));
            return;
        }
        self.schemes.insert(first.scheme.to_owned());
        self.hosts.insert(first.host.clone());
        self.ports.insert(first.port);
        self.methods.insert(request.method().to_owned());
        self.paths.insert(prefix(&first, &second));
        self.places.extend(places);
        self.jobs.push(NamedJob {
            id,
            name: definition.name.clone(),
        });
    }

    /// The policy, as far as one can be told.
    pub(crate) fn finish(mut self) -> ProposedPolicy {
        if self.jobs.is_empty() {
            self.warnings
                .push("no job sends this secret: there is nothing to make a policy of".to_owned());
        }
        if self.hosts.len() > MOST {
            self.warnings.push(format!(
                "its jobs send to {} hosts; a policy names at most {MOST}",
                self.hosts.len()
            ));
        }
        let told = !self.jobs.is_empty() && self.hosts.len() <= MOST;
        let mut paths = outermost(&self.paths);
        if paths.len() > MOST {
            paths.clear();
        }
        let policy = EgressPolicy {
            schemes: self.schemes.into_iter().collect(),
            hosts: self.hosts.into_iter().collect(),
            ports: self.ports.into_iter().take(MOST).collect(),
            methods: self.methods.into_iter().collect(),
            path_prefixes: paths,
            places: self.places.into_iter().collect(),
            agents: Vec::new(),
        };
        ProposedPolicy {
            egress: told.then_some(policy),
            jobs: self.jobs,
            warnings: self.warnings,
        }
    }
}

/// The variables of a run that can't happen; those of two sets differ in all that changes from run to run.
fn variables<'a>(job: &'a Job, id: &'a str, workspace: &'a str, set: usize) -> Variables<'a> {
    let definition = job.definition();
    let at = ["2000-01-01T00:00:00Z", "2111-12-31T23:59:59Z"][set];
    let word = ["0", "z"][set];
    Variables {
        now: at,
        now_unix: [946_684_800, 4_480_876_799][set],
        last_run: at,
        job_name: &definition.name,
        job_id: id,
        execution_id: word,
        random_uuid: word,
        scheduled_for: at,
        environment: definition.environment(),
        workspace,
        attempt: [1, 2][set],
        attempt_unix: 0,
        env: &definition.env,
    }
}

/// What the paths of all runs begin with, cut at a segment's border.
fn prefix(first: &TargetUrl, second: &TargetUrl) -> String {
    let mut path = first.path.as_str();
    if first.path != second.path {
        let differ = first
            .path
            .bytes()
            .zip(second.path.bytes())
            .position(|(one, other)| one != other);
        let at = differ.unwrap_or(first.path.len().min(second.path.len()));
        path = up_to_slash(&first.path, at);
    }
    while path != "/" && !is_valid(path) {
        path = up_to_slash(path, path.len() - 1);
    }
    path.to_owned()
}

/// The path to the last `/` before `end`, that one included.
fn up_to_slash(path: &str, end: usize) -> &str {
    let slash = path.as_bytes()[..end]
        .iter()
        .rposition(|byte| *byte == b'/');
    slash.map_or("/", |slash| &path[..=slash])
}

fn is_valid(path: &str) -> bool {
    let policy = EgressPolicy {
        path_prefixes: vec![path.to_owned()],
        ..EgressPolicy::default()
    };
    policy.validate().is_ok()
}

/// The paths of which none lies below another; none at all when one of them is the root.
fn outermost(paths: &BTreeSet<String>) -> Vec<String> {
    let below = |path: &str, other: &str| {
        path != other
            && path
                .strip_prefix(other)
                .is_some_and(|rest| other.ends_with('/') || rest.starts_with('/'))
    };
    if paths.contains("/") {
        return Vec::new();
    }
    paths
        .iter()
        .filter(|path| !paths.iter().any(|other| below(path, other)))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests;
