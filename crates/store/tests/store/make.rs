//! What the tests make: jobs, secrets, finished attempts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use padclock_api::secret::Reveal;
use padclock_api::{ExecutionId, JobId, SecretId, UserId, WorkspaceId};
use padclock_job::{Anchor, Definition, Job, Kind, Moment};
use padclock_store::{
    Actor, Claimed, End, Finished, HeldLease, JobRow, NewJob, NewSecret, NewVersion, SecretRow,
    Store,
};
use padclock_template::RequestSpec;
use padclock_vault::{EgressPolicy, SealPlace, Sealed, Value};

use crate::world::{Seeded, World};

/// A lease that lasts for the whole test.
pub(crate) const LONG: Duration = Duration::from_secs(600);
/// The workspace's secrets of every environment.
pub(crate) const ALL: &str = padclock_api::secret::ALL_ENVIRONMENTS;
pub(crate) const HOUR: i64 = 3_600_000;

static NEXT: AtomicU64 = AtomicU64::new(1);

/// Ten bytes that no other call answers, in ascending order.
pub(crate) fn unique() -> [u8; 10] {
    let mut bytes = [0; 10];
    bytes[2..].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    bytes
}

pub(crate) fn node(name: &str) -> Arc<str> {
    Arc::from(name)
}

/// Every hour on the half hour before and after now, with nothing secret.
pub(crate) fn hourly(name: &str) -> Definition {
    let mut definition = Definition::new(name, Kind::Recurring);
    definition.schedule.every_seconds = Some(3_600);
    definition.request = Some(RequestSpec::get("https://example.com/hook"));
    definition
}

/// [`hourly`] with a header that names secrets.
pub(crate) fn with_header(name: &str, header: &str) -> Definition {
    let mut definition = hourly(name);
    let request = definition.request.as_mut().unwrap();
    request
        .headers
        .insert("X-Key".to_owned(), header.to_owned());
    definition
}

pub(crate) fn compiled(id: JobId, created_at: Moment, definition: Definition) -> Arc<Job> {
    let anchor = Anchor {
        job_id: &id.to_string(),
        created_at,
    };
    Arc::new(Job::compile(definition, &anchor).unwrap_or_else(|problems| panic!("{problems:?}")))
}

pub(crate) fn new_job(world: &World, now: Moment, definition: Definition) -> NewJob {
    let id = JobId::new(now.millis(), unique());
    let created_at = now.plus_millis(-HOUR / 2);
    let job = compiled(id, created_at, definition);
    NewJob {
        id,
        workspace: world.workspace,
        owner: world.owner,
        created_at,
        paused: false,
        job,
    }
}

pub(crate) fn version(
    world: &World,
    id: SecretId,
    number: u32,
    value: &str,
    egress: Option<&EgressPolicy>,
) -> Sealed {
    let place = SealPlace {
        workspace: *world.workspace.bytes(),
        secret: *id.bytes(),
        version: number,
        field: "value",
        policy_hash: EgressPolicy::hash(egress),
    };
    world.keyring.seal(
        &place,
        &Value::new(value),
        &mut Seeded(u64::from(number) ^ 0xabcd),
    )
}

impl World {
    pub(crate) async fn now(&self) -> Moment {
        self.store.now().await.unwrap()
    }

    pub(crate) async fn job(&self, definition: Definition) -> JobRow {
        let new = new_job(self, self.now().await, definition);
        self.store.create_job(new, Actor::System).await.unwrap()
    }

    /// Sets a job's due row to a time, as if the clock had come to it.
    pub(crate) async fn due_at(&self, job: JobId, at: Moment) {
        let (id, at) = (self.hex(job.bytes()), at.millis());
        self.raw(&format!(
            "UPDATE due SET run_at = {at}, scheduled_for = {at} WHERE job_id = {id}"
        ))
        .await;
    }

