//! What time does to secrets and approvals: those that have ended are wiped, those whose next value is due are told of, once.
//! In small batches, by any node, each of one workspace so that chains are never locked in a ring.

use std::sync::Arc;

use padclock_api::{ApprovalId, SecretId, UserId, WorkspaceId};
use padclock_vault::Label;

use crate::audit::{self, Action, Actor, Detail, Entry};
use crate::error::Result;
use crate::field::{Row, fields};
use crate::secrets::{self, SecretRow};
use crate::tx::{Sql, Tx};
use crate::{Store, body};

/// Rows of one batch.
const BATCH: i64 = 50;

static FIRST_ENDED: Sql = Sql::both(
    "SELECT workspace_id FROM secrets WHERE expires_at IS NOT NULL AND expires_at <= $1 ORDER BY expires_at LIMIT 1",
);
/// One that another transaction holds is left to it.
static ENDED: Sql = Sql::each(
    "SELECT id, name, version FROM secrets WHERE workspace_id = $1 AND expires_at IS NOT NULL AND expires_at <= $2 ORDER BY id LIMIT $3",
    "SELECT id, name, version FROM secrets WHERE workspace_id = $1 AND expires_at IS NOT NULL AND expires_at <= $2 ORDER BY id LIMIT $3
     FOR UPDATE SKIP LOCKED",
);
/// An ended secret that stands in the way of a new one of its name.
static ENDED_NAMESAKE: Sql = Sql::each(
    "SELECT id, name, version FROM secrets WHERE workspace_id = $1 AND name = $2 AND environment = $3 AND owner_id = $4
       AND expires_at IS NOT NULL AND expires_at <= $5",
    "SELECT id, name, version FROM secrets WHERE workspace_id = $1 AND name = $2 AND environment = $3 AND owner_id = $4
       AND expires_at IS NOT NULL AND expires_at <= $5 FOR UPDATE",
);
static DELETE: Sql = Sql::both("DELETE FROM secrets WHERE id = $1");
static DELETE_VERSIONS: Sql = Sql::both("DELETE FROM secret_versions WHERE secret_id = $1");
static DELETE_USES: Sql = Sql::both("DELETE FROM secret_uses WHERE secret_id = $1");

macro_rules! due {
    ($front:literal, $rest:literal) => {
        concat!(
            $front,
            " FROM secrets s JOIN secret_versions v ON v.secret_id = s.id AND v.version = s.version
             WHERE s.rotate_every_days IS NOT NULL AND v.created_at + s.rotate_every_days * 86400000 <= $1 ",
            $rest
        )
    };
}

static FIRST_UNTOLD: Sql = Sql::both(due!(
    "SELECT s.workspace_id",
    "AND coalesce(s.due_told_version, 0) <> s.version ORDER BY s.id LIMIT 1"
));
static UNTOLD: Sql = Sql::each(
    due!(
        "SELECT s.id, s.name, s.version",
        "AND s.workspace_id = $2 AND coalesce(s.due_told_version, 0) <> s.version ORDER BY s.id LIMIT $3"
    ),
    due!(
        "SELECT s.id, s.name, s.version",
        "AND s.workspace_id = $2 AND coalesce(s.due_told_version, 0) <> s.version ORDER BY s.id LIMIT $3 FOR UPDATE OF s SKIP LOCKED"
    ),
);
static TELL: Sql =
    Sql::both("UPDATE secrets SET due_told_version = version WHERE id = $1 AND version = $2");
static COUNT_DUE: Sql = Sql::both(due!("SELECT count(*)", ""));

static FIRST_LATE: Sql = Sql::both(
    "SELECT workspace_id FROM approvals WHERE state = 'pending' AND expires_at <= $1 LIMIT 1",
);
static LATE: Sql = Sql::each(
    "SELECT id FROM approvals WHERE workspace_id = $1 AND state = 'pending' AND expires_at <= $2 ORDER BY id LIMIT $3",
    "SELECT id FROM approvals WHERE workspace_id = $1 AND state = 'pending' AND expires_at <= $2 ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED",
);
static EXPIRE: Sql = Sql::both(
    "UPDATE approvals SET state = 'expired', decided_at = $1 WHERE id = $2 AND state = 'pending'",
);

/// A secret whose next value is due, told for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueSecret {
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// Its id.
    pub id: SecretId,
    /// Its name.
    pub name: String,
    /// The version that is due to be replaced.
    pub version: u32,
}

fn found(row: &mut Row, workspace: WorkspaceId) -> Result<DueSecret> {
    Ok(DueSecret {
        workspace,
        id: row.id(0)?,
        name: row.text(1)?,
        version: row.number(2)?,
    })
}

fn entry(actor: &Actor, action: Action, secret: &DueSecret) -> Entry {
    Entry {
        workspace: secret.workspace,
        actor: actor.to_string(),
        action,
        target: secret.id.to_string(),
        detail: Detail {
            name: Some(secret.name.clone()),
            version: Some(secret.version),
            ..Detail::default()
        },
    }
}

/// Removes a secret, its values and what is known of its use; false when it is gone already.
async fn wipe(tx: &mut dyn Tx, id: SecretId) -> Result<bool> {
    if tx.execute(&DELETE, fields![id]).await? == 0 {
        return Ok(false);
    }
    tx.execute(&DELETE_VERSIONS, fields![id]).await?;
    tx.execute(&DELETE_USES, fields![id]).await?;
    Ok(true)
}

