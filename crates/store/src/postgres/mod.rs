//! The PostgreSQL engine: a pool of connections, statements prepared once on each, batches pipelined.
//!
//! It leans on nothing that a pooler in front, or a distributed engine that speaks the protocol, lacks: no advisory
//! locks, no `LISTEN`, no session state beyond prepared statements.

mod convert;
mod statements;
mod tls;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use deadpool_postgres::{
    Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime,
};
use futures_util::FutureExt;
use tokio_postgres::{Config, SimpleQueryMessage};

use crate::error::{Result, StoreError};
use crate::migrate::{self, Migration};
use crate::tx::Body;

pub(crate) use convert::error as map_error;
use statements::PgTx;

/// Connections per node.
const CONNECTIONS: usize = 12;
const CONNECT: Duration = Duration::from_secs(5);

/// A reachable PostgreSQL database.
#[derive(Debug, Clone)]
pub(crate) struct Postgres {
    pool: Pool,
    hints: &'static str,
    durable: &'static str,
}

/// Every statement reaches a few rows by their keys. Told so, the planner never reads a whole table to join a batch with
/// it, which without fresh statistics it takes for the cheaper way.
const HINTS: &str = "; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off; SET LOCAL jit = off";
/// What is answered as written is on the disk, whatever the server does when nobody asks.
const DURABLE: &str = "; SET LOCAL synchronous_commit = on";
const CLOCK: &str = "; SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";

impl Postgres {
    /// Connects, and brings the schema up to date under a lock.
    pub(crate) async fn open(url: &str) -> Result<Self> {
        let mut config: Config = url.parse().map_err(|_| {
            StoreError::Unavailable(
                "the database URL is not one that PostgreSQL takes: postgres://user@host/name"
                    .to_owned(),
            )
        })?;
        config.connect_timeout(CONNECT).application_name("padclock");
        let manager = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let pool = Pool::builder(Manager::from_config(config, tls::connector()?, manager))
            .max_size(CONNECTIONS)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(CONNECT))
            .create_timeout(Some(CONNECT))
            .build()
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let mut this = Self {
            pool,
            hints: "",
            durable: "",
        };
        this.migrate().await?;
        // An engine that merely speaks the protocol may not know them, and does without.
        this.hints = this.known(HINTS).await?;
        this.durable = this.known(DURABLE).await?;
        Ok(this)
    }

    /// These settings, if the server knows them.
    async fn known(&self, settings: &'static str) -> Result<&'static str> {
        let client = self.connection().await?;
        let set = client
            .batch_execute(&format!("BEGIN{settings}; COMMIT"))
            .await;
        if set.is_err() {
            // It may have stopped after the BEGIN.
            drop(Object::take(client));
            return Ok("");
        }
        Ok(settings)
    }

    async fn connection(&self) -> Result<Object> {
        self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) => map_error(&error),
            PoolError::Timeout(_) => StoreError::Unavailable("no connection within 5 s".to_owned()),
            _ => StoreError::Unavailable("no connection".to_owned()),
        })
    }

    /// Runs a transaction; it is durable when this returns. It runs to its end even when the caller goes away, so that
    /// no connection returns to the pool in the middle of one.
    pub(crate) async fn write<T: Send + 'static>(&self, body: Body<T>) -> Result<T> {
        let this = self.clone();
        let write = async move {
            let begin = format!("BEGIN{}", this.durable);
            this.transaction(body, &begin).await
        };
        tokio::spawn(write).await.map_err(|_| stopped())?
    }

    /// Runs reads on one snapshot.
    pub(crate) async fn read<T: Send + 'static>(&self, body: Body<T>) -> Result<T> {
        let this = self.clone();
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        tokio::spawn(async move { this.transaction(body, begin).await })
            .await
            .map_err(|_| stopped())?
    }

    /// A connection with a transaction begun on it, and the time by the server's clock.
    async fn begin(&self, begin: &str) -> Result<(Object, i64)> {
        let begin = format!("{begin}{}{CLOCK}", self.hints);
        let mut tries = 0;
        loop {
            let client = self.connection().await?;
            match client.simple_query(&begin).await {
                Ok(answer) => return Ok((client, clock(&answer)?)),
                Err(error) => {
                    // Nothing was done on it yet, so one that died in the pool is no reason to fail.
                    drop(Object::take(client));
                    tries += 1;
                    if tries > CONNECTIONS || !error.is_closed() {
                        return Err(map_error(&error));
                    }
                }
            }
        }
    }

    async fn transaction<T>(&self, body: Body<T>, begin: &str) -> Result<T> {
        let (client, now) = self.begin(begin).await?;
        let mut tx = PgTx {
            connection: &client,
            now,
        };
        let Ok(result) = AssertUnwindSafe(async { body(&mut tx).await })
            .catch_unwind()
            .await
        else {
            // The transaction is still open on it: the connection must not be used again.
            drop(Object::take(client));
            return Err(StoreError::Statement("a transaction panicked".to_owned()));
        };
        let end = if result.is_ok() { "COMMIT" } else { "ROLLBACK" };
        let ended = client
            .batch_execute(end)
            .await
            .map_err(|error| map_error(&error));
        if ended.is_err() {
            // Whatever state it is in, it is not one to reuse.
            drop(Object::take(client));
        }
        match (result, ended) {
            (Ok(value), Ok(())) => Ok(value),
            (Err(error), _) | (Ok(_), Err(error)) => Err(error),
        }
    }

    async fn migrate(&self) -> Result<()> {
        let failed = |error: tokio_postgres::Error| map_error(&error);
        let mut client = self.connection().await?;
        // Two nodes that start at once may both try to make the table; the one that loses finds it made.
        if client.batch_execute(migrate::TABLE_POSTGRES).await.is_err() {
            client
                .batch_execute(migrate::TABLE_POSTGRES)
                .await
                .map_err(failed)?;
        }
        let transaction = client.transaction().await.map_err(failed)?;
        transaction
            .batch_execute("LOCK TABLE schema_migrations IN ACCESS EXCLUSIVE MODE")
            .await
            .map_err(failed)?;
        let applied: Option<i64> = transaction
            .query_one("SELECT max(version) FROM schema_migrations", &[])
            .await
            .map_err(failed)?
            .get(0);
        for Migration {
            version, postgres, ..
        } in migrate::pending(applied)?
        {
            transaction.batch_execute(postgres).await.map_err(failed)?;
            let record = "INSERT INTO schema_migrations VALUES ($1, (extract(epoch FROM now()) * 1000)::bigint)";
            transaction
                .execute(record, &[version])
                .await
                .map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)
    }
}

fn clock(answer: &[SimpleQueryMessage]) -> Result<i64> {
    let row = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    row.and_then(|text| text.parse().ok())
        .ok_or_else(|| StoreError::Damaged("the server tells no time".to_owned()))
}

fn stopped() -> StoreError {
    StoreError::Unavailable("the transaction was stopped".to_owned())
}
