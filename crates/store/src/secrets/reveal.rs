//! What is needed to read a value back: its sealed current version. Nothing here opens it, and whoever does has recorded
//! that first.

use padclock_api::secret::Reveal;
use padclock_api::{SecretId, UserId, WorkspaceId};
use padclock_job::Moment;

use super::row::reveal_of;
use crate::error::{Result, StoreError};
use crate::field::fields;
use crate::resolve::{self, SealedSecret};
use crate::tx::Sql;
use crate::{Store, body};

/// A secret's current version as stored, and what decides whether it may be read back.
#[derive(Debug)]
pub struct Revealing {
    /// The current version.
    pub secret: SealedSecret,
    /// Whether it may be read back at all.
    pub reveal: Reveal,
    /// The database's clock.
    pub now: Moment,
}

static SEALED: Sql = Sql::both(
    "SELECT s.workspace_id, s.name, s.id, s.owner_id, s.environment, s.version, s.expires_at, s.egress,
       v.term, v.origin_term, v.wrapped_key, v.ciphertext, s.reveal
     FROM secrets s JOIN secret_versions v ON v.secret_id = s.id AND v.version = s.version
     WHERE s.workspace_id = $1 AND s.id = $2 AND (s.owner_id = $3 OR s.owner_id = $4)",
);

impl Store {
    /// The sealed current version of a secret that the caller may see.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the caller may not see it.
    pub async fn sealed_secret(
        &self,
        workspace: WorkspaceId,
        id: SecretId,
        caller: UserId,
    ) -> Result<Revealing> {
        self.read_short(body!(|tx| {
            let params = fields![workspace, id, Vec::<u8>::new(), caller];
            let mut rows = tx.query(&SEALED, params).await?;
            let row = rows.first_mut().ok_or(StoreError::NotFound)?;
            Ok(Revealing {
                reveal: reveal_of(&row.text(12)?),
                secret: resolve::decode(row)?,
                now: Moment::from_millis(tx.now().await?),
            })
        }))
        .await
    }
}
