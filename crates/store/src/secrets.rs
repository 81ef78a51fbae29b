//! Secrets: metadata and sealed versions. Nothing here can open a value.

mod paging;
mod reveal;
mod row;
mod uses;
mod version;

use padclock_api::secret::{ALL_ENVIRONMENTS, Reveal, SecretPatch};
use padclock_api::{SecretId, UserId, WorkspaceId};
use padclock_vault::{EgressPolicy, Label, Sealed};

use crate::audit::{self, Action, Actor, Detail, Entry};
use crate::error::{Result, StoreError};
use crate::field::{Field, Row, fields};
use crate::keys::LIVE_TERM;
use crate::policies::{self, Change};
use crate::sweep::{self, Namesake};
use crate::tx::{Sql, Tx};
use crate::{Store, body};

pub use paging::{SecretFilter, SecretTimes};
pub use reveal::Revealing;
pub use row::SecretRow;
use row::decode;
pub use uses::USES;

/// A secret to store, its value already sealed as version 1.
#[derive(Debug)]
pub struct NewSecret {
    /// Its id, which the seal is bound to.
    pub id: SecretId,
    /// Its workspace, which the seal is bound to.
    pub workspace: WorkspaceId,
    /// Its owner, for a secret of scope `user`.
    pub owner: Option<UserId>,
    /// How templates name it.
    pub name: String,
    /// The environment it serves.
    pub environment: String,
    /// For people.
    pub description: Option<String>,
    /// Where it may be sent; the seal is bound to it.
    pub egress: Option<EgressPolicy>,
    /// Seconds until it ends.
    pub ttl_seconds: Option<u64>,
    /// Whether it can be read back.
    pub reveal: Reveal,
    /// Whether it is too short to be masked, and was allowed to be.
    pub unmaskable: bool,
    /// Whether it is so short that only its raw form is masked.
    pub short: bool,
    /// After how many days a new value is due.
    pub rotate_every_days: Option<u32>,
    /// The sealed value.
    pub sealed: Sealed,
}

/// A new value for a secret, sealed as version `version`.
#[derive(Debug)]
pub struct NewVersion {
    /// The version that the seal is bound to; it must be the next one.
    pub version: u32,
    /// Whether the value is too short to be masked, and was allowed to be.
    pub unmaskable: bool,
    /// Whether it is so short that only its raw form is masked.
    pub short: bool,
    /// The policy that it is sealed under, when that is to change; `Some(None)`: anywhere. No other version stays then.
    pub egress: Option<Option<EgressPolicy>>,
    /// Seconds until it ends, from now on; absent: as before.
    pub ttl_seconds: Option<u64>,
    /// The sealed value.
    pub sealed: Sealed,
}

macro_rules! select_secret {
    ($rest:literal) => {
        concat!(
            "SELECT s.id, s.name, s.environment, s.created_at, v.term, s.owner_id, s.description, s.egress, s.expires_at, s.reveal, ",
            "s.unmaskable, s.rotate_every_days, s.version, s.updated_at, s.short, s.revision, v.created_at ",
            "FROM secrets s JOIN secret_versions v ON v.secret_id = s.id AND v.version = s.version ",
            $rest
        )
    };
}

static INSERT: Sql = Sql::both(
    "INSERT INTO secrets (id, workspace_id, owner_id, environment, name, version, description, egress, expires_at, reveal, unmaskable, short,
       rotate_every_days, revision, created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, 1, $6, $7, $8, $9, $10, $11, $12, 1, $13, $13)",
);
static INSERT_VERSION: Sql = Sql::both(
    "INSERT INTO secret_versions (secret_id, version, term, origin_term, wrapped_key, ciphertext, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
);
static NEXT_VERSION: Sql = Sql::both(
    "UPDATE secrets SET version = $1, unmaskable = $2, short = $3, updated_at = $4, revision = revision + 1
     WHERE id = $5 AND version = $6",
);
/// Only the current version and the one before it are kept.
static DROP_OLDER: Sql =
    Sql::both("DELETE FROM secret_versions WHERE secret_id = $1 AND version < $2");
static PATCH: Sql = Sql::both(
    "UPDATE secrets SET description = $1, rotate_every_days = $2, updated_at = $3, revision = revision + 1 WHERE id = $4 AND revision = $5",
);
static DELETE: Sql = Sql::both("DELETE FROM secrets WHERE id = $1");
static DELETE_VERSIONS: Sql = Sql::both("DELETE FROM secret_versions WHERE secret_id = $1");
/// Tells every node's cache of sealed values that it is out of date.
pub(crate) static TOUCH: Sql =
    Sql::both("UPDATE workspaces SET secrets_revision = secrets_revision + 1 WHERE id = $1");
