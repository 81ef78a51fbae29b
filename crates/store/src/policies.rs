//! Egress policies as rows: what a workspace asks of them, and the write that changes one. A policy changes together with a
//! newly sealed value, and no version sealed under the one before it stays. Nothing here opens a value.

use padclock_api::{SecretId, UserId, WorkspaceId, WorkspaceSettings};
use padclock_job::Moment;
use padclock_vault::{EgressPolicy, Sealed};

use crate::audit::{Action, Actor, Detail, Entry};
use crate::error::{Result, StoreError};
use crate::field::fields;
use crate::resolve::{self, SealedSecret};
use crate::secrets::{Seal, put_version};
use crate::tx::{Sql, Tx};
use crate::{Store, body};

static SETTINGS: Sql = Sql::both("SELECT settings FROM workspaces WHERE id = $1");
static SET_EGRESS: Sql = Sql::both("UPDATE secrets SET egress = $1 WHERE id = $2");
static SET_END: Sql = Sql::both("UPDATE secrets SET expires_at = $1 WHERE id = $2");
static DROP_BEFORE: Sql =
    Sql::both("DELETE FROM secret_versions WHERE secret_id = $1 AND version < $2");
/// The version after a policy change holds the value of the one before it: it is as old, and as told of.
static RESEAL: Sql = Sql::both(
    "UPDATE secrets SET version = version + 1, egress = $1, updated_at = $2, revision = revision + 1,
       due_told_version = CASE WHEN due_told_version = version THEN version + 1 ELSE due_told_version END
     WHERE workspace_id = $3 AND id = $4 AND version = $5 AND revision = $6",
);
static SEALED_AT: Sql =
    Sql::both("SELECT created_at FROM secret_versions WHERE secret_id = $1 AND version = $2");
static CURRENT: Sql = Sql::both(
    "SELECT s.workspace_id, s.name, s.id, s.owner_id, s.environment, s.version, s.expires_at, s.egress,
       v.term, v.origin_term, v.wrapped_key, v.ciphertext
     FROM secrets s JOIN secret_versions v ON v.secret_id = s.id AND v.version = s.version
     WHERE s.workspace_id = $1 AND s.id = $2 AND (s.owner_id = $3 OR s.owner_id = $4)",
);

/// Refuses a secret without a policy where the workspace asks for one.
pub(crate) async fn must_have(
    tx: &mut dyn Tx,
    workspace: WorkspaceId,
    policy: Option<&EgressPolicy>,
) -> Result<()> {
    // One that names neither hosts nor agents lets the value go anywhere all the same.
    if policy.is_some_and(|policy| !policy.hosts.is_empty() || !policy.agents.is_empty()) {
        return Ok(());
    }
    let mut row = tx.query(&SETTINGS, fields![workspace]).await?.pop();
    let settings = row.as_mut().ok_or(StoreError::NotFound)?.text(0)?;
    if WorkspaceSettings::of_stored(&settings).require_egress_policy {
        Err(StoreError::PolicyRequired)
    } else {
        Ok(())
    }
}

/// A policy as its column holds it.
pub(crate) fn written(policy: Option<&EgressPolicy>) -> Result<Option<String>> {
    policy
        .map(serde_json::to_string)
        .transpose()
        .map_err(|error| StoreError::Damaged(error.to_string()))
}

/// A policy as the audit tells it.
pub(crate) fn told(policy: Option<&EgressPolicy>) -> Result<Option<String>> {
    Ok(Some(
        written(policy)?.unwrap_or_else(|| "anywhere".to_owned()),
    ))
}

/// Gives a secret another policy, in the transaction that has just made `version`, sealed under it, the current one.
pub(crate) async fn rebind(
    tx: &mut dyn Tx,
    id: SecretId,
    version: u32,
    policy: Option<&EgressPolicy>,
) -> Result<()> {
    tx.execute(&SET_EGRESS, fields![written(policy)?, id])
        .await?;
    tx.execute(&DROP_BEFORE, fields![id, version])
        .await
        .map(drop)
}

/// Counts a secret's time to live anew.
pub(crate) async fn set_end(tx: &mut dyn Tx, id: SecretId, end: Moment) -> Result<()> {
    tx.execute(&SET_END, fields![end, id]).await.map(drop)
}

/// When a secret ends that has `ttl` seconds from `now` on.
pub(crate) fn end(now: i64, ttl: u64) -> Moment {
    let millis = i64::try_from(ttl)
        .unwrap_or(i64::MAX / 1000)
        .saturating_mul(1000);
    Moment::from_millis(now.saturating_add(millis))
}

/// A change of policy: what the audit is told of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change<'a> {
    pub workspace: WorkspaceId,
    pub id: SecretId,
    pub name: &'a str,
    pub version: u32,
    pub before: Option<&'a EgressPolicy>,
    pub after: Option<&'a EgressPolicy>,
}

impl Change<'_> {
    pub fn entry(&self, actor: &Actor, result: &str) -> Result<Entry> {
        let detail = Detail {
            name: Some(self.name.to_owned()),
            version: Some(self.version),
            policy: told(self.after)?,
            policy_before: told(self.before)?,
            result: Some(result.to_owned()),
            ..Detail::default()
        };
        Ok(Entry {
            workspace: self.workspace,
            actor: actor.to_string(),
            action: Action::SecretPolicy,
            target: self.id.to_string(),
            detail,
        })
    }
}

/// The current value, sealed anew under another policy as the next version.
#[derive(Debug)]
pub struct Resealed {
    /// The secret.
    pub secret: SecretId,
    /// The version that it was sealed anew from.
    pub from_version: u32,
    /// The policy that it is sealed under now.
    pub egress: Option<EgressPolicy>,
    /// The sealed value, of the version after `from_version`.
    pub sealed: Sealed,
}

/// Writes a resealed value in place of the one before it; false when the secret is no longer at that version and `revision`.
pub(crate) async fn reseal(
    tx: &mut dyn Tx,
    workspace: WorkspaceId,
    new: &Resealed,
    revision: u32,
) -> Result<bool> {
    let now = tx.now().await?;
    let params = fields![
        written(new.egress.as_ref())?,
        now,
        workspace,
        new.secret,
        new.from_version,
        revision
    ];
    if tx.execute(&RESEAL, params).await? == 0 {
        return Ok(false);
    }
    let version = new.from_version + 1;
    let old = tx
        .query(&SEALED_AT, fields![new.secret, new.from_version])
        .await?;
    let since = old
        .first()
        .ok_or_else(|| StoreError::Damaged("a secret has no value".to_owned()))?
        .int(0)?;
    let seal = Seal {
        id: new.secret,
        version,
        sealed: &new.sealed,
        now: since,
    };
    put_version(tx, seal).await?;
    tx.execute(&DROP_BEFORE, fields![new.secret, version])
        .await?;
    Ok(true)
}

impl Store {
    /// A secret's current version, sealed, and all that its seal is bound to. Whoever opens it must have recorded that before.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the caller may not see it.
    pub async fn sealed_version(
        &self,
        workspace: WorkspaceId,
        id: SecretId,
        caller: UserId,
    ) -> Result<SealedSecret> {
        self.read(body!(|tx| {
            let params = fields![workspace, id, Vec::<u8>::new(), caller];
            tx.query(&CURRENT, params)
                .await?
                .first_mut()
                .map_or(Err(StoreError::NotFound), resolve::decode)
        }))
        .await
    }
}
