//! What a node remembers between claims: compiled jobs and sealed values. Bounded, and never an open value.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use padclock_api::{JobId, UserId, WorkspaceId};
use padclock_job::Job;

use crate::resolve::SealedSecret;

/// Compiled jobs of one age; two ages are kept, so a job that is used at least once in that many others stays.
const JOBS: usize = 4_096;
/// Marks of jobs seen once; an eighth of them set, they are wiped.
const MARKS: usize = 65_536;
/// Names of secrets per workspace, and workspaces, before the cache starts anew.
const NAMES: usize = 4_096;
const WORKSPACES: usize = 1_024;

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A compiled job and whose it is.
#[derive(Debug, Clone)]
pub(crate) struct KnownJob {
    pub revision: u32,
    pub workspace: WorkspaceId,
    pub owner: UserId,
    pub job: Arc<Job>,
}

#[derive(Debug, Default)]
struct Ages {
    young: HashMap<JobId, KnownJob>,
    old: HashMap<JobId, KnownJob>,
    /// One bit for each job that was seen once. Only what comes again is kept: a million jobs that run once a day pass
    /// through without pushing anything out, and without the cost of it.
    seen: Vec<u64>,
    marks: usize,
}

/// Jobs by id and revision.
#[derive(Debug, Default)]
pub(crate) struct Jobs(Mutex<Ages>);

impl Jobs {
    pub(crate) fn get(&self, id: JobId, revision: u32) -> Option<KnownJob> {
        let mut ages = locked(&self.0);
        if let Some(known) = ages.young.get(&id) {
            return (known.revision == revision).then(|| known.clone());
        }
        let known = ages
            .old
            .remove(&id)
            .filter(|known| known.revision == revision)?;
        ages.keep(id, known.clone());
        Some(known)
    }

    fn put(&self, id: JobId, known: &KnownJob) {
        let mut ages = locked(&self.0);
        if ages.comes_again(id) {
            ages.keep(id, known.clone());
        }
    }
}

impl Ages {
    fn comes_again(&mut self, id: JobId) -> bool {
        if self.marks >= MARKS / 8 {
            (self.seen, self.marks) = (Vec::new(), 0);
        }
        self.seen.resize(MARKS / 64, 0);
        // The end of an id is random.
        let bytes = id.bytes();
        let at = usize::from(u16::from_be_bytes([bytes[14], bytes[15]])) % MARKS;
        let (word, bit) = (&mut self.seen[at / 64], 1 << (at % 64));
        let before = *word & bit != 0;
        *word |= bit;
        self.marks += usize::from(!before);
        before
    }

    fn keep(&mut self, id: JobId, known: KnownJob) {
        if self.young.len() >= JOBS {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(id, known);
    }
}

/// What a transaction has read that is worth keeping. It goes into the caches after the commit: a transaction that fails
/// may have read what never came to be, and the revision it stood under then comes again with other content.
#[derive(Debug, Default)]
pub(crate) struct Fresh {
    pub jobs: Vec<(JobId, KnownJob)>,
    pub secrets: Vec<(WorkspaceId, i64, String, Candidates)>,
}

impl Fresh {
    pub(crate) fn keep(self, jobs: &Jobs, secrets: &Secrets) {
        for (id, known) in self.jobs {
            jobs.put(id, &known);
        }
        for (workspace, revision, name, candidates) in self.secrets {
            secrets.put(workspace, revision, name, candidates);
        }
    }
}

/// All secrets of one name in a workspace.
pub(crate) type Candidates = Arc<[Arc<SealedSecret>]>;

#[derive(Debug, Default)]
struct WorkspaceSecrets {
    revision: i64,
    names: HashMap<String, Candidates>,
}

/// Sealed secrets by workspace and name, valid for one revision of the workspace's secrets.
#[derive(Debug, Default)]
pub(crate) struct Secrets(Mutex<HashMap<WorkspaceId, WorkspaceSecrets>>);

impl Secrets {
    pub(crate) fn get(
        &self,
        workspace: WorkspaceId,
        revision: i64,
        name: &str,
    ) -> Option<Candidates> {
        let workspaces = locked(&self.0);
        let known = workspaces
            .get(&workspace)
            .filter(|known| known.revision == revision)?;
        known.names.get(name).cloned()
    }

    fn put(&self, workspace: WorkspaceId, revision: i64, name: String, candidates: Candidates) {
        let mut workspaces = locked(&self.0);
        if workspaces.len() >= WORKSPACES {
            workspaces.clear();
        }
        let known = workspaces.entry(workspace).or_default();
        if known.revision != revision || known.names.len() >= NAMES {
            *known = WorkspaceSecrets {
                revision,
                names: HashMap::new(),
            };
        }
        known.names.insert(name, candidates);
    }
}
