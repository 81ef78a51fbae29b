//! A place for one installation: its folder, its database, its root key, what its nodes have logged, and the values that
//! must not be found in any of these when the test is over.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::RwLock;
use tokio_postgres::{NoTls, SimpleQueryMessage};

use crate::leaks::{self, Planted};
use crate::server::{Launch, Server, TOKEN};

/// Which store holds an installation's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// Declares tests that run on both stores: each a function of this module that takes an [`Engine`].
macro_rules! on_both_stores {
    ($($name:ident),* $(,)?) => {
        mod sqlite {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { crate::home::beside_others(super::$name(crate::home::Engine::Sqlite)).await; }
        )*}
        mod postgres {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { crate::home::beside_others(super::$name(crate::home::Engine::Postgres)).await; }
        )*}
    };
}
pub(crate) use on_both_stores;

/// Tests that need the machine for themselves hold this alone.
static MACHINE: RwLock<()> = RwLock::const_new(());

pub async fn beside_others(test: impl Future<Output = ()>) {
    let _held = MACHINE.read().await;
    test.await;
}

pub async fn alone(test: impl Future<Output = ()>) {
    let _held = MACHINE.write().await;
    test.await;
}

static NUMBER: AtomicU64 = AtomicU64::new(0);

/// The root key of every installation here; a test may start with another one to be refused.
pub const ROOT_KEY: &str = "7d1f0a5be2c94836a0d7f3561b8ec429907aa4f21c5e68d3b60f9174e8253bca";

/// See the module.
#[derive(Debug)]
pub struct Home {
    pub engine: Engine,
    pub folder: PathBuf,
    database: Option<Database>,
    logs: Arc<Mutex<Vec<u8>>>,
    planted: Mutex<Vec<Planted>>,
}

impl Home {
    pub async fn new(engine: Engine) -> Self {
        let name = format!(
            "padclock_e2e_{}_{}",
            std::process::id(),
            NUMBER.fetch_add(1, Ordering::Relaxed)
        );
        let folder = std::env::temp_dir().join(&name);
        std::fs::create_dir(&folder).unwrap();
        let database = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(Database::make(name).await),
        };
        let home = Self {
            engine,
            folder,
            database,
            logs: Arc::default(),
            planted: Mutex::default(),
        };
        home.plant("the owner's token", TOKEN);
        home.plant("the root key", ROOT_KEY);
        home
    }

    /// The PostgreSQL database's URL; none for the embedded store.
    pub fn database_url(&self) -> Option<&str> {
        self.database.as_ref().map(|database| database.url.as_str())
    }

    /// A folder that a node keeps its own files in; nodes of one installation have one each.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Runs statements on the installation's database and answers the first column as text.
    pub async fn sql(&self, statements: &str) -> Vec<String> {
        match self.database_url() {
            Some(url) => on_postgres(url, statements).await,
            None => on_sqlite(&self.data().join("padclock.db"), statements),
        }
    }

    /// From now on this value must be found nowhere; answers it.
    pub fn plant<'v>(&self, name: &str, value: &'v str) -> &'v str {
        self.planted
            .lock()
            .unwrap()
            .push((name.to_owned(), value.as_bytes().to_vec()));
        value
    }

    /// Where its nodes' words are kept.
    pub fn logs(&self) -> Arc<Mutex<Vec<u8>>> {
        Arc::clone(&self.logs)
    }

    pub fn logged(&self) -> String {
        String::from_utf8_lossy(&self.logs.lock().unwrap_or_else(PoisonError::into_inner))
            .into_owned()
    }

    fn leaks(&self) -> Vec<String> {
        let planted = self.planted.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = leaks::find(&planted, "the logs", self.logged().as_bytes());
        found.extend(leaks::find_in_folder(&planted, &self.folder));
        if let Some(database) = self.database.as_ref() {
            found.extend(leaks::find(
                &planted,
                "the database",
                database.dump().as_bytes(),
            ));
        }
        found
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let failed = std::thread::panicking();
        let found = if failed { Vec::new() } else { self.leaks() };
        if failed {
            eprintln!(
                "--- what the nodes in {} logged:\n{}",
                self.folder.display(),
                self.logged()
            );
        }
        let removed = std::fs::remove_dir_all(&self.folder);
        assert!(found.is_empty(), "planted values were found: {found:?}");
        assert!(failed || removed.is_ok(), "{removed:?}");
    }
}

