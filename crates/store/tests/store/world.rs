//! A database of its own for each test, on either engine, with a first start made in it.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use padclock_api::{TokenId, UserId, WorkspaceId};
use padclock_store::{FirstStart, KeyMaterial, NewToken, Store};
use padclock_vault::{Keyring, Randomness, RootKey};
use tokio_postgres::{NoTls, SimpleQueryMessage};

/// Declares tests that run on both engines: each a function of this module that takes a [`World`].
macro_rules! on_both_engines {
    ($($name:ident),* $(,)?) => {
        mod sqlite {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { crate::world::run(crate::world::Engine::Sqlite, super::$name).await; }
        )*}
        mod postgres {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { crate::world::run(crate::world::Engine::Postgres, super::$name).await; }
        )*}
    };
}
pub(crate) use on_both_engines;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// SplitMix64: every run the same, every seed different.
#[derive(Debug)]
pub(crate) struct Seeded(pub(crate) u64);

impl Randomness for Seeded {
    fn fill(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

pub(crate) fn token(number: u8) -> NewToken {
    NewToken {
        id: TokenId::from_bytes([number; 16]),
        lookup: [number; 32],
        name: format!("token {number}"),
    }
}

/// Keys and the first start that goes with them, from a seed.
pub(crate) fn first_start(seed: u64) -> (Keyring, FirstStart) {
    let mut rng = Seeded(seed);
    let root = RootKey::generate(&mut rng);
    let (keyring, master, term) = Keyring::create(&root, &mut rng);
    let keys = KeyMaterial {
        master,
        terms: vec![term],
    };
    let (workspace, owner) = (
        WorkspaceId::from_bytes([1; 16]),
        UserId::from_bytes([2; 16]),
    );
    (
        keyring,
        FirstStart {
            keys,
            workspace,
            owner,
            token: token(1),
        },
    )
}

/// A database of its own.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) url: String,
    pub(crate) store: Arc<Store>,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) workspace: WorkspaceId,
    pub(crate) owner: UserId,
}

static NUMBER: AtomicU64 = AtomicU64::new(0);

fn fresh_name() -> String {
    let nanos = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_nanos();
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("padclock_test_{}_{number}_{nanos:x}", std::process::id())
}

/// The server that PostgreSQL's half of the suite runs on.
pub(crate) fn server() -> String {
    std::env::var("PADCLOCK_TEST_DATABASE_URL").unwrap_or_else(|_| {
        panic!(
            "PADCLOCK_TEST_DATABASE_URL is not set, so the tests have no PostgreSQL: \
             run `cargo xtask test`, or `cargo xtask pg -- cargo test -p padclock-store`"
        )
    })
}

/// A database that is removed again: a folder for SQLite, a database in the server for PostgreSQL.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    engine: Engine,
    name: String,
    pub(crate) url: String,
}

impl Place {
    pub(crate) async fn make(engine: Engine) -> Self {
        let name = fresh_name();
        let url = match engine {
            Engine::Sqlite => {
                let folder = std::env::temp_dir().join(&name);
                std::fs::create_dir(&folder).unwrap();
                format!("sqlite://{}", folder.join("padclock.db").display())
            }
            Engine::Postgres => {
                let server = server();
                on_postgres(&server, &format!("CREATE DATABASE {name}")).await;
                let (front, _) = server.rsplit_once('/').unwrap();
                format!("{front}/{name}")
            }
        };
        Self { engine, name, url }
    }

    pub(crate) fn file(&self) -> PathBuf {
        PathBuf::from(self.url.strip_prefix("sqlite://").unwrap())
    }

    pub(crate) async fn remove(self) {
        match self.engine {
            Engine::Sqlite => std::fs::remove_dir_all(self.file().parent().unwrap()).unwrap(),
            Engine::Postgres => {
                on_postgres(
                    &server(),
                    &format!("DROP DATABASE {} WITH (FORCE)", self.name),
                )
                .await;
            }
        }
    }
}

/// Runs a test in a world of its own and removes the world, whatever came of the test.
pub(crate) async fn run<F: Future<Output = ()> + Send + 'static>(
    engine: Engine,
    test: fn(World) -> F,
) {
    let place = Place::make(engine).await;
    let url = place.url.clone();
    let outcome = tokio::spawn(async move { test(World::start(engine, url).await).await }).await;
    place.remove().await;
    if let Err(panicked) = outcome {
        std::panic::resume_unwind(panicked.into_panic());
    }
}

