//! What the tests stand on: a target on loopback, a source in memory, and jobs with secrets.

pub mod source;
pub mod target;

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use padclock_api::{ExecutionId, JobId, SecretId, Trigger, WorkspaceId};
use padclock_job::{Anchor, Definition, Job, Kind, Moment, OnUnresolved};
use padclock_template::{RefSyntax, RequestSpec, SecretRef};
use padclock_vault::{EgressPolicy, Sealed, Unreadable, Value};
use padclock_worker::{
    Completion, Lease, Opener, Resolve, SealedSecret, Settings, SystemResolver, Worker,
};
use tokio::time::Instant;

use source::OneShot;

/// The time at the source when it leases.
pub const NOW: Moment = Moment::from_millis(1_773_068_400_123);

/// Settings that let the tests reach their targets.
pub fn settings() -> Settings {
    Settings {
        egress_allow: vec!["127.0.0.0/8".parse().unwrap()],
        ..Settings::default()
    }
}

/// Opens by name; a name it does not know is unreadable.
pub struct Values(pub HashMap<String, Vec<u8>>);

impl Opener for Values {
    fn open(&self, secret: &SealedSecret) -> Result<Value, Unreadable> {
        self.0
            .get(&secret.name)
            .map(|value| Value::new(value.clone()))
            .ok_or(Unreadable)
    }
}

/// For attempts that must end before anything is opened.
pub struct NeverOpened;

impl Opener for NeverOpened {
    fn open(&self, _: &SealedSecret) -> Result<Value, Unreadable> {
        panic!("opened")
    }
}

/// One execution to perform, with the world around it.
pub struct Case {
    pub request: RequestSpec,
    pub definition: Definition,
    pub secrets: Vec<SealedSecret>,
    pub values: HashMap<String, Vec<u8>>,
    pub settings: Settings,
    pub resolver: Arc<dyn Resolve>,
    pub attempt: u32,
    pub next_due: Option<Moment>,
    pub on_unresolved: OnUnresolved,
}

impl Case {
    /// A GET of this URL.
    pub fn get(url: impl Into<String>) -> Self {
        Self {
            request: RequestSpec::get(url),
            definition: Definition::new("nightly", Kind::Manual),
            secrets: Vec::new(),
            values: HashMap::new(),
            settings: settings(),
            resolver: Arc::new(SystemResolver),
            attempt: 1,
            next_due: None,
            on_unresolved: OnUnresolved::Send,
        }
    }

    /// A POST of this text.
    pub fn post(url: impl Into<String>, body: impl Into<serde_json::Value>) -> Self {
        let mut case = Self::get(url);
        case.request.method = "POST".to_owned();
        case.request.body = Some(body.into());
        case
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request
            .headers
            .insert(name.to_owned(), value.to_owned());
        self
    }

    pub fn follow(mut self) -> Self {
        self.request.follow_redirects = true;
        self
    }

    pub fn timeout(mut self, seconds: u32) -> Self {
        self.request.timeout_seconds = seconds;
        self
    }

    /// A secret that may go anywhere.
    pub fn secret(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.bound(name, value, None)
    }

    /// A secret with a policy.
    pub fn bound(
        mut self,
        name: &str,
        value: impl AsRef<[u8]>,
        policy: Option<EgressPolicy>,
    ) -> Self {
        self.values.insert(name.to_owned(), value.as_ref().to_vec());
        self.sealed(name, policy)
    }

    /// A secret that exists and does not open.
    pub fn unreadable(self, name: &str) -> Self {
        self.sealed(name, None)
    }

