//! Statements on one PostgreSQL connection.

use async_trait::async_trait;
use deadpool_postgres::{ClientWrapper, Object};
use futures_util::future::join_all;
use tokio_postgres::Statement;
use tokio_postgres::types::ToSql;

use super::convert::{self, Column};
use super::map_error;
use crate::error::Result;
use crate::field::{Field, Row};
use crate::tx::{Batch, Sql, Tx};

/// The transaction that is open on a connection.
pub(super) struct PgTx<'c> {
    pub(super) connection: &'c Object,
    /// The time at its beginning, which came with the answer to `BEGIN`.
    pub(super) now: i64,
}

impl PgTx<'_> {
    fn client(&self) -> &ClientWrapper {
        self.connection
    }

    async fn prepared(&self, sql: &Sql) -> Result<Statement> {
        self.client()
            .prepare_cached(sql.postgres)
            .await
            .map_err(|error| map_error(&error))
    }
}

fn borrowed(params: &[Field]) -> Vec<&(dyn ToSql + Sync)> {
    params
        .iter()
        .map(|param| param as &(dyn ToSql + Sync))
        .collect()
}

fn converted(rows: &[tokio_postgres::Row]) -> Result<Vec<Row>> {
    rows.iter()
        .map(convert::row)
        .collect::<Result<_, _>>()
        .map_err(|error| map_error(&error))
}

#[async_trait]
impl Tx for PgTx<'_> {
    async fn query(&mut self, sql: &'static Sql, params: &[Field]) -> Result<Vec<Row>> {
        let statement = self.prepared(sql).await?;
        let rows = self
            .client()
            .query(&statement, &borrowed(params))
            .await
            .map_err(|error| map_error(&error))?;
        converted(&rows)
    }

    async fn execute(&mut self, sql: &'static Sql, params: &[Field]) -> Result<u64> {
        let statement = self.prepared(sql).await?;
        self.client()
            .execute(&statement, &borrowed(params))
            .await
            .map_err(|error| map_error(&error))
    }

    async fn batches(&mut self, batches: Vec<Batch>) -> Result<Vec<Vec<Row>>> {
        let mut ready = Vec::with_capacity(batches.len());
        for batch in &batches {
            let statement = if batch.rows.is_empty() {
                None
            } else {
                Some(self.prepared(batch.sql).await?)
            };
            ready.push((statement, batch));
        }
        let client = self.client();
        let sent = ready.iter().map(|(statement, batch)| async move {
            let Some(statement) = statement else {
                return Ok(Vec::new());
            };
            let columns: Vec<Column<'_>> = (0..batch.rows.width)
                .map(|at| Column {
                    rows: &batch.rows,
                    at,
                })
                .collect();
            let params: Vec<&(dyn ToSql + Sync)> = columns
                .iter()
                .map(|column| column as &(dyn ToSql + Sync))
                .collect();
            client.query(statement, &params).await
        });
        // Polled in order, so sent in order, without a round trip between them.
        let answers = join_all(sent).await;
        answers
            .into_iter()
            .map(|answer| converted(&answer.map_err(|error| map_error(&error))?))
            .collect()
    }

    async fn now(&mut self) -> Result<i64> {
        Ok(self.now)
    }
}