    /// A job that has just come due; answers it and the time it stands for.
    pub(crate) async fn due_job(&self, definition: Definition) -> (JobRow, Moment) {
        let job = self.job(definition).await;
        let at = self.now().await.plus_millis(-1_000);
        self.due_at(job.id, at).await;
        (job, at)
    }

    pub(crate) async fn claim(&self, want: usize) -> Vec<Claimed> {
        self.store.claim(node("n1"), want, LONG).await.unwrap()
    }

    /// The only thing there is to claim.
    pub(crate) async fn claim_one(&self) -> Claimed {
        let mut claimed = self.claim(10).await;
        assert_eq!(claimed.len(), 1, "{claimed:?}");
        claimed.remove(0)
    }

    pub(crate) async fn finish(&self, claimed: &Claimed, end: End) -> bool {
        self.store
            .complete(node("n1"), vec![finished(claimed, end)])
            .await
            .unwrap()[0]
    }

    pub(crate) fn new_secret(&self, name: &str, value: &str) -> NewSecret {
        let id = SecretId::new(1, unique());
        NewSecret {
            id,
            workspace: self.workspace,
            owner: None,
            name: name.to_owned(),
            environment: "production".to_owned(),
            description: None,
            egress: None,
            ttl_seconds: None,
            reveal: Reveal::Allowed,
            unmaskable: false,
            short: false,
            rotate_every_days: None,
            sealed: version(self, id, 1, value, None),
        }
    }

    pub(crate) async fn secret(&self, new: NewSecret) -> SecretRow {
        self.store
            .create_secret(new, Actor::System, self.owner)
            .await
            .unwrap()
    }

    pub(crate) async fn replace(
        &self,
        store: &Store,
        secret: &SecretRow,
        value: &str,
    ) -> SecretRow {
        let number = secret.secret.version + 1;
        let sealed = version(self, secret.secret.id, number, value, None);
        let new = NewVersion {
            version: number,
            unmaskable: false,
            short: false,
            egress: None,
            ttl_seconds: None,
            sealed,
        };
        store
            .replace_secret(
                self.workspace,
                secret.secret.id,
                new,
                Actor::System,
                self.owner,
            )
            .await
            .unwrap()
    }

    /// Opens what a claim resolved.
    #[expect(clippy::disallowed_methods, reason = "a test's own value")]
    pub(crate) fn open(&self, secret: &padclock_store::SealedSecret) -> String {
        let place = SealPlace {
            workspace: *secret.workspace.bytes(),
            secret: *secret.id.bytes(),
            version: secret.version,
            field: "value",
            policy_hash: secret.policy_hash,
        };
        let value = self.keyring.open(&place, &secret.sealed).unwrap();
        String::from_utf8(value.expose().to_vec()).unwrap()
    }
}

pub(crate) fn held(claimed: &Claimed) -> HeldLease {
    HeldLease {
        execution: claimed.execution,
        fence: claimed.fence,
    }
}

/// A claimed attempt's end.
pub(crate) fn finished(claimed: &Claimed, end: End) -> Finished {
    let status = if end == End::Succeeded {
        "succeeded"
    } else {
        "failed"
    };
    let attempt = format!(
        r#"{{"number":{},"status":"{status}","started_at":"{}","duration_ms":5,"request":null,"response":null,"error":null}}"#,
        claimed.attempt, claimed.started_at
    );
    Finished {
        execution: claimed.execution,
        job: claimed.job_id,
        workspace: claimed.workspace,
        fence: claimed.fence,
        end,
        job_name: claimed.job.definition().name.clone(),
        attempt,
        secrets: None,
        unresolved: None,
        warnings: None,
        refused: None,
        queues: true,
    }
}

pub(crate) fn execution_id(now: Moment) -> ExecutionId {
    ExecutionId::new(now.millis(), unique())
}

/// Another member of the workspace.
pub(crate) fn stranger() -> UserId {
    UserId::from_bytes([9; 16])
}

/// A workspace that is not there.
pub(crate) fn elsewhere() -> WorkspaceId {
    WorkspaceId::from_bytes([8; 16])
}