static GET: Sql = Sql::both(select_secret!(
    "WHERE s.workspace_id = $1 AND s.id = $2 AND (s.owner_id = $3 OR s.owner_id = $4)"
));
static LIST: Sql = Sql::both(select_secret!(
    "WHERE s.workspace_id = $1 AND s.id > $2 AND (s.owner_id = $3 OR s.owner_id = $4) ORDER BY s.id LIMIT $5"
));
static LIST_OF: Sql = Sql::both(select_secret!(
    "WHERE s.workspace_id = $1 AND s.id > $2 AND (s.owner_id = $3 OR s.owner_id = $4)
       AND (s.environment = $5 OR s.environment = $6) ORDER BY s.id LIMIT $7"
));

static DUE: Sql = Sql::both(select_secret!(
    "WHERE s.workspace_id = $1 AND s.id > $2 AND (s.owner_id = $3 OR s.owner_id = $4) AND s.rotate_every_days IS NOT NULL
     AND v.created_at + s.rotate_every_days * 86400000 <= $5 AND ($6 = '' OR s.environment = $6 OR s.environment = $7) ORDER BY s.id LIMIT $8"
));

static OWN: Sql = Sql::both(select_secret!(
    "WHERE s.workspace_id = $1 AND s.owner_id = $2 ORDER BY s.id"
));

/// Removes a member's own secrets, and says what the audit is to know of it.
pub(crate) async fn delete_own(
    tx: &mut dyn Tx,
    workspace: WorkspaceId,
    owner: UserId,
    actor: &Actor,
) -> Result<Vec<Entry>> {
    let mut deleted = Vec::new();
    for mut row in tx.query(&OWN, fields![workspace, owner]).await? {
        let row = decode(&mut row)?;
        tx.execute(&DELETE, fields![row.secret.id]).await?;
        tx.execute(&DELETE_VERSIONS, fields![row.secret.id]).await?;
        tx.execute(&uses::FORGET, fields![row.secret.id]).await?;
        deleted.push(entry(workspace, actor, Action::SecretDelete, &row));
    }
    tx.execute(&TOUCH, fields![workspace]).await?;
    Ok(deleted)
}

pub(crate) fn owner_bytes(owner: Option<UserId>) -> Field {
    owner.map_or_else(|| Field::Bytes(Vec::new()), Field::from)
}

pub(crate) struct Seal<'s> {
    pub id: SecretId,
    pub version: u32,
    pub sealed: &'s Sealed,
    pub now: i64,
}

pub(crate) async fn put_version(tx: &mut dyn Tx, seal: Seal<'_>) -> Result<()> {
    let Seal {
        id,
        version,
        sealed,
        now,
    } = seal;
    // A node that has not heard of a retirement may still seal under the term: what it sealed would never open again.
    if tx.query(&LIVE_TERM, fields![sealed.term]).await?.is_empty() {
        return Err(StoreError::TermRetired(sealed.term));
    }
    let params = fields![
        id,
        version,
        sealed.term,
        sealed.origin_term,
        sealed.wrapped_key.clone(),
        sealed.ciphertext.clone(),
        now
    ];
    tx.execute(&INSERT_VERSION, params).await.map(drop)
}

/// Tells every node that secrets of a workspace have changed.
pub(crate) async fn touch(tx: &mut dyn Tx, workspace: WorkspaceId) -> Result<()> {
    tx.execute(&TOUCH, fields![workspace]).await.map(drop)
}

/// The secrets whose new value is due, each with the days since; of one environment and of all, or any.
pub(crate) async fn due(
    tx: &mut dyn Tx,
    workspace: WorkspaceId,
    caller: UserId,
    environment: Option<String>,
    (after, limit): (Option<SecretId>, u32),
) -> Result<Vec<SecretRow>> {
    let now = tx.now().await?;
    let after = after.unwrap_or(SecretId::from_bytes([0; 16]));
    let environment = environment.unwrap_or_default();
    let params = fields![
        workspace,
        after,
        Vec::<u8>::new(),
        caller,
        now,
        environment,
        EVERY,
        limit
    ];
    let rows = tx.query(&DUE, params).await?;
    let with_days = |mut row: Row| {
        let mut row = decode(&mut row)?;
        let since = row
            .secret
            .rotation_due_at
            .map(|due| (now - due.millis()) / 86_400_000);
        row.secret.overdue_days = since.and_then(|days| u32::try_from(days).ok());
        Ok(row)
    };
    rows.into_iter().map(with_days).collect()
}