fn on_sqlite(file: &Path, statements: &str) -> Vec<String> {
    let connection = rusqlite::Connection::open(file).unwrap();
    connection.busy_timeout(crate::client::PATIENCE).unwrap();
    if !statements.starts_with("SELECT") {
        connection.execute_batch(statements).unwrap();
        return Vec::new();
    }
    let mut statement = connection.prepare(statements).unwrap();
    let text = |row: &rusqlite::Row<'_>| {
        Ok(match row.get_ref(0)? {
            rusqlite::types::ValueRef::Integer(number) => number.to_string(),
            rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
            other => format!("{other:?}"),
        })
    };
    statement
        .query_map([], text)
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

/// The server that PostgreSQL's half of the suite runs on.
pub fn postgres_server() -> String {
    std::env::var("PADCLOCK_TEST_DATABASE_URL").unwrap_or_else(|_| {
        panic!(
            "PADCLOCK_TEST_DATABASE_URL is not set, so the tests have no PostgreSQL: \
             run `cargo xtask test`, or `cargo xtask pg -- cargo test -p padclock`"
        )
    })
}

pub async fn on_postgres(url: &str, statements: &str) -> Vec<String> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let driver = tokio::spawn(connection);
    let messages = client
        .simple_query(statements)
        .await
        .unwrap_or_else(|error| panic!("{statements}: {error:?}"));
    drop(client);
    driver.await.unwrap().unwrap();
    let first = |message: SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
        _ => None,
    };
    messages.into_iter().filter_map(first).collect()
}

/// A database of its own in the server, removed at the end.
#[derive(Debug)]
struct Database {
    name: String,
    url: String,
}

impl Database {
    async fn make(name: String) -> Self {
        let server = postgres_server();
        on_postgres(
            &server,
            &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
        )
        .await;
        on_postgres(&server, &format!("CREATE DATABASE {name}")).await;
        let (front, _) = server.rsplit_once('/').unwrap();
        Self {
            url: format!("{front}/{name}"),
            name,
        }
    }

    /// Every row of every table, as text.
    fn dump(&self) -> String {
        let url = self.url.clone();
        by_itself(async move {
            let mut text = String::new();
            for table in on_postgres(
                &url,
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
            )
            .await
            {
                text.extend(on_postgres(&url, &format!("SELECT t::text FROM {table} t")).await);
            }
            text
        })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        by_itself(async move { on_postgres(&postgres_server(), &drop).await });
    }
}

/// Runs a future to its end where no runtime may be blocked.
fn by_itself<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    std::thread::spawn(move || runtime().block_on(future))
        .join()
        .unwrap()
}

/// What a home that holds planted values says when it is dropped with its server.
fn found_in(server: Server) -> String {
    let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(server)));
    failed
        .err()
        .and_then(|panic| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default()
}

async fn what_is_planted_and_kept_is_found(engine: Engine) {
    let home = Arc::new(Home::new(engine).await);
    let server = Launch::of(&home).start().await;
    home.plant("logged", "ready: http");
    home.plant("in a name", "a-name-with-a-value-in-it");
    home.plant("in a file", "text of a file");
    home.plant("nowhere", "what stands nowhere");
    server
        .client
        .manual(
            "a-name-with-a-value-in-it",
            serde_json::json!({"url": "http://127.0.0.1:1/"}),
        )
        .await;
    std::fs::write(
        home.data().join("file"),
        "74657874206f6620612066696c65 dGV4dCBvZiBhIGZpbGU=",
    )
    .unwrap();
    drop(home);
    // The server holds the home alone now, as in most tests.
    let found = found_in(server);
    for planted in ["logged in the logs", "in a name in", "in a file in"] {
        assert!(found.contains(planted), "{planted:?} is not in {found:?}");
    }
    assert!(
        !found.contains("nowhere in") && !found.contains("the root key"),
        "{found}"
    );
}

on_both_stores!(what_is_planted_and_kept_is_found);
