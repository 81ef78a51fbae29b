//! Links that work once: what they open, and what happens when one is used. Only their keyed hash is here. How an
//! invitation is made is in `invitations`.

use padclock_api::{LinkId, UserId, WorkspaceId};
use padclock_job::Moment;
use padclock_vault::Label;

use crate::audit::{self, Action, Actor, Detail, Entry};
use crate::error::{Result, StoreError};
use crate::field::fields;
use crate::tx::{Sql, Tx};
use crate::{Store, body};

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// It makes a member.
    Invitation,
    /// It gives a user a way to sign in.
    SetUp,
}

impl LinkKind {
    fn of(word: &str) -> Result<Self> {
        match word {
            "invitation" => Ok(Self::Invitation),
            "set_up" => Ok(Self::SetUp),
            _ => Err(StoreError::Damaged("a link is of no kind".to_owned())),
        }
    }
}

/// A link that can still be used.
#[derive(Debug, Clone)]
pub struct LinkRow {
    /// Its id.
    pub id: LinkId,
    /// The workspace that it opens.
    pub workspace: WorkspaceId,
    /// That workspace's name.
    pub workspace_name: String,
    /// What it is for.
    pub kind: LinkKind,
    /// Whom it is for, when it is for somebody who is there already.
    pub user: Option<UserId>,
    /// The role that it gives.
    pub role: String,
    /// The e-mail address that it was made for.
    pub email: Option<String>,
}

/// A set-up link to store.
#[derive(Debug)]
pub struct NewSetUpLink {
    /// Its id.
    pub id: LinkId,
    /// Its keyed hash.
    pub lookup: [u8; 32],
    /// How long it can be used, in milliseconds.
    pub lasts: i64,
}

/// Who uses a link.
#[derive(Debug)]
pub enum Joining {
    /// Somebody who gives a name, an address and a password.
    New {
        /// The id of the user, if one has to be made.
        user: UserId,
        /// What they are called.
        name: String,
        /// What they sign in with.
        email: String,
        /// The argon2id hash of their password, in the PHC string format.
        password: String,
    },
    /// A user who is signed in.
    Known(UserId),
}

/// Who has joined what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Joined {
    /// The user.
    pub user: UserId,
    /// The workspace.
    pub workspace: WorkspaceId,
}

static FIND: Sql = Sql::both(
    "SELECT l.id, l.workspace_id, w.name, l.kind, l.user_id, l.role, l.email
     FROM links l JOIN workspaces w ON w.id = l.workspace_id WHERE l.lookup = $1 AND l.expires_at > $2",
);
static USE_UP: Sql = Sql::both("DELETE FROM links WHERE id = $1");
static FIRST_OWNER: Sql = Sql::both(
    "SELECT m.workspace_id, m.user_id FROM members m JOIN workspaces w ON w.id = m.workspace_id
     WHERE m.role = 'owner' ORDER BY w.created_at, w.id, m.created_at LIMIT 1",
);
static DROP_SET_UP: Sql = Sql::both("DELETE FROM links WHERE kind = 'set_up' AND user_id = $1");
static PUT_SET_UP: Sql = Sql::both(
    "INSERT INTO links (id, workspace_id, kind, user_id, role, lookup, created_at, expires_at)
     VALUES ($1, $2, 'set_up', $3, 'owner', $4, $5, $6)",
);
static SET_USER: Sql =
    Sql::both("UPDATE users SET name = $1, email = $2, password = $3 WHERE id = $4");
static END_SESSIONS: Sql = Sql::both("DELETE FROM sessions WHERE user_id = $1");
static PUT_USER: Sql = Sql::both(
    "INSERT INTO users (id, name, email, password, created_at) VALUES ($1, $2, $3, $4, $5)",
);
static PUT_MEMBER: Sql = Sql::both(
    "INSERT INTO members (workspace_id, user_id, role, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
);
static SWEEP: Sql = Sql::both("DELETE FROM links WHERE expires_at <= $1");

async fn find(tx: &mut dyn Tx, lookup: [u8; 32], now: i64) -> Result<Option<LinkRow>> {
    let Some(mut row) = tx.query(&FIND, fields![lookup.to_vec(), now]).await?.pop() else {
        return Ok(None);
    };
    Ok(Some(LinkRow {
        id: row.id(0)?,
        workspace: row.id(1)?,
        workspace_name: row.text(2)?,
        kind: LinkKind::of(&row.text(3)?)?,
        user: row.opt_id(4)?,
        role: row.text(5)?,
        email: row.opt_text(6)?,
    }))
}

