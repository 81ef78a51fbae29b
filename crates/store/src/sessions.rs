//! Accounts that sign in by password, and the sessions that this opens. Only a session's keyed hash is here, and of a
//! password its argon2id hash.

use padclock_api::{SessionId, UserId, WorkspaceId};
use padclock_vault::Label;

use crate::audit::{self, Action, Actor, Credential, Detail, Entry};
use crate::error::Result;
use crate::field::fields;
use crate::tx::{Sql, Tx};
use crate::{Store, body, links, pairings};

/// A user who can sign in.
#[derive(Debug, Clone)]
pub struct Account {
    /// The user.
    pub user: UserId,
    /// The hash of the password, in the PHC string format.
    pub password: String,
    /// The workspaces of which they are a member, the one they joined first being first.
    pub workspaces: Vec<WorkspaceId>,
}

/// A session to open.
#[derive(Debug)]
pub struct NewSession {
    /// Its id.
    pub id: SessionId,
    /// Its keyed hash.
    pub lookup: [u8; 32],
    /// Who has signed in.
    pub user: UserId,
    /// The workspace that it opens.
    pub workspace: WorkspaceId,
    /// How long it lasts at most, in milliseconds.
    pub lasts: i64,
}

/// A session and whom it stands for.
#[derive(Debug, Clone)]
pub struct SessionRow {
    /// Its id.
    pub id: SessionId,
    /// The workspace that it opens.
    pub workspace: WorkspaceId,
    /// That workspace's name.
    pub workspace_name: String,
    /// The member.
    pub user: UserId,
    /// The member's name.
    pub user_name: String,
    /// The member's role.
    pub role: String,
    /// Permissions beyond the role's, as words.
    pub grants: String,
}

/// How long a session may go unused, in milliseconds: twelve hours.
const IDLE: i64 = 12 * 3_600_000;
/// How exactly it is known when a session was last used, in milliseconds: to the minute.
const SEEN: i64 = 60_000;

static ACCOUNT: Sql =
    Sql::both("SELECT id, password FROM users WHERE email = $1 AND password IS NOT NULL");
static WORKSPACES: Sql = Sql::both(
    "SELECT workspace_id FROM members WHERE user_id = $1 ORDER BY created_at, workspace_id",
);
static PUT: Sql = Sql::both(
    "INSERT INTO sessions (id, lookup, user_id, workspace_id, created_at, seen_at, expires_at) VALUES ($1, $2, $3, $4, $5, $5, $6)",
);
static FIND: Sql = Sql::both(
    "SELECT s.id, s.workspace_id, w.name, s.user_id, u.name, m.role, m.grants, s.seen_at
     FROM sessions s
     JOIN workspaces w ON w.id = s.workspace_id
     JOIN users u ON u.id = s.user_id
     JOIN members m ON m.workspace_id = s.workspace_id AND m.user_id = s.user_id
     WHERE s.lookup = $1 AND s.expires_at > $2 AND s.seen_at > $3",
);
static TOUCH: Sql = Sql::both("UPDATE sessions SET seen_at = $1 WHERE id = $2");
static CLOSE: Sql = Sql::both("DELETE FROM sessions WHERE id = $1");
static SWEEP: Sql = Sql::both("DELETE FROM sessions WHERE expires_at <= $1 OR seen_at <= $2");

fn entry(workspace: WorkspaceId, actor: &Actor, action: Action, target: String) -> Entry {
    Entry {
        workspace,
        actor: actor.to_string(),
        action,
        target,
        detail: Detail::default(),
    }
}

