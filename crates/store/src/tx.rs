//! The one trait that both engines implement: statements inside a transaction. Everything above it is written once.

use async_trait::async_trait;
use futures_util::future::BoxFuture;

use crate::error::Result;
use crate::field::{Field, Row};

/// A statement, in the words of each engine. Parameters are `$1`, `$2` …, first used in that order.
#[derive(Debug)]
pub struct Sql {
    pub(crate) sqlite: &'static str,
    /// What SQLite does next with the same row, as far as it takes its fields; PostgreSQL has said it all in one.
    pub(crate) sqlite_then: Option<&'static str>,
    pub(crate) postgres: &'static str,
}

impl Sql {
    /// One text that both engines understand.
    pub(crate) const fn both(text: &'static str) -> Self {
        Self::each(text, text)
    }

    /// A text for each.
    pub(crate) const fn each(sqlite: &'static str, postgres: &'static str) -> Self {
        Self {
            sqlite,
            sqlite_then: None,
            postgres,
        }
    }

    /// Two texts for SQLite, one for PostgreSQL.
    pub(crate) const fn pair(
        sqlite: &'static str,
        then: &'static str,
        postgres: &'static str,
    ) -> Self {
        Self {
            sqlite,
            sqlite_then: Some(then),
            postgres,
        }
    }
}

/// The rows of a batch, one after the other.
#[derive(Debug)]
pub struct Rows {
    pub(crate) width: usize,
    pub(crate) fields: Vec<Field>,
}

impl Rows {
    pub(crate) fn new<const WIDTH: usize>(rows: impl IntoIterator<Item = [Field; WIDTH]>) -> Self {
        Self {
            width: WIDTH,
            fields: rows.into_iter().flatten().collect(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

/// A statement about many rows. SQLite steps one prepared statement per row inside the transaction, which costs no
/// round trip; PostgreSQL gets every row at once, as arrays for `unnest`.
#[derive(Debug)]
pub struct Batch {
    pub(crate) sql: &'static Sql,
    pub(crate) rows: Rows,
    pub(crate) key: Option<usize>,
}

impl Batch {
    pub(crate) const fn new(sql: &'static Sql, rows: Rows) -> Self {
        Self {
            sql,
            rows,
            key: None,
        }
    }

    /// One that answers, for each row that changed something, that row's field `key`. PostgreSQL's text says so with
    /// `RETURNING`; SQLite's has none, since that costs it a temporary table each time.
    pub(crate) const fn keyed(sql: &'static Sql, rows: Rows, key: usize) -> Self {
        Self {
            sql,
            rows,
            key: Some(key),
        }
    }
}

/// A transaction (or, for reads, a snapshot) on one of the engines.
#[async_trait]
pub trait Tx: Send {
    /// The rows that a statement answers.
    async fn query(&mut self, sql: &'static Sql, params: &[Field]) -> Result<Vec<Row>>;

    /// The number of rows that a statement changed.
    async fn execute(&mut self, sql: &'static Sql, params: &[Field]) -> Result<u64>;

    /// Runs batches in order, without waiting in between where the engine allows it; answers each one's `RETURNING` rows.
    async fn batches(&mut self, batches: Vec<Batch>) -> Result<Vec<Vec<Row>>>;

    /// Milliseconds since the Unix epoch by the database's clock, which is the authority on time.
    async fn now(&mut self) -> Result<i64>;
}

/// The body of a transaction.
pub(crate) type Body<T> =
    Box<dyn for<'t> FnOnce(&'t mut dyn Tx) -> BoxFuture<'t, Result<T>> + Send>;

/// The answer of a batch statement that is the only one.
pub(crate) async fn one_batch(tx: &mut dyn Tx, sql: &'static Sql, rows: Rows) -> Result<Vec<Row>> {
    Ok(tx
        .batches(vec![Batch::new(sql, rows)])
        .await?
        .pop()
        .unwrap_or_default())
}