impl World {
    pub(crate) async fn start(engine: Engine, url: String) -> Self {
        let store = Arc::new(Store::open(&url).await.unwrap());
        let (keyring, first) = first_start(7);
        let (workspace, owner) = (first.workspace, first.owner);
        let keyring = Arc::new(keyring);
        let fresh = store.first_start(first, Arc::clone(&keyring)).await;
        assert!(fresh.unwrap());
        store.unlock(Arc::clone(&keyring));
        Self {
            engine,
            url,
            store,
            keyring,
            workspace,
            owner,
        }
    }

    /// Another node's view of the same database.
    pub(crate) async fn other_store(&self) -> Arc<Store> {
        let store = Store::open(&self.url).await.unwrap();
        store.unlock(Arc::clone(&self.keyring));
        Arc::new(store)
    }

    /// A second workspace with an owner of its own.
    pub(crate) async fn other_workspace(&self) -> (WorkspaceId, UserId) {
        let (workspace, owner) = (
            WorkspaceId::from_bytes([0x21; 16]),
            UserId::from_bytes([0x22; 16]),
        );
        let (id, user) = (self.hex(workspace.bytes()), self.hex(owner.bytes()));
        self.raw(&format!(
            "INSERT INTO workspaces (id, name, created_at) VALUES ({id}, 'other', 1);
             INSERT INTO users (id, name, created_at) VALUES ({user}, 'other', 1);
             INSERT INTO members (workspace_id, user_id, role, created_at) VALUES ({id}, {user}, 'owner', 1);
             INSERT INTO audit_heads (workspace_id, seq, tag) VALUES ({id}, 0, {})",
            self.hex(&[])
        ))
        .await;
        (workspace, owner)
    }

    /// Bytes as a literal of the engine's.
    pub(crate) fn hex(&self, bytes: &[u8]) -> String {
        let digits = digits(bytes);
        match self.engine {
            Engine::Sqlite => format!("x'{digits}'"),
            Engine::Postgres => format!("'\\x{digits}'::bytea"),
        }
    }

    /// Statements past the store, on a connection of their own; bytes are answered as `\x` and hex digits.
    pub(crate) async fn raw(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        match self.engine {
            Engine::Sqlite => on_sqlite(self.url.strip_prefix("sqlite://").unwrap(), sql),
            Engine::Postgres => on_postgres(&self.url, sql).await,
        }
    }

    /// The one number that a statement answers.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        self.raw(sql).await[0][0]
            .as_deref()
            .unwrap()
            .parse()
            .unwrap()
    }
}

pub(crate) fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn on_sqlite(path: &str, sql: &str) -> Vec<Vec<Option<String>>> {
    use rusqlite::fallible_iterator::FallibleIterator as _;
    use rusqlite::types::ValueRef;
    let connection = rusqlite::Connection::open(path).unwrap();
    connection
        .busy_timeout(std::time::Duration::from_secs(10))
        .unwrap();
    let mut answers = Vec::new();
    let mut batch = rusqlite::Batch::new(&connection, sql);
    while let Some(mut statement) = batch.next().unwrap() {
        let width = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let text = |at| match row.get_ref(at).unwrap() {
                ValueRef::Null => None,
                ValueRef::Integer(value) => Some(value.to_string()),
                ValueRef::Real(value) => Some(value.to_string()),
                ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
                ValueRef::Blob(bytes) => Some(format!("\\x{}", digits(bytes))),
            };
            answers.push((0..width).map(text).collect());
        }
    }
    answers
}

pub(crate) async fn on_postgres(url: &str, sql: &str) -> Vec<Vec<Option<String>>> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let driver = tokio::spawn(connection);
    let messages = client.simple_query(sql).await.unwrap();
    drop(client);
    driver.await.unwrap().unwrap();
    let row = |message| match message {
        SimpleQueryMessage::Row(row) => Some(
            (0..row.len())
                .map(|at| row.get(at).map(str::to_owned))
                .collect(),
        ),
        _ => None,
    };
    messages.into_iter().filter_map(row).collect()
}
