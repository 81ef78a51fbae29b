//! Workspaces: their names and settings, and how a new one begins.

use padclock_api::member::Role;
use padclock_api::workspace::{SettingsPatch, Workspace, WorkspaceSettings};
use padclock_api::{UserId, WorkspaceId};
use padclock_vault::Label;

use crate::access::NewToken;
use crate::audit::{self, Action, Actor, Detail, Entry};
use crate::error::{Result, StoreError};
use crate::field::{Row, fields};
use crate::tokens::{self, Narrowed, TokenOf};
use crate::tx::{Sql, Tx};
use crate::{Store, body, members};

/// A workspace to make, with its maker as the owner.
#[derive(Debug, Clone)]
pub struct NewWorkspace {
    /// Its id.
    pub id: WorkspaceId,
    /// Its name.
    pub name: String,
    /// What it asks of its secrets and jobs.
    pub settings: WorkspaceSettings,
    /// Who makes it.
    pub owner: UserId,
    /// A token of theirs for it.
    pub token: Option<NewToken>,
}

macro_rules! select_workspace {
    ($rest:literal) => {
        concat!(
            "SELECT w.id, w.name, m.role, w.settings, w.created_at FROM workspaces w ",
            "JOIN members m ON m.workspace_id = w.id WHERE m.user_id = $1 ",
            $rest
        )
    };
}

static SETTINGS: Sql = Sql::both("SELECT settings FROM workspaces WHERE id = $1");
static GET: Sql = Sql::both(select_workspace!("AND w.id = $2"));
static LIST: Sql = Sql::both(select_workspace!("AND w.id > $2 ORDER BY w.id LIMIT $3"));
static INSERT: Sql =
    Sql::both("INSERT INTO workspaces (id, name, settings, created_at) VALUES ($1, $2, $3, $4)");
static UPDATE: Sql = Sql::both("UPDATE workspaces SET name = $1, settings = $2 WHERE id = $3");
/// Two changes at once: the second sees what the first did.
static LOCK: Sql = Sql::each(
    SETTINGS.sqlite,
    "SELECT settings FROM workspaces WHERE id = $1 FOR UPDATE",
);

fn decode(row: &mut Row) -> Result<Workspace> {
    let role = Role::of(&row.text(2)?)
        .ok_or_else(|| StoreError::Damaged("a member's role is no role".to_owned()))?;
    Ok(Workspace {
        id: row.id(0)?,
        name: row.text(1)?,
        role,
        settings: row.json(3)?,
        created_at: row.moment(4)?,
    })
}

async fn settings(tx: &mut dyn Tx, workspace: WorkspaceId) -> Result<WorkspaceSettings> {
    let mut rows = tx.query(&SETTINGS, fields![workspace]).await?;
    rows.first_mut().ok_or(StoreError::NotFound)?.json(0)
}

async fn get(tx: &mut dyn Tx, workspace: WorkspaceId, user: UserId) -> Result<Workspace> {
    tx.query(&GET, fields![user, workspace])
        .await?
        .first_mut()
        .map_or(Err(StoreError::NotFound), decode)
}

fn written(settings: WorkspaceSettings) -> Result<String> {
    serde_json::to_string(&settings).map_err(|error| StoreError::Damaged(error.to_string()))
}

fn named(error: StoreError) -> StoreError {
    match error {
        StoreError::Conflict(_) => StoreError::Conflict("a workspace of this name"),
        other => other,
    }
}

/// Which settings are what, as the audit keeps it: words of ours, nothing of a caller's.
fn told(settings: WorkspaceSettings) -> String {
    let WorkspaceSettings {
        require_egress_policy,
        refuse_plaintext_secrets,
        on_unresolved,
    } = settings;
    format!(
        "require_egress_policy {require_egress_policy}, refuse_plaintext_secrets {refuse_plaintext_secrets}, on_unresolved {}",
        match on_unresolved {
            padclock_job::OnUnresolved::Send => "send",
            padclock_job::OnUnresolved::Fail => "fail",
        }
    )
}

fn entry(actor: &Actor, action: Action, workspace: &Workspace) -> Entry {
    Entry {
        workspace: workspace.id,
        actor: actor.to_string(),
        action,
        target: workspace.id.to_string(),
        detail: Detail {
            name: Some(workspace.name.clone()),
            result: Some(told(workspace.settings)),
            ..Detail::default()
        },
    }
}

impl Store {
    /// What a workspace asks of its secrets and jobs.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn workspace_settings(&self, workspace: WorkspaceId) -> Result<WorkspaceSettings> {
        self.read(body!(|tx| settings(tx, workspace).await)).await
    }

    /// A workspace, as this member of it sees it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] also when they are no member.
    pub async fn get_workspace(&self, workspace: WorkspaceId, user: UserId) -> Result<Workspace> {
        self.read(body!(|tx| get(tx, workspace, user).await)).await
    }

    /// The workspaces that a user is a member of, after the one named, oldest first.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn list_workspaces(
        &self,
        user: UserId,
        after: Option<WorkspaceId>,
        limit: u32,
    ) -> Result<Vec<Workspace>> {
        let after = after.unwrap_or(WorkspaceId::from_bytes([0; 16]));
        self.read(body!(|tx| {
            let mut rows = tx.query(&LIST, fields![user, after, limit]).await?;
            rows.iter_mut().map(decode).collect()
        }))
        .await
    }

    /// Makes a workspace, its audit chain and its owner. The chain's first records are those of its beginning.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the name is taken.
    pub async fn create_workspace(&self, new: NewWorkspace, actor: Actor) -> Result<Workspace> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let now = tx.now().await?;
            let params = fields![new.id, new.name.clone(), written(new.settings)?, now];
            tx.execute(&INSERT, params).await.map_err(named)?;
            members::put(tx, (new.id, now), new.owner, Role::Owner).await?;
            audit::start_chain(tx, new.id).await?;
            let workspace = get(tx, new.id, new.owner).await?;
            let mut entries = vec![entry(&actor, Action::WorkspaceCreate, &workspace)];
            if let Some(token) = &new.token {
                let token = TokenOf {
                    workspace: new.id,
                    user: new.owner,
                    token,
                    narrowed: &Narrowed::default(),
                };
                entries.push(tokens::put(tx, now, token, &actor).await?);
            }
            audit::append(tx, keys.derived(Label::Audit), now, entries).await?;
            Ok(workspace)
        }))
        .await
    }

    /// Changes a workspace's name and settings; the answer is as this member sees it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] when the name is taken.
    pub async fn change_workspace(
        &self,
        workspace: WorkspaceId,
        (name, change): (Option<String>, SettingsPatch),
        user: UserId,
        actor: Actor,
    ) -> Result<Workspace> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            tx.query(&LOCK, fields![workspace]).await?;
            let before = get(tx, workspace, user).await?;
            let settings = change.applied_to(before.settings);
            let after = Workspace {
                name: name.unwrap_or(before.name),
                settings,
                ..before
            };
            let params = fields![after.name.clone(), written(settings)?, workspace];
            tx.execute(&UPDATE, params).await.map_err(named)?;
            let now = tx.now().await?;
            let entry = entry(&actor, Action::WorkspaceUpdate, &after);
            audit::append(tx, keys.derived(Label::Audit), now, vec![entry]).await?;
            Ok(after)
        }))
        .await
    }
}
