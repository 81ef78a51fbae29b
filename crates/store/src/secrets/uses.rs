//! When secrets were last used, and by what. Written in the background in one batch, never by a run.

use std::collections::BTreeMap;

use padclock_api::SecretId;
use padclock_api::secret::SecretUsed;

use crate::error::{Result, StoreError};
use crate::field::{Field, Row};
use crate::tx::{Batch, Rows, Sql, Tx, one_batch};
use crate::{Store, body};

/// The uses that are remembered of a secret.
pub const USES: usize = 5;

static READ: Sql = Sql::each(
    "SELECT secret_id, recent FROM secret_uses WHERE secret_id = $1",
    "SELECT u.secret_id, u.recent FROM unnest($1::bytea[]) AS k(id) JOIN secret_uses u ON u.secret_id = k.id",
);
/// As [`READ`], and no other node writes these rows until the transaction ends. In the order of ids, so that two nodes
/// never wait for each other.
static HOLD: Sql = Sql::each(
    READ.sqlite,
    "SELECT u.secret_id, u.recent FROM secret_uses u WHERE u.secret_id = ANY ($1::bytea[]) ORDER BY u.secret_id FOR UPDATE",
);
/// A secret that was deleted meanwhile is not remembered.
static PUT: Sql = Sql::each(
    "INSERT INTO secret_uses (secret_id, at, execution_id, job_id, recent)
     SELECT s.id, $1, $2, $3, $4 FROM secrets s WHERE s.id = $5
     ON CONFLICT (secret_id) DO UPDATE SET at = excluded.at, execution_id = excluded.execution_id,
       job_id = excluded.job_id, recent = excluded.recent",
    "INSERT INTO secret_uses (secret_id, at, execution_id, job_id, recent)
     SELECT s.id, k.at, k.execution_id, k.job_id, k.recent
     FROM unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::text[], $5::bytea[]) AS k(at, execution_id, job_id, recent, id)
     JOIN secrets s ON s.id = k.id ORDER BY s.id
     ON CONFLICT (secret_id) DO UPDATE SET at = excluded.at, execution_id = excluded.execution_id,
       job_id = excluded.job_id, recent = excluded.recent",
);
pub(super) static FORGET: Sql = Sql::both("DELETE FROM secret_uses WHERE secret_id = $1");

async fn read(
    tx: &mut dyn Tx,
    sql: &'static Sql,
    secrets: impl Iterator<Item = SecretId>,
) -> Result<BTreeMap<SecretId, Vec<SecretUsed>>> {
    let keys = Rows::new(secrets.map(|id| [Field::from(id)]));
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = one_batch(tx, sql, keys).await?;
    let known = |mut row: Row| Ok((row.id(0)?, row.json(1)?));
    rows.into_iter().map(known).collect()
}

/// The newest few of both, newest first.
fn merged(mut new: Vec<SecretUsed>, known: Vec<SecretUsed>) -> Vec<SecretUsed> {
    new.extend(known);
    new.sort_by(|one, other| other.at.cmp(&one.at));
    let mut seen = Vec::with_capacity(USES);
    // A retry is not another use.
    new.retain(|used| {
        let fresh = !seen.contains(&used.execution);
        if fresh {
            seen.push(used.execution);
        }
        fresh
    });
    new.truncate(USES);
    new
}

impl Store {
    /// The last few uses of each secret, newest first; a secret that was never used is absent.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn secret_uses(
        &self,
        secrets: Vec<SecretId>,
    ) -> Result<BTreeMap<SecretId, Vec<SecretUsed>>> {
        self.read(body!(|tx| read(tx, &READ, secrets.into_iter()).await))
            .await
    }

    /// Remembers uses, for many secrets at once.
    ///
    /// # Errors
    /// When the database can't be written.
    pub async fn record_uses(&self, uses: BTreeMap<SecretId, Vec<SecretUsed>>) -> Result<()> {
        if uses.is_empty() {
            return Ok(());
        }
        self.write(body!(|tx| {
            let mut known = read(tx, &HOLD, uses.keys().copied()).await?;
            let mut rows = Vec::with_capacity(uses.len());
            for (id, new) in uses {
                let recent = merged(new, known.remove(&id).unwrap_or_default());
                let Some(last) = recent.first() else { continue };
                let (at, execution, job) = (last.at, last.execution, last.job_id);
                let recent = serde_json::to_string(&recent)
                    .map_err(|error| StoreError::Damaged(error.to_string()))?;
                rows.push([
                    Field::from(at),
                    execution.into(),
                    job.into(),
                    recent.into(),
                    id.into(),
                ]);
            }
            tx.batches(vec![Batch::new(&PUT, Rows::new(rows))])
                .await
                .map(drop)
        }))
        .await
    }
}
