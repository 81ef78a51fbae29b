//! Read-only eyes on a store, beside the server: what is not over yet, and how what is over ended.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result};
use rusqlite::{Connection, OpenFlags};
use tokio_postgres::NoTls;

/// A connection of its own to the server's database.
pub enum Eyes {
    Embedded(Mutex<Connection>),
    Postgres(tokio_postgres::Client),
}

impl Eyes {
    /// On the embedded database of a data folder.
    ///
    /// # Errors
    /// When it can't be opened.
    pub fn embedded(data: &Path) -> Result<Self> {
        let connection = Connection::open_with_flags(
            data.join("padclock.db"),
            OpenFlags::SQLITE_OPEN_READ_ONLY,
        )?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        Ok(Self::Embedded(Mutex::new(connection)))
    }

    /// On a PostgreSQL database.
    ///
    /// # Errors
    /// When it can't be reached.
    pub async fn postgres(url: &str) -> Result<Self> {
        Ok(Self::Postgres(connect(url).await?))
    }

    /// How many executions are open, and how many jobs are due by `until` (milliseconds since 1970).
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn unfinished(&self, until: i64) -> Result<i64> {
        const OPEN: &str = "SELECT (SELECT count(*) FROM open_executions) + (SELECT count(*) FROM due WHERE run_at <= $1)";
        self.number(OPEN, Some(until)).await
    }

    /// How many executions have succeeded.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn succeeded(&self) -> Result<i64> {
        self.number(
            "SELECT count(*) FROM executions WHERE status = 'succeeded'",
            None,
        )
        .await
    }

    /// How many executions have ended, however they did.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn ended(&self) -> Result<i64> {
        self.number("SELECT count(*) FROM executions", None).await
    }

    async fn number(&self, sql: &str, argument: Option<i64>) -> Result<i64> {
        match self {
            Self::Embedded(connection) => {
                let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
                let mut statement = connection.prepare_cached(sql)?;
                Ok(statement.query_row(rusqlite::params_from_iter(argument), |row| row.get(0))?)
            }
            Self::Postgres(client) => {
                let row = match &argument {
                    Some(argument) => client.query_one(sql, &[argument]).await?,
                    None => client.query_one(sql, &[]).await?,
                };
                Ok(row.try_get(0)?)
            }
        }
    }
}

/// A connection to PostgreSQL, driven as long as it is held.
///
/// # Errors
/// When it can't be made.
pub async fn connect(url: &str) -> Result<tokio_postgres::Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .context("PostgreSQL can't be reached")?;
    tokio::spawn(connection);
    Ok(client)
}
