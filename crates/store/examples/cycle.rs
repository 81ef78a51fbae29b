//! Measures the two commits of an execution: `cargo run --release --example cycle -- URL [JOBS] [BATCH] [NODES]`.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement for a terminal"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use padclock_api::secret::Reveal;
use padclock_api::{JobId, SecretId, TokenId, UserId, WorkspaceId};
use padclock_job::{Anchor, Definition, Job, Kind};
use padclock_store::{
    Actor, Claimed, End, Finished, FirstStart, KeyMaterial, NewJob, NewSecret, NewToken, Store,
};
use padclock_template::RequestSpec;
use padclock_vault::{EgressPolicy, Keyring, Randomness, RootKey, SealPlace, Value};

struct Seeded(u64);
impl Randomness for Seeded {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *byte = (self.0 >> 33) as u8;
        }
    }
}

const WORKSPACE: WorkspaceId = WorkspaceId::from_bytes([1; 16]);
const OWNER: UserId = UserId::from_bytes([2; 16]);

async fn open(url: &str) -> Arc<Store> {
    let store = Store::open(url).await.unwrap();
    let mut rng = Seeded(1);
    let root = RootKey::generate(&mut rng);
    let (keyring, master, term) = Keyring::create(&root, &mut rng);
    let keys = KeyMaterial {
        master,
        terms: vec![term],
    };
    let token = NewToken {
        id: TokenId::from_bytes([3; 16]),
        lookup: [4; 32],
        name: "t".to_owned(),
    };
    let first = store
        .first_start(FirstStart {
            keys,
            workspace: WORKSPACE,
            owner: OWNER,
            token,
        })
        .await
        .unwrap();
    let keyring = Arc::new(keyring);
    store.unlock(Arc::clone(&keyring));
    if first {
        let id = SecretId::from_bytes([5; 16]);
        let policy_hash = EgressPolicy::hash(None);
        let place = SealPlace {
            workspace: [1; 16],
            secret: [5; 16],
            version: 1,
            field: "value",
            policy_hash,
        };
        let sealed = keyring.seal(
            &place,
            &Value::new("a secret value of some length"),
            &mut rng,
        );
        let secret = NewSecret {
            id,
            workspace: WORKSPACE,
            owner: None,
            name: "KEY".to_owned(),
            environment: "production".to_owned(),
            description: None,
            egress: None,
            ttl_seconds: None,
            reveal: Reveal::Allowed,
            unmaskable: false,
            short: false,
            rotate_every_days: None,
            sealed,
        };
        store
            .create_secret(secret, Actor::System, OWNER)
            .await
            .unwrap();
    }
    Arc::new(store)
}

async fn make(store: &Store, jobs: usize) {
    // Time enough to make them all; they come due together.
    let lead = if store.file().is_some() {
        jobs as i64 / 8
    } else {
        jobs as i64
    };
    let now = store.now().await.unwrap();
    let mut rng = Seeded(u64::try_from(now.millis()).unwrap());
    let new = (0..jobs).map(|number| {
        let mut random = [0; 10];
        rng.fill(&mut random);
        let id = JobId::new(now.millis(), random);
        let mut definition = Definition::new(format!("job {number}"), Kind::Recurring);
        definition.schedule.every_seconds = Some(36_000);
        definition.schedule.start_at = Some(now.plus_millis(lead));
        let mut request = RequestSpec::get("http://127.0.0.1:9/hook");
        request
            .headers
            .insert("Authorization".to_owned(), "Bearer secret://KEY".to_owned());
        definition.request = Some(request);
        let anchor = Anchor {
            job_id: &id.to_string(),
            created_at: now,
        };
        let job = Arc::new(Job::compile(definition, &anchor).unwrap());
        let new = NewJob {
            id,
            workspace: WORKSPACE,
            owner: OWNER,
            created_at: now,
            paused: false,
            job,
        };
        store.create_job(new, Actor::System)
    });
    let start = Instant::now();
    let made = futures_util::stream::iter(new)
        .buffer_unordered(256)
        .map(Result::unwrap)
        .count()
        .await;
    println!(
        "{made} jobs made, {:.0} per second",
        made as f64 / start.elapsed().as_secs_f64()
    );
    while store.now().await.unwrap() < now.plus_millis(lead + 100) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn finished(claimed: &Claimed, attempt: &str) -> Finished {
    Finished {
        execution: claimed.execution,
        job: claimed.job_id,
        workspace: claimed.workspace,
        fence: claimed.fence,
        end: End::Succeeded,
        job_name: claimed.job.definition().name.clone(),
        attempt: attempt.to_owned(),
        secrets: Some(r#"[{"name":"KEY","version":1}]"#.to_owned()),
        unresolved: None,
        warnings: None,
        queues: false,
    }
}

async fn node(store: Arc<Store>, name: String, batch: usize) -> (usize, Duration, Duration) {
    let attempt = format!(r#"{{"number":1,"body":"{}"}}"#, "x".repeat(1_000));
    let name: Arc<str> = name.into();
    let (mut count, mut claiming, mut completing) = (0, Duration::ZERO, Duration::ZERO);
    loop {
        let start = Instant::now();
        let claimed = store
            .claim(Arc::clone(&name), batch, Duration::from_secs(30))
            .await
            .unwrap();
        claiming += start.elapsed();
        if claimed.is_empty() {
            return (count, claiming, completing);
        }
        assert_eq!(claimed[0].secrets.len(), 1);
        let done: Vec<Finished> = claimed.iter().map(|one| finished(one, &attempt)).collect();
        let start = Instant::now();
        let accepted = store.complete(Arc::clone(&name), done).await.unwrap();
        completing += start.elapsed();
        count += accepted.iter().filter(|accepted| **accepted).count();
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let mut args = std::env::args().skip(1);
    let url = args.next().unwrap();
    let mut number = |default| {
        args.next()
            .map_or(default, |text| text.parse::<usize>().unwrap())
    };
    let (jobs, batch, nodes) = (number(20_000), number(256), number(1));
    let mut stores = Vec::new();
    for _ in 0..nodes.max(1) {
        stores.push(open(&url).await);
    }
    make(&stores[0], jobs).await;
    let start = Instant::now();
    let running = stores
        .into_iter()
        .take(nodes)
        .enumerate()
        .map(|(at, store)| tokio::spawn(node(store, format!("n{at}"), batch)));
    let mut all = 0;
    for node in futures_util::future::join_all(running).await {
        let (count, claiming, completing) = node.unwrap();
        let each = |spent: Duration| spent.as_secs_f64() * 1e6 / count.max(1) as f64;
        println!(
            "{count} by one node: claim {:.2} us, complete {:.2} us each",
            each(claiming),
            each(completing)
        );
        all += count;
    }
    let spent = start.elapsed().as_secs_f64();
    println!(
        "{all} in {spent:.2} s: {:.0} per second, {:.2} us each",
        all as f64 / spent,
        spent * 1e6 / all as f64
    );
}
