//! A secret's versions: the current one, the one before it, and the two ways to end with it: back to it, or rid of it.

use padclock_api::secret::{SecretVersion, VersionState};
use padclock_api::{SecretId, UserId, WorkspaceId};
use padclock_vault::Label;

use super::{DROP_OLDER, NewVersion, Seal, SecretRow, TOUCH, entry, get, put_version};
use crate::audit::{self, Action, Actor};
use crate::error::{Result, StoreError};
use crate::field::{Row, fields};
use crate::resolve::{self, SealedSecret};
use crate::tx::{Sql, Tx};
use crate::{Store, body};

static LIST: Sql = Sql::both(
    "SELECT version, created_at, term FROM secret_versions WHERE secret_id = $1 ORDER BY version DESC",
);
static PREVIOUS: Sql = Sql::both(
    "SELECT s.workspace_id, s.name, s.id, s.owner_id, s.environment, v.version, s.expires_at, s.egress,
       v.term, v.origin_term, v.wrapped_key, v.ciphertext
     FROM secrets s JOIN secret_versions v ON v.secret_id = s.id AND v.version < s.version
     WHERE s.id = $1 ORDER BY v.version DESC LIMIT 1",
);
static ROLL_BACK: Sql = Sql::both(
    "UPDATE secrets SET version = $1, unmaskable = $2, short = $3, updated_at = $4, revision = revision + 1
     WHERE id = $5 AND version = $6 AND revision = $7",
);
static RETIRE: Sql = Sql::both(
    "UPDATE secrets SET updated_at = $1, revision = revision + 1 WHERE id = $2 AND revision = $3",
);

fn decode(row: &mut Row, current: u32) -> Result<SecretVersion> {
    let number = row.number(0)?;
    Ok(SecretVersion {
        number,
        created_at: row.moment(1)?,
        key_version: format!("v{}", row.number(2)?),
        state: if number == current {
            VersionState::Current
        } else {
            VersionState::Previous
        },
    })
}

async fn previous(tx: &mut dyn Tx, id: SecretId) -> Result<Option<SealedSecret>> {
    let mut rows = tx.query(&PREVIOUS, fields![id]).await?;
    rows.first_mut().map(resolve::decode).transpose()
}

impl Store {
    /// The versions that are kept of a secret, newest first.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the caller may not see it.
    pub async fn secret_versions(
        &self,
        workspace: WorkspaceId,
        id: SecretId,
        caller: UserId,
    ) -> Result<Vec<SecretVersion>> {
        self.read(body!(|tx| {
            let current = get(tx, workspace, id, caller).await?.secret.version;
            let mut rows = tx.query(&LIST, fields![id]).await?;
            rows.iter_mut().map(|row| decode(row, current)).collect()
        }))
        .await
    }

    /// A secret, and its previous version, sealed, where it has one.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the caller may not see it.
    pub async fn previous_version(
        &self,
        workspace: WorkspaceId,
        id: SecretId,
        caller: UserId,
    ) -> Result<(SecretRow, Option<SealedSecret>)> {
        self.read(body!(|tx| {
            let row = get(tx, workspace, id, caller).await?;
            Ok((row, previous(tx, id).await?))
        }))
        .await
    }

    /// Makes the previous value, sealed anew as the next version, the current one. What was current is the previous one
    /// from then on.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when `new.version` is no longer the next one, or the revision no longer `expected`: the
    /// previous version may be another one, or gone.
    pub async fn roll_back_secret(
        &self,
        (workspace, id): (WorkspaceId, SecretId),
        new: NewVersion,
        expected: u32,
        actor: Actor,
        caller: UserId,
    ) -> Result<SecretRow> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            get(tx, workspace, id, caller).await?;
            let now = tx.now().await?;
            let before = new.version.checked_sub(1).ok_or(StoreError::Changed)?;
            let params = fields![
                new.version,
                new.unmaskable,
                new.short,
                now,
                id,
                before,
                expected
            ];
            if tx.execute(&ROLL_BACK, params).await? == 0 {
                return Err(StoreError::Changed);
            }
            let (version, sealed) = (new.version, &new.sealed);
            let seal = Seal {
                id,
                version,
                sealed,
                now,
            };
            put_version(tx, seal).await?;
            tx.execute(&DROP_OLDER, fields![id, before]).await?;
            tx.execute(&TOUCH, fields![workspace]).await?;
            let row = get(tx, workspace, id, caller).await?;
            let entry = entry(workspace, &actor, Action::SecretRollBack, &row);
            audit::append(tx, keys.derived(Label::Audit), now, vec![entry]).await?;
            Ok(row)
        }))
        .await
    }

    /// Removes the previous version: its sealed value is gone.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the caller may not see the secret, [`StoreError::Changed`] when its revision is no
    /// longer `expected`.
    pub async fn retire_previous(
        &self,
        (workspace, id): (WorkspaceId, SecretId),
        expected: u32,
        actor: Actor,
        caller: UserId,
    ) -> Result<Option<SecretRow>> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            get(tx, workspace, id, caller).await?;
            let now = tx.now().await?;
            if tx.execute(&RETIRE, fields![now, id, expected]).await? == 0 {
                return Err(StoreError::Changed);
            }
            let row = get(tx, workspace, id, caller).await?;
            let Some(retired) = previous(tx, id).await? else {
                return Ok(None);
            };
            tx.execute(&DROP_OLDER, fields![id, row.secret.version])
                .await?;
            let mut entry = entry(workspace, &actor, Action::SecretRetire, &row);
            entry.detail.version = Some(retired.version);
            audit::append(tx, keys.derived(Label::Audit), now, vec![entry]).await?;
            Ok(Some(row))
        }))
        .await
    }
}
