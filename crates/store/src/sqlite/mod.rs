//! The embedded engine: one writer thread with group commit, a few read-only connections beside it.

mod convert;
mod readers;
mod statements;
mod writer;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::error::{Result, StoreError};
use crate::migrate::{self, Migration};
use crate::tx::Body;

pub(crate) use convert::error as map_error;
use readers::Readers;
use writer::Writer;

/// How long a statement waits for another process's lock (a backup, a shell).
const BUSY: Duration = Duration::from_secs(5);
/// Pages that the write-ahead log may hold before they go into the database file.
const CHECKPOINT_PAGES: u32 = 16_000;
/// Prepared statements kept per connection.
const STATEMENTS: usize = 128;

/// An open SQLite database.
#[derive(Debug)]
pub(crate) struct Sqlite {
    // Dropped in this order: the last connection to close is one that can write, and takes the log into the file.
    readers: Readers,
    writer: Writer,
    path: PathBuf,
}

impl Sqlite {
    /// Opens or makes the file, brings its schema up to date, and starts the writer.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        make_private(path);
        let mut connection = connect(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        )?;
        let settings = format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}; PRAGMA journal_size_limit = 67108864;"
        );
        connection
            .execute_batch(&settings)
            .map_err(|error| map_error(&error))?;
        migrate_file(&mut connection)?;
        Ok(Self {
            readers: Readers::new(path),
            writer: Writer::start(connection)?,
            path: path.to_owned(),
        })
    }

    /// Runs a transaction; it is durable when this returns.
    pub(crate) async fn write<T: Send + 'static>(&self, body: Body<T>) -> Result<T> {
        self.writer.run(body).await
    }

    /// Runs a read of a few rows by their keys on one snapshot.
    pub(crate) async fn read_short<T: Send + 'static>(&self, body: Body<T>) -> Result<T> {
        self.readers.run_short(body).await
    }

    pub(crate) async fn read<T: Send + 'static>(&self, body: Body<T>) -> Result<T> {
        self.readers.run(body).await
    }

    /// The database file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Makes the file, if it is not there, readable to its owner alone; SQLite gives the files beside it the same mode.
/// A failure here is one that SQLite meets as well, and names.
fn make_private(path: &Path) {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let _ = options.open(path);
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| map_error(&error))?;
    connection
        .busy_timeout(BUSY)
        .map_err(|error| map_error(&error))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection
        .execute_batch(
            "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32000; PRAGMA trusted_schema = OFF;",
        )
        .map_err(|error| map_error(&error))?;
    Ok(connection)
}

fn migrate_file(connection: &mut Connection) -> Result<()> {
    let failed = |error: rusqlite::Error| map_error(&error);
    let transaction = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .map_err(failed)?;
    transaction
        .execute_batch(migrate::TABLE_SQLITE)
        .map_err(failed)?;
    let applied: Option<i64> = transaction
        .query_row("SELECT max(version) FROM schema_migrations", [], |row| {
            row.get(0)
        })
        .map_err(failed)?;
    for Migration {
        version, sqlite, ..
    } in migrate::pending(applied)?
    {
        transaction.execute_batch(sqlite).map_err(failed)?;
        transaction
            .execute(
                "INSERT INTO schema_migrations (version, applied_at) VALUES (?1, unixepoch() * 1000)",
                [*version],
            )
            .map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

/// Says that a thread of the engine is gone; only a panic there can do that.
fn gone() -> StoreError {
    StoreError::Unavailable("the writer has stopped".to_owned())
}

#[cfg(test)]
mod tests;