async fn wipe_all(
    tx: &mut dyn Tx,
    workspace: WorkspaceId,
    rows: &mut [Row],
    actor: &Actor,
) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for row in rows {
        let ended = found(row, workspace)?;
        if wipe(tx, ended.id).await? {
            entries.push(entry(actor, Action::SecretExpire, &ended));
        }
    }
    if !entries.is_empty() {
        secrets::touch(tx, workspace).await?;
    }
    Ok(entries)
}

/// Whose name a new secret is to have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Namesake<'a> {
    pub workspace: WorkspaceId,
    pub name: &'a str,
    pub environment: &'a str,
    pub owner: Option<UserId>,
}

/// Wipes the ended secret, if there is one, that still has a name which is needed. The records are the caller's to append.
pub(crate) async fn make_room(tx: &mut dyn Tx, of: Namesake<'_>, now: i64) -> Result<Vec<Entry>> {
    let params = fields![
        of.workspace,
        of.name.to_owned(),
        of.environment.to_owned(),
        secrets::owner_bytes(of.owner),
        now
    ];
    let mut rows = tx.query(&ENDED_NAMESAKE, params).await?;
    wipe_all(tx, of.workspace, &mut rows, &Actor::System).await
}

async fn workspace_of(tx: &mut dyn Tx, sql: &'static Sql, now: i64) -> Result<Option<WorkspaceId>> {
    tx.query(sql, fields![now])
        .await?
        .first()
        .map(|row| row.id(0))
        .transpose()
}

async fn tell(
    tx: &mut dyn Tx,
    workspace: WorkspaceId,
    now: i64,
    actor: &Actor,
) -> Result<(Vec<DueSecret>, Vec<Entry>)> {
    let (mut told, mut entries) = (Vec::new(), Vec::new());
    for mut row in tx.query(&UNTOLD, fields![now, workspace, BATCH]).await? {
        let due = found(&mut row, workspace)?;
        if tx.execute(&TELL, fields![due.id, due.version]).await? > 0 {
            entries.push(entry(actor, Action::SecretRotationDue, &due));
            told.push(due);
        }
    }
    Ok((told, entries))
}

async fn expire(
    tx: &mut dyn Tx,
    workspace: WorkspaceId,
    now: i64,
    actor: &Actor,
) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for row in tx.query(&LATE, fields![workspace, now, BATCH]).await? {
        let id: ApprovalId = row.id(0)?;
        if tx.execute(&EXPIRE, fields![now, id]).await? > 0 {
            entries.push(Entry {
                workspace,
                actor: actor.to_string(),
                action: Action::ApprovalExpire,
                target: id.to_string(),
                detail: Detail::default(),
            });
        }
    }
    Ok(entries)
}

impl Store {
    /// Wipes a batch of secrets that have ended: values and metadata, so that their names are free again. Answers how many;
    /// each is wiped, and audited, by one node.
    ///
    /// # Errors
    /// When the database can't be written, or the chain is locked.
    pub async fn wipe_ended_secrets(&self, node: Arc<str>) -> Result<usize> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let now = tx.now().await?;
            let Some(workspace) = workspace_of(tx, &FIRST_ENDED, now).await? else {
                return Ok(0);
            };
            let mut rows = tx.query(&ENDED, fields![workspace, now, BATCH]).await?;
            let entries = wipe_all(tx, workspace, &mut rows, &Actor::Node(node)).await?;
            let wiped = entries.len();
            audit::append(tx, keys.derived(Label::Audit), now, entries).await?;
            Ok(wiped)
        }))
        .await
    }

    /// Ends a batch of approvals that nobody decided on in time; answers how many.
    ///
    /// # Errors
    /// When the database can't be written, or the chain is locked.
    pub async fn expire_approvals(&self, node: Arc<str>) -> Result<usize> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let now = tx.now().await?;
            let Some(workspace) = workspace_of(tx, &FIRST_LATE, now).await? else {
                return Ok(0);
            };
            let entries = expire(tx, workspace, now, &Actor::Node(node)).await?;
            let expired = entries.len();
            audit::append(tx, keys.derived(Label::Audit), now, entries).await?;
            Ok(expired)
        }))
        .await
    }

    /// A batch of secrets whose next value has become due: each is answered, and audited, once per version.
    ///
    /// # Errors
    /// When the database can't be written, or the chain is locked.
    pub async fn tell_due_secrets(&self, node: Arc<str>) -> Result<Vec<DueSecret>> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let now = tx.now().await?;
            let Some(workspace) = workspace_of(tx, &FIRST_UNTOLD, now).await? else {
                return Ok(Vec::new());
            };
            let (told, entries) = tell(tx, workspace, now, &Actor::Node(node)).await?;
            audit::append(tx, keys.derived(Label::Audit), now, entries).await?;
            Ok(told)
        }))
        .await
    }

    /// How many secrets of all workspaces have a new value due.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn count_due_secrets(&self) -> Result<i64> {
        self.read(body!(|tx| {
            let now = tx.now().await?;
            tx.query(&COUNT_DUE, fields![now])
                .await?
                .first()
                .map_or(Ok(0), |row| row.int(0))
        }))
        .await
    }

    /// The secrets that the caller may see and whose new value is due, after the one named, each with the days since.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn list_due_secrets(
        &self,
        workspace: WorkspaceId,
        caller: UserId,
        environment: Option<&str>,
        page: (Option<SecretId>, u32),
    ) -> Result<Vec<SecretRow>> {
        let environment = environment.map(str::to_owned);
        self.read(body!(|tx| {
            secrets::due(tx, workspace, caller, environment, page).await
        }))
        .await
    }
}
