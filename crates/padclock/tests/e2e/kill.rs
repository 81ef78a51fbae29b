//! `kill -9` at random moments while 2,000 jobs are due each second: no occurrence is lost, none is there twice, and only
//! what was in flight is sent again, under the same key. `PADCLOCK_TEST_KILLS` sets how often, `PADCLOCK_TEST_SEED` when.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt};
use padclock_api::{ExecutionId, JobId};
use rustix::process::Signal;
use serde_json::json;

use crate::client::{Client, until_at_last};
use crate::home::{Engine, Home, alone};
use crate::server::{Launch, Server};
use crate::target::Counter;

/// Jobs, each due every second.
const JOBS: usize = 2_000;
/// How many calls create them at once.
const CALLS: usize = 24;
const KILLS: u64 = 20;
/// Stands in each request of the load.
const VALUE: &str = "a-value-in-every-request";
/// A node lives at most this long between two kills.
const LONGEST_LIFE: u64 = 2_500;

/// SplitMix64: a run can be repeated by its seed.
#[derive(Debug)]
pub struct Seeded(u64);

impl Seeded {
    /// The seed from the environment, or a new one; printed either way.
    pub fn new(test: &str) -> Self {
        let given = std::env::var("PADCLOCK_TEST_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok());
        let clock = || {
            std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .unwrap()
                .as_nanos() as u64
        };
        let seed = given.unwrap_or_else(clock);
        println!("{test}: PADCLOCK_TEST_SEED={seed}");
        Self(seed)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}

fn now_millis() -> i64 {
    i64::try_from(
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_millis(),
    )
    .unwrap()
}

/// Jobs that are due every second until an end that is the same for all.
#[derive(Debug)]
pub struct Load {
    target: Counter,
    end: i64,
    created: BTreeMap<JobId, i64>,
    began: Instant,
}

impl Load {
    /// Creates the jobs; the last occurrence comes `lasting` after the last creation, or a little earlier.
    pub async fn start(server: &Server, lasting: Duration) -> Self {
        server.secret("LOAD", VALUE).await;
        let client = &server.client;
        let (target, began) = (
            Counter::new(&format!("Bearer {VALUE}")).await,
            Instant::now(),
        );
        // How long creating takes is not known before: the end is set by what the first hundred took.
        let probe = create(client, &target, 100, now_millis() + 86_400_000).await;
        let creating = began.elapsed() * u32::try_from(JOBS / 100).unwrap();
        let ids: Vec<JobId> = probe.into_keys().collect();
        let deletes = stream::iter(ids)
            .map(|id| async move { client.delete(&format!("/v1/jobs/{id}")).await.expect(204) });
        deletes.buffer_unordered(CALLS).collect::<Vec<_>>().await;
        let end = now_millis() + i64::try_from((creating + lasting).as_millis()).unwrap();
        let begun = Instant::now();
        let created = create(client, &target, JOBS, end).await;
        println!("{JOBS} jobs created in {:?}", begun.elapsed());
        Self {
            target,
            end,
            created,
            began: Instant::now(),
        }
    }

    /// When each job was due.
    fn due(&self) -> HashSet<(JobId, i64)> {
        let of_job = |(&job, &created): (&JobId, &i64)| {
            (1..)
                .map(move |n| created + n * 1_000)
                .take_while(|&at| at <= self.end)
                .map(move |at| (job, at))
        };
        self.created.iter().flat_map(of_job).collect()
    }

    /// Waits until nothing is left to do, and checks that each occurrence was carried out as it should be.
    pub async fn check(&self, home: &Home) {
        let left = || async {
            let left = home
                .sql("SELECT (SELECT count(*) FROM due) + (SELECT count(*) FROM open_executions)")
                .await;
            (left == ["0"]).then_some(())
        };
        until_at_last("every occurrence is carried out", left).await;
        let late = now_millis() - self.end;
        let found = executions(home).await;
        let (due, sent) = (self.due(), self.target.counts());
        println!(
            "{} occurrences due, {} requests, the last done {late} ms after the last was due",
            due.len(),
            self.target.total()
        );

        let mut occurrences: HashMap<(JobId, i64), usize> = HashMap::new();
        for one in found
            .iter()
            .filter(|one| self.created.contains_key(&one.job))
        {
            *occurrences.entry((one.job, one.scheduled_for)).or_default() += 1;
        }
        let missing: Vec<_> = due
            .iter()
            .filter(|key| !occurrences.contains_key(key))
            .take(5)
            .collect();
        let twice: Vec<_> = occurrences
            .iter()
            .filter(|(_, count)| **count != 1)
            .take(5)
            .collect();
        let unknown: Vec<_> = occurrences
            .keys()
            .filter(|key| !due.contains(key))
            .take(5)
            .collect();
        assert!(
            missing.is_empty() && twice.is_empty() && unknown.is_empty(),
            "missing {missing:?}, twice {twice:?}, never due {unknown:?}"
        );

        let mine = || {
            found
                .iter()
                .filter(|one| self.created.contains_key(&one.job))
        };
        let unsuccessful: Vec<_> = mine()
            .filter(|one| one.status != "succeeded")
            .take(5)
            .collect();
        assert!(unsuccessful.is_empty(), "{unsuccessful:?}");
        // Every occurrence was sent; more than once only where the record has as many attempts.
        let odd =
            |one: &&Found| !(1..=one.attempts).contains(&sent.get(&one.id).copied().unwrap_or(0));
        let odd: Vec<_> = mine()
            .filter(odd)
            .map(|one| (one, sent.get(&one.id)))
            .take(5)
            .collect();
        assert!(
            odd.is_empty(),
            "not sent, or more often than recorded: {odd:?}"
        );
        let known: HashSet<&String> = found.iter().map(|one| &one.id).collect();
        let strange: Vec<_> = sent
            .keys()
            .filter(|key| !known.contains(key))
            .take(5)
            .collect();
        assert!(strange.is_empty(), "keys of no execution: {strange:?}");
        assert_eq!(
            self.target.without_credential(),
            0,
            "each request bore the secret's value"
        );
        check_store(home, &found).await;
        let again = mine().filter(|one| one.attempts > 1).count();
        println!("{again} executions have more than one attempt");
    }
}

/// What the store says of itself: every job done, every use of a secret in the audit, nothing of the chain missing.
async fn check_store(home: &Home, found: &[Found]) {
    assert_eq!(
        home.sql("SELECT count(*) FROM jobs WHERE state <> 'completed'")
            .await,
        ["0"]
    );
    let mut uses: HashMap<String, u32> = HashMap::new();
    for execution in home
        .sql("SELECT target FROM audit WHERE action = 'secret.use'")
        .await
    {
        *uses.entry(execution).or_default() += 1;
    }
    let odd: Vec<_> = found
        .iter()
        .filter(|one| uses.get(&one.id) != Some(&one.attempts))
        .take(5)
        .collect();
    assert!(
        odd.is_empty(),
        "one record of use for each attempt: {odd:?}"
    );
    assert_eq!(
        home.sql("SELECT max(seq) - count(*) FROM audit").await,
        ["0"],
        "the chain has gaps"
    );
    if home.engine == Engine::Sqlite {
        assert_eq!(
            home.sql("SELECT * FROM pragma_integrity_check").await,
            ["ok"]
        );
    }
}

async fn create(client: &Client, target: &Counter, count: usize, end: i64) -> BTreeMap<JobId, i64> {
    let end = padclock_job::Moment::from_millis(end).to_string();
    let one = |number: usize| {
        let definition = json!({
            "name": format!("job {number}"), "kind": "recurring", "schedule": {"every_seconds": 1, "end_at": end},
            "overlap": "allow", "misfire": "all", "misfire_window_seconds": 2_592_000, "request": {"url": target.url(), "headers": {"Authorization": "Bearer {{secret.LOAD}}"}}
        });
        async move {
            let job = client
                .post("/v1/jobs", &definition)
                .await
                .expect(201)
                .json();
            let created: padclock_job::Moment =
                job["created_at"].as_str().unwrap().parse().unwrap();
            (
                job["id"].as_str().unwrap().parse().unwrap(),
                created.millis(),
            )
        }
    };
    stream::iter(0..count)
        .map(one)
        .buffer_unordered(CALLS)
        .collect()
        .await
}

#[derive(Debug)]
struct Found {
    id: String,
    job: JobId,
    scheduled_for: i64,
    status: String,
    attempts: u32,
}

/// Everything in history.
async fn executions(home: &Home) -> Vec<Found> {
    let hex = if home.engine == Engine::Sqlite {
        ["hex(id)", "hex(job_id)"]
    } else {
        ["encode(id, 'hex')", "encode(job_id, 'hex')"]
    };
    let rest = "scheduled_for || ' ' || status || ' ' || attempt_count FROM executions";
    let rows = home
        .sql(&format!(
            "SELECT {} || ' ' || {} || ' ' || {rest}",
            hex[0], hex[1]
        ))
        .await;
    let bytes = |text: &str| -> [u8; 16] {
        let byte = |at: usize| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).unwrap();
        std::array::from_fn(byte)
    };
    let read = |row: &String| {
        let words: Vec<&str> = row.split(' ').collect();
        Found {
            id: ExecutionId::from_bytes(bytes(words[0])).to_string(),
            job: JobId::from_bytes(bytes(words[1])),
            scheduled_for: words[2].parse().unwrap(),
            status: words[3].to_owned(),
            attempts: words[4].parse().unwrap(),
        }
    };
    rows.iter().map(read).collect()
}

async fn killed_again_and_again(engine: Engine) {
    let mut random = Seeded::new(&format!("kill, {engine:?}"));
    let kills = std::env::var("PADCLOCK_TEST_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let home = Arc::new(Home::new(engine).await);
    let launch = Launch::of(&home).env("PADCLOCK_LEASE_TTL", "5");
    let server = launch.start().await;
    let load = Load::start(
        &server,
        Duration::from_millis(kills * LONGEST_LIFE * 6 / 10),
    )
    .await;
    let mut process = server.process;
    for kill in 1..=kills {
        // Every fifth time a node that has hardly begun.
        let longest = if kill % 5 == 0 { 300 } else { LONGEST_LIFE };
        let moment = Duration::from_millis(random.below(longest));
        assert!(
            !process.ends_within(moment).await,
            "the node ended by itself:\n{}",
            process.said()
        );
        process.signal(Signal::KILL);
        process.ended().await;
        process = launch.spawn();
    }
    let server = launch.started(process).await;
    println!("{kills} kills in {:?}", load.began.elapsed());
    load.check(&home).await;
    assert_eq!(server.stop().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_loses_nothing() {
    alone(killed_again_and_again(Engine::Sqlite)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_loses_nothing() {
    alone(killed_again_and_again(Engine::Postgres)).await;
}