    fn sealed(mut self, name: &str, policy: Option<EgressPolicy>) -> Self {
        for syntax in [RefSyntax::Braces, RefSyntax::Uri] {
            self.secrets.push(SealedSecret {
                reference: SecretRef {
                    syntax,
                    name: name.to_owned(),
                },
                name: name.to_owned(),
                secret: SecretId::from_bytes([9; 16]),
                version: 3,
                policy_hash: EgressPolicy::hash(policy.as_ref()),
                policy: policy.clone(),
                workspace: WorkspaceId::from_bytes([3; 16]),
                sealed: Sealed {
                    term: 1,
                    origin_term: 1,
                    wrapped_key: Vec::new(),
                    ciphertext: Vec::new(),
                },
            });
        }
        self
    }

    /// The lease of its attempt.
    pub fn lease(&self, number: u8) -> Lease {
        let mut definition = self.definition.clone();
        definition.request = Some(self.request.clone());
        let job_id = JobId::from_bytes([2; 16]);
        let anchor = Anchor {
            job_id: &job_id.to_string(),
            created_at: NOW,
        };
        let job =
            Job::compile(definition, &anchor).unwrap_or_else(|problems| panic!("{problems:?}"));
        Lease {
            execution: ExecutionId::from_bytes([number; 16]),
            job_id,
            workspace: WorkspaceId::from_bytes([3; 16]),
            workspace_name: "team".into(),
            job: Arc::new(job),
            trigger: Trigger::Schedule,
            fence: 1,
            attempt: self.attempt,
            scheduled_for: NOW,
            started_at: NOW,
            now: NOW,
            last_run: None,
            next_due: self.next_due,
            require_policy: false,
            secrets: self.secrets.clone().into(),
            on_unresolved: self.on_unresolved,
            deadline: (Instant::now() + std::time::Duration::from_secs(60)).into_std(),
        }
    }

    /// Performs it, and answers how it ended.
    pub async fn run(self) -> Completion {
        let opener = Arc::new(Values(self.values.clone()));
        self.run_with(opener).await
    }

    pub async fn run_with(self, opener: Arc<dyn Opener>) -> Completion {
        let lease = self.lease(1);
        let worker = Worker::with_resolver(opener, self.settings, self.resolver).unwrap();
        OneShot::perform(&worker, vec![lease]).await.remove(0)
    }
}

/// The code of a failed attempt.
pub fn code(completion: &Completion) -> &str {
    completion
        .attempt
        .error
        .as_ref()
        .map_or("", |error| error.code.as_str())
}

/// The message of a failed attempt.
pub fn message(completion: &Completion) -> &str {
    completion
        .attempt
        .error
        .as_ref()
        .map_or("", |error| error.message.as_str())
}

/// The body that was stored.
pub fn stored(completion: &Completion) -> &str {
    completion
        .attempt
        .response
        .as_ref()
        .and_then(|response| response.body.as_deref())
        .unwrap_or_default()
}

/// Everything of a completion that is stored, as one text to search.
pub fn everything(completion: &Completion) -> String {
    let attempt = serde_json::to_string(&completion.attempt).unwrap();
    format!(
        "{attempt} {:?} {:?} {:?} {:?}",
        completion.end, completion.secrets, completion.unresolved, completion.warnings
    )
}

/// Resolves names from a table: each question takes the next answer, the last one stays.
pub struct Names {
    answers: std::sync::Mutex<Vec<Vec<std::net::IpAddr>>>,
    pub asked: std::sync::atomic::AtomicUsize,
}

impl Names {
    pub fn new<const N: usize>(answers: [&[&str]; N]) -> Arc<Self> {
        let parse = |text: &&str| text.parse().unwrap();
        let answers = answers
            .iter()
            .map(|answer| answer.iter().map(parse).collect())
            .collect();
        Arc::new(Self {
            answers: std::sync::Mutex::new(answers),
            asked: 0.into(),
        })
    }
}

#[async_trait]
impl Resolve for Names {
    async fn resolve(&self, _: &str) -> std::io::Result<Vec<std::net::IpAddr>> {
        self.asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        Ok(if answers.len() > 1 {
            answers.remove(0)
        } else {
            answers[0].clone()
        })
    }
}