pub(crate) async fn get(
    tx: &mut dyn Tx,
    workspace: WorkspaceId,
    id: SecretId,
    caller: UserId,
) -> Result<SecretRow> {
    let params = fields![workspace, id, Vec::<u8>::new(), caller];
    tx.query(&GET, params)
        .await?
        .first_mut()
        .map_or(Err(StoreError::NotFound), decode)
}

fn entry(workspace: WorkspaceId, actor: &Actor, action: Action, row: &SecretRow) -> Entry {
    let detail = Detail {
        name: Some(row.secret.name.clone()),
        version: Some(row.secret.version),
        ..Detail::default()
    };
    Entry {
        workspace,
        actor: actor.to_string(),
        action,
        target: row.secret.id.to_string(),
        detail,
    }
}

/// Answers the time, and the records of what had to make room.
async fn create(tx: &mut dyn Tx, new: &NewSecret) -> Result<(i64, Vec<Entry>)> {
    let now = tx.now().await?;
    policies::must_have(tx, new.workspace, new.egress.as_ref()).await?;
    let namesake = Namesake {
        workspace: new.workspace,
        name: &new.name,
        environment: &new.environment,
        owner: new.owner,
    };
    let entries = sweep::make_room(tx, namesake, now).await?;
    let expires = new.ttl_seconds.map(|ttl| policies::end(now, ttl));
    let egress = policies::written(new.egress.as_ref())?;
    let params = &[
        new.id.into(),
        new.workspace.into(),
        owner_bytes(new.owner),
        new.environment.clone().into(),
        new.name.clone().into(),
        new.description.clone().into(),
        egress.into(),
        expires.into(),
        (if new.reveal == Reveal::Never {
            "never"
        } else {
            "allowed"
        })
        .into(),
        new.unmaskable.into(),
        new.short.into(),
        new.rotate_every_days.into(),
        now.into(),
    ];
    tx.execute(&INSERT, params)
        .await
        .map_err(|error| match error {
            StoreError::Conflict(_) => StoreError::Conflict("a secret with this name"),
            other => other,
        })?;
    put_version(
        tx,
        Seal {
            id: new.id,
            version: 1,
            sealed: &new.sealed,
            now,
        },
    )
    .await?;
    touch(tx, new.workspace).await?;
    Ok((now, entries))
}

/// What a new value changes beside itself; answers the record of a change of policy.
async fn renew(
    tx: &mut dyn Tx,
    (workspace, actor): (WorkspaceId, &Actor),
    before: &SecretRow,
    new: &NewVersion,
    now: i64,
) -> Result<Option<Entry>> {
    let id = before.secret.id;
    if let Some(ttl) = new.ttl_seconds {
        policies::set_end(tx, id, policies::end(now, ttl)).await?;
    }
    let Some(policy) = &new.egress else {
        return Ok(None);
    };
    policies::must_have(tx, workspace, policy.as_ref()).await?;
    policies::rebind(tx, id, new.version, policy.as_ref()).await?;
    let change = Change {
        workspace,
        id,
        name: &before.secret.name,
        version: new.version,
        before: before.secret.egress.as_ref(),
        after: policy.as_ref(),
    };
    change.entry(actor, "with a new value").map(Some)
}

