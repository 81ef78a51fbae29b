//! All SQL of Padclock, on two engines behind one trait.
//!
//! Statements stand in one file per aggregate, written once above [`tx::Tx`]; `sqlite` and `postgres` implement it.
//! Nothing here opens a value, reaches a network target, or decides a schedule: decisions are pure functions of
//! `padclock_job`, called inside the transaction that records them.

mod access;
mod approvals;
mod audit;
mod cache;
mod claim;
mod complete;
mod environments;
mod error;
mod executions;
mod field;
mod history;
mod idempotency;
mod invitations;
mod jobs;
mod keys;
mod links;
mod members;
mod migrate;
mod pairings;
mod policies;
mod postgres;
mod resolve;
mod scan;
mod secrets;
mod sessions;
mod sqlite;
mod sweep;
mod tokens;
mod tx;
mod workspaces;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use padclock_job::Moment;
use padclock_vault::Keyring;

pub use access::{FirstStart, KeyMaterial, NewToken, TokenRow};
pub use approvals::{ApprovalRow, Decided, Decision, NewApproval, NotDecided};
pub use audit::{
    Action, Actor, AuditFilter, AuditPage, Chain, Credential, Detail, Fault, Head, Kept, Record,
    Report, SecretUse,
};
pub use claim::{Claimed, HeldLease, Revocation};
pub use complete::{End, Finished, Refused};
pub use environments::{DEFAULT_ENVIRONMENT, EnvironmentsOf};
pub use error::{Result, StoreError};
pub use executions::ExecutionFilter;
pub use history::Retention;
pub use idempotency::Reserved;
pub use invitations::NewInvitation;
pub use jobs::{JobEdit, JobRow, JobUse, NewJob};
pub use keys::{Retired, Rewrapped, RootChange, Term, Wrapped};
pub use links::{Joined, Joining, LinkKind, LinkRow, NewSetUpLink};
pub use members::{By, MemberChange, NewMember};
pub use pairings::{Claim, NewPairing, PairingRow};
pub use policies::Resealed;
pub use resolve::SealedSecret;
pub use scan::{After, KeptIn, KeptTexts};
pub use secrets::{NewSecret, NewVersion, Revealing, SecretFilter, SecretRow, SecretTimes, USES};
pub use sessions::{Account, NewSession, SessionRow};
pub use sweep::DueSecret;
pub use tokens::{Narrowed, TokensOf};
pub use workspaces::NewWorkspace;

use tx::Body;

/// Boxes the body of a transaction, so that it can be handed to either engine.
macro_rules! body {
    (|$tx:ident| $body:expr) => {
        Box::new(move |$tx: &mut dyn $crate::tx::Tx| Box::pin(async move { $body }))
    };
}
pub(crate) use body;

#[derive(Debug)]
enum Engine {
    Sqlite(sqlite::Sqlite),
    Postgres(postgres::Postgres),
}

impl Engine {
    async fn write<T: Send + 'static>(&self, body: Body<T>) -> Result<T> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(body).await,
            Self::Postgres(postgres) => postgres.write(body).await,
        }
    }
}

/// The database, whichever engine holds it.
#[derive(Debug)]
pub struct Store {
    engine: Arc<Engine>,
    recorder: Arc<audit::Recorder>,
    keyring: OnceLock<Arc<Keyring>>,
    jobs: Arc<cache::Jobs>,
    secrets: Arc<cache::Secrets>,
}

impl Store {
    /// Opens a database by its URL, `sqlite://PATH` or `postgres://…`, and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it can't be reached or made, [`StoreError::Schema`] when it is newer than this
    /// binary, [`StoreError::Damaged`] when it is no database.
    pub async fn open(url: &str) -> Result<Self> {
        let engine = if let Some(path) = url.strip_prefix("sqlite://") {
            let path = Path::new(path).to_owned();
            let opened = tokio::task::spawn_blocking(move || sqlite::Sqlite::open(&path)).await;
            Engine::Sqlite(
                opened
                    .map_err(|_| StoreError::Unavailable("opening it was stopped".to_owned()))??,
            )
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Engine::Postgres(postgres::Postgres::open(url).await?)
        } else {
            return Err(StoreError::Unavailable(
                "the database URL must begin with sqlite:// or postgres://".to_owned(),
            ));
        };
        let store = Self {
            engine: Arc::new(engine),
            recorder: Arc::default(),
            keyring: OnceLock::new(),
            jobs: Arc::default(),
            secrets: Arc::default(),
        };
        store.fill_references().await?;
        Ok(store)
    }

    /// Gives the store the key of the audit chain. Until then nothing that must be audited can be done.
    pub fn unlock(&self, keyring: Arc<Keyring>) {
        // A second call changes nothing: the chain has one key.
        let _ = self.keyring.set(keyring);
    }

    /// The file of an embedded database.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match &*self.engine {
            Engine::Sqlite(sqlite) => Some(sqlite.path()),
            Engine::Postgres(_) => None,
        }
    }

    /// The time by the database's clock.
    ///
    /// # Errors
    /// When the database can't answer: also a check that it can.
    pub async fn now(&self) -> Result<Moment> {
        self.read(body!(|tx| tx.now().await.map(Moment::from_millis)))
            .await
    }

    fn keys(&self) -> Result<Arc<Keyring>> {
        self.keyring.get().cloned().ok_or(StoreError::AuditLocked)
    }

    async fn write<T: Send + 'static>(&self, body: Body<T>) -> Result<T> {
        self.engine.write(body).await
    }

    /// A read of a few rows by their keys, at the cost of such a read.
    async fn read_short<T: Send + 'static>(&self, body: Body<T>) -> Result<T> {
        match &*self.engine {
            Engine::Sqlite(sqlite) => sqlite.read_short(body).await,
            Engine::Postgres(postgres) => postgres.read(body).await,
        }
    }

    async fn read<T: Send + 'static>(&self, body: Body<T>) -> Result<T> {
        match &*self.engine {
            Engine::Sqlite(sqlite) => sqlite.read(body).await,
            Engine::Postgres(postgres) => postgres.read(body).await,
        }
    }
}
