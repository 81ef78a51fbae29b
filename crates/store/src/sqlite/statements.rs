//! Statements on one SQLite connection. Every future here is ready when it is first polled.

use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use rusqlite::{CachedStatement, Connection};

use super::convert;
use super::map_error;
use crate::error::Result;
use crate::field::{Field, Row};
use crate::tx::{Batch, Sql, Tx};

/// The transaction that is open on a connection.
pub(super) struct SqliteTx<'c>(pub(super) &'c mut Connection);

fn bind(statement: &mut CachedStatement<'_>, params: &[Field]) -> rusqlite::Result<()> {
    for (at, param) in params.iter().enumerate() {
        debug_assert_eq!(
            statement
                .parameter_name(at + 1)
                .and_then(|name| name.get(1..))
                .and_then(|digits| digits.parse().ok()),
            Some(at + 1),
            "parameters must first stand in their order"
        );
        statement.raw_bind_parameter(at + 1, param)?;
    }
    Ok(())
}

fn collect(statement: &mut CachedStatement<'_>, into: &mut Vec<Row>) -> rusqlite::Result<()> {
    let width = statement.column_count();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        let fields = (0..width)
            .map(|at| row.get_ref(at).map(convert::field))
            .collect::<rusqlite::Result<_>>()?;
        into.push(Row(fields));
    }
    Ok(())
}

impl SqliteTx<'_> {
    fn select(&self, sql: &Sql, params: &[Field]) -> rusqlite::Result<Vec<Row>> {
        let mut statement = self.0.prepare_cached(sql.sqlite)?;
        bind(&mut statement, params)?;
        let mut rows = Vec::new();
        collect(&mut statement, &mut rows)?;
        Ok(rows)
    }

    fn change(&self, sql: &Sql, params: &[Field]) -> rusqlite::Result<u64> {
        let mut statement = self.0.prepare_cached(sql.sqlite)?;
        bind(&mut statement, params)?;
        Ok(statement.raw_execute()? as u64)
    }

    fn step(&self, batch: &Batch) -> rusqlite::Result<Vec<Row>> {
        let mut answered = Vec::new();
        if batch.rows.is_empty() {
            return Ok(answered);
        }
        let mut statement = self.0.prepare_cached(batch.sql.sqlite)?;
        let mut then = batch
            .sql
            .sqlite_then
            .map(|sql| self.0.prepare_cached(sql))
            .transpose()?;
        let answers = statement.column_count() > 0;
        for row in batch.rows.fields.chunks_exact(batch.rows.width) {
            bind(&mut statement, row)?;
            if answers {
                collect(&mut statement, &mut answered)?;
                continue;
            }
            let mut changed = statement.raw_execute()?;
            if let Some(then) = &mut then {
                bind(then, &row[..then.parameter_count()])?;
                changed = then.raw_execute()?;
            }
            if let Some(key) = batch.key.filter(|_| changed > 0) {
                answered.push(Row(vec![row[key].clone()]));
            }
        }
        Ok(answered)
    }
}

#[async_trait]
impl Tx for SqliteTx<'_> {
    async fn query(&mut self, sql: &'static Sql, params: &[Field]) -> Result<Vec<Row>> {
        self.select(sql, params).map_err(|error| map_error(&error))
    }

    async fn execute(&mut self, sql: &'static Sql, params: &[Field]) -> Result<u64> {
        self.change(sql, params).map_err(|error| map_error(&error))
    }

    async fn batches(&mut self, batches: Vec<Batch>) -> Result<Vec<Vec<Row>>> {
        batches
            .iter()
            .map(|batch| self.step(batch).map_err(|error| map_error(&error)))
            .collect()
    }

    async fn now(&mut self) -> Result<i64> {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Ok(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}
