//! Repeated creations: the same `Idempotency-Key` names the same new object for a day.

use padclock_api::WorkspaceId;

use crate::error::{Result, StoreError};
use crate::field::fields;
use crate::tx::Sql;
use crate::{Store, body};

/// How long a key is remembered, in milliseconds.
const KEPT: i64 = 24 * 60 * 60 * 1_000;

/// What a key stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reserved {
    /// The id that the object has or is to have.
    pub target: [u8; 16],
    /// Whether the key was new.
    pub fresh: bool,
}

static RESERVE: Sql = Sql::both(
    "INSERT INTO idempotency (workspace_id, key, fingerprint, target, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
);
static FIND: Sql =
    Sql::both("SELECT fingerprint, target FROM idempotency WHERE workspace_id = $1 AND key = $2");
static FORGET: Sql = Sql::both("DELETE FROM idempotency WHERE created_at < $1");

impl Store {
    /// Notes that a key stands for the object `target`, or tells for which it already does.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the key came with another request before.
    pub async fn reserve(
        &self,
        workspace: WorkspaceId,
        key: String,
        fingerprint: [u8; 32],
        target: [u8; 16],
    ) -> Result<Reserved> {
        self.write(body!(|tx| {
            let now = tx.now().await?;
            tx.execute(&FORGET, fields![now - KEPT]).await?;
            let params = fields![
                workspace,
                key.clone(),
                fingerprint.to_vec(),
                target.to_vec(),
                now
            ];
            if tx.execute(&RESERVE, params).await? > 0 {
                return Ok(Reserved {
                    target,
                    fresh: true,
                });
            }
            let mut row = tx
                .query(&FIND, fields![workspace, key])
                .await?
                .pop()
                .ok_or(StoreError::Changed)?;
            if row.bytes(0)? != fingerprint {
                return Err(StoreError::Conflict(
                    "a different request with this Idempotency-Key",
                ));
            }
            let target = row
                .bytes(1)?
                .try_into()
                .map_err(|_| StoreError::Damaged("a key's target is no id".to_owned()))?;
            Ok(Reserved {
                target,
                fresh: false,
            })
        }))
        .await
    }
}