fn taken(error: StoreError) -> StoreError {
    match error {
        StoreError::Conflict(_) => StoreError::Conflict("a user with this e-mail address"),
        other => other,
    }
}

/// The user who has joined, made if need be.
async fn joining_user(
    tx: &mut dyn Tx,
    link: &LinkRow,
    joining: Joining,
    now: i64,
) -> Result<UserId> {
    let (fresh, name, email, password) = match joining {
        Joining::Known(user) => return Ok(user),
        Joining::New {
            user,
            name,
            email,
            password,
        } => (user, name, email, password),
    };
    if let Some(user) = link.user {
        tx.execute(&SET_USER, fields![name, email, password, user])
            .await
            .map_err(taken)?;
        // Whoever was signed in with an old password is not any more.
        tx.execute(&END_SESSIONS, fields![user]).await?;
        return Ok(user);
    }
    tx.execute(&PUT_USER, fields![fresh, name, email, password, now])
        .await
        .map_err(taken)?;
    Ok(fresh)
}

async fn accept(
    tx: &mut dyn Tx,
    lookup: [u8; 32],
    joining: Joining,
    now: i64,
) -> Result<(LinkRow, Joined)> {
    let link = find(tx, lookup, now).await?.ok_or(StoreError::NotFound)?;
    // Two who use the link at once: one of them finds it gone.
    if tx.execute(&USE_UP, fields![link.id]).await? == 0 {
        return Err(StoreError::NotFound);
    }
    if link.user.is_some() && matches!(joining, Joining::Known(_)) {
        return Err(StoreError::Conflict("a way to sign in for this user"));
    }
    let user = joining_user(tx, &link, joining, now).await?;
    if link.kind == LinkKind::Invitation {
        let member = fields![link.workspace, user, link.role.clone(), now];
        if tx.execute(&PUT_MEMBER, member).await? == 0 {
            return Err(StoreError::Conflict("the membership"));
        }
    }
    let workspace = link.workspace;
    Ok((link, Joined { user, workspace }))
}

impl Store {
    /// Gives the first owner of `default` a set-up link; an earlier one of theirs ends.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such owner, else when the database can't be written.
    pub async fn put_set_up_link(&self, link: NewSetUpLink) -> Result<Moment> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let owner = tx.query(&FIRST_OWNER, &[]).await?.pop();
            let owner = owner.ok_or(StoreError::NotFound)?;
            let (workspace, user): (WorkspaceId, UserId) = (owner.id(0)?, owner.id(1)?);
            let now = tx.now().await?;
            let end = now.saturating_add(link.lasts);
            tx.execute(&DROP_SET_UP, fields![user]).await?;
            let row = fields![link.id, workspace, user, link.lookup.to_vec(), now, end];
            tx.execute(&PUT_SET_UP, row).await?;
            let entry = Entry {
                workspace,
                actor: Actor::System.to_string(),
                action: Action::LinkCreate,
                target: link.id.to_string(),
                detail: Detail {
                    name: Some("set_up".to_owned()),
                    ..Detail::default()
                },
            };
            audit::append(tx, keys.derived(Label::Audit), now, vec![entry]).await?;
            Ok(Moment::from_millis(end))
        }))
        .await
    }

    /// The link with this keyed hash, if it can still be used.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn find_link(&self, lookup: [u8; 32]) -> Result<Option<LinkRow>> {
        self.read(body!(|tx| {
            let now = tx.now().await?;
            find(tx, lookup, now).await
        }))
        .await
    }

    /// Uses a link up: makes the user if need be, and the member.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it can't be used (any more), [`StoreError::Conflict`] when the address is taken or
    /// the user is a member already; then the link stays.
    pub async fn accept_link(
        &self,
        lookup: [u8; 32],
        joining: Joining,
        from: String,
    ) -> Result<Joined> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let now = tx.now().await?;
            let (link, joined) = accept(tx, lookup, joining, now).await?;
            let entry = Entry {
                workspace: joined.workspace,
                actor: Actor::Stranger { from }.to_string(),
                action: match link.kind {
                    LinkKind::Invitation => Action::MemberJoin,
                    LinkKind::SetUp => Action::MemberSetUp,
                },
                target: joined.user.to_string(),
                detail: Detail {
                    name: Some(link.role),
                    result: Some(link.id.to_string()),
                    ..Detail::default()
                },
            };
            audit::append(tx, keys.derived(Label::Audit), now, vec![entry]).await?;
            Ok(joined)
        }))
        .await
    }
}

/// Removes links whose time is over.
pub(crate) async fn sweep(tx: &mut dyn Tx, now: i64) -> Result<u64> {
    tx.execute(&SWEEP, fields![now]).await
}