impl Store {
    /// The account that signs in with this e-mail address, in lower case.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn find_account(&self, email: String) -> Result<Option<Account>> {
        self.read(body!(|tx| {
            let Some(mut row) = tx.query(&ACCOUNT, fields![email]).await?.pop() else {
                return Ok(None);
            };
            let user = row.id(0)?;
            let workspaces = tx.query(&WORKSPACES, fields![user]).await?;
            Ok(Some(Account {
                user,
                password: row.text(1)?,
                workspaces: workspaces
                    .iter()
                    .map(|row| row.id(0))
                    .collect::<Result<_>>()?,
            }))
        }))
        .await
    }

    /// Opens a session for somebody who has shown their password.
    ///
    /// # Errors
    /// When the database can't be written, or the chain is locked.
    pub async fn open_session(&self, new: NewSession, from: String) -> Result<()> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let now = tx.now().await?;
            let end = now.saturating_add(new.lasts);
            let row = fields![
                new.id,
                new.lookup.to_vec(),
                new.user,
                new.workspace,
                now,
                end
            ];
            tx.execute(&PUT, row).await?;
            let actor = Actor::Member {
                user: new.user,
                by: Credential::Session(new.id),
                from,
            };
            let entry = entry(
                new.workspace,
                &actor,
                Action::SessionOpen,
                new.id.to_string(),
            );
            audit::append(tx, keys.derived(Label::Audit), now, vec![entry]).await
        }))
        .await
    }

    /// Records that somebody tried to sign in as this user and failed.
    ///
    /// # Errors
    /// When the database can't be written, or the chain is locked.
    pub async fn refuse_session(
        &self,
        workspace: WorkspaceId,
        user: UserId,
        from: String,
    ) -> Result<()> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let now = tx.now().await?;
            let actor = Actor::Stranger { from };
            let entry = entry(workspace, &actor, Action::SessionRefused, user.to_string());
            audit::append(tx, keys.derived(Label::Audit), now, vec![entry]).await
        }))
        .await
    }

    /// The session with this keyed hash, as long as it lasts and its user is a member.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn find_session(&self, lookup: [u8; 32]) -> Result<Option<SessionRow>> {
        let found = self
            .read(body!(|tx| {
                let now = tx.now().await?;
                let params = fields![lookup.to_vec(), now, now - IDLE];
                let Some(mut row) = tx.query(&FIND, params).await?.pop() else {
                    return Ok(None);
                };
                let stale = row.int(7)? + SEEN <= now;
                let row = SessionRow {
                    id: row.id(0)?,
                    workspace: row.id(1)?,
                    workspace_name: row.text(2)?,
                    user: row.id(3)?,
                    user_name: row.text(4)?,
                    role: row.text(5)?,
                    grants: row.text(6)?,
                };
                Ok(Some((row, stale)))
            }))
            .await?;
        let Some((row, stale)) = found else {
            return Ok(None);
        };
        if stale {
            let id = row.id;
            self.write(body!(|tx| {
                let now = tx.now().await?;
                tx.execute(&TOUCH, fields![now, id]).await
            }))
            .await?;
        }
        Ok(Some(row))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the database can't be written, or the chain is locked.
    pub async fn close_session(
        &self,
        workspace: WorkspaceId,
        id: SessionId,
        actor: Actor,
    ) -> Result<()> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            if tx.execute(&CLOSE, fields![id]).await? == 0 {
                return Ok(());
            }
            let now = tx.now().await?;
            let entry = entry(workspace, &actor, Action::SessionClose, id.to_string());
            audit::append(tx, keys.derived(Label::Audit), now, vec![entry]).await
        }))
        .await
    }

    /// Removes links, sessions and pairings whose time is over; answers how many.
    ///
    /// # Errors
    /// When the database can't be written.
    pub async fn sweep_access(&self) -> Result<u64> {
        self.write(body!(|tx| {
            let now = tx.now().await?;
            let over = sweep(tx, now).await?;
            Ok(over + links::sweep(tx, now).await? + pairings::sweep(tx, now).await?)
        }))
        .await
    }
}

async fn sweep(tx: &mut dyn Tx, now: i64) -> Result<u64> {
    tx.execute(&SWEEP, fields![now, now - IDLE]).await
}