impl Store {
    /// Stores a new secret.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the name is taken in its environment and scope; [`StoreError::PolicyRequired`].
    pub async fn create_secret(
        &self,
        new: NewSecret,
        actor: Actor,
        caller: UserId,
    ) -> Result<SecretRow> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let (now, mut entries) = create(tx, &new).await?;
            let row = get(tx, new.workspace, new.id, new.owner.unwrap_or(caller)).await?;
            entries.push(entry(new.workspace, &actor, Action::SecretCreate, &row));
            audit::append(tx, keys.derived(Label::Audit), now, entries).await?;
            Ok(row)
        }))
        .await
    }

    /// One secret that the caller may see: the workspace's, or the caller's own.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn get_secret(
        &self,
        workspace: WorkspaceId,
        id: SecretId,
        caller: UserId,
    ) -> Result<SecretRow> {
        self.read(body!(|tx| get(tx, workspace, id, caller).await))
            .await
    }

    /// The secrets that the caller may see, at most `limit` after the one named, oldest first: of every environment, or of
    /// one and of those that serve all.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn list_secrets(
        &self,
        workspace: WorkspaceId,
        caller: UserId,
        environment: Option<&str>,
        (after, limit): (Option<SecretId>, u32),
    ) -> Result<Vec<SecretRow>> {
        let after = after.unwrap_or(SecretId::from_bytes([0; 16]));
        let environment = environment.map(str::to_owned);
        self.read(body!(|tx| {
            let nobody = Vec::<u8>::new();
            let mut rows = match environment {
                None => {
                    let params = fields![workspace, after, nobody, caller, limit];
                    tx.query(&LIST, params).await?
                }
                Some(one) => {
                    let params = fields![workspace, after, nobody, caller, one, EVERY, limit];
                    tx.query(&LIST_OF, params).await?
                }
            };
            rows.iter_mut().map(decode).collect()
        }))
        .await
    }

    /// Makes a sealed value the secret's current version; the one before it stays as the previous.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when `new.version` is no longer the next one; [`StoreError::Ended`]; [`StoreError::PolicyRequired`].
    pub async fn replace_secret(
        &self,
        workspace: WorkspaceId,
        id: SecretId,
        new: NewVersion,
        actor: Actor,
        caller: UserId,
    ) -> Result<SecretRow> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let before = get(tx, workspace, id, caller).await?;
            let now = tx.now().await?;
            if before
                .secret
                .expires_at
                .is_some_and(|end| end.millis() <= now)
            {
                return Err(StoreError::Ended);
            }
            let previous = new.version.checked_sub(1).ok_or(StoreError::Changed)?;
            let params = fields![new.version, new.unmaskable, new.short, now, id, previous];
            if tx.execute(&NEXT_VERSION, params).await? == 0 {
                return Err(StoreError::Changed);
            }
            put_version(
                tx,
                Seal {
                    id,
                    version: new.version,
                    sealed: &new.sealed,
                    now,
                },
            )
            .await?;
            tx.execute(&DROP_OLDER, fields![id, previous]).await?;
            let changed = renew(tx, (workspace, &actor), &before, &new, now).await?;
            touch(tx, workspace).await?;
            let row = get(tx, workspace, id, caller).await?;
            let mut entries = vec![entry(workspace, &actor, Action::SecretReplace, &row)];
            entries.extend(changed);
            audit::append(tx, keys.derived(Label::Audit), now, entries).await?;
            Ok(row)
        }))
        .await
    }

    /// Changes what is known about a secret.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when its revision is no longer `expected`.
    pub async fn patch_secret(
        &self,
        workspace: WorkspaceId,
        id: SecretId,
        patch: SecretPatch,
        expected: Option<u32>,
        actor: Actor,
        caller: UserId,
    ) -> Result<SecretRow> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let SecretRow { secret, revision } = get(tx, workspace, id, caller).await?;
            let description = patch.description.clone().unwrap_or(secret.description);
            let rotate = patch.rotate_every_days.unwrap_or(secret.rotate_every_days);
            let now = tx.now().await?;
            let params = fields![description, rotate, now, id, expected.unwrap_or(revision)];
            if tx.execute(&PATCH, params).await? == 0 {
                return Err(StoreError::Changed);
            }
            let row = get(tx, workspace, id, caller).await?;
            let entry = entry(workspace, &actor, Action::SecretUpdate, &row);
            audit::append(tx, keys.derived(Label::Audit), now, vec![entry]).await?;
            Ok(row)
        }))
        .await
    }

    /// Removes a secret and every sealed version of it. Jobs that name it stay as they are.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn delete_secret(
        &self,
        workspace: WorkspaceId,
        id: SecretId,
        actor: Actor,
        caller: UserId,
    ) -> Result<()> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let row = get(tx, workspace, id, caller).await?;
            let now = tx.now().await?;
            tx.execute(&DELETE, fields![id]).await?;
            tx.execute(&DELETE_VERSIONS, fields![id]).await?;
            tx.execute(&uses::FORGET, fields![id]).await?;
            tx.execute(&TOUCH, fields![workspace]).await?;
            let entry = entry(workspace, &actor, Action::SecretDelete, &row);
            audit::append(tx, keys.derived(Label::Audit), now, vec![entry]).await
        }))
        .await
    }
}

/// The environment column of a secret that serves all.
pub(crate) const EVERY: &str = ALL_ENVIRONMENTS;
