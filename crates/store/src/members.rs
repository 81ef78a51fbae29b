//! Members: who is in a workspace, with which role. The rules about owners stand here, since two admins may act at once.

use padclock_api::member::{Member, Role};
use padclock_api::{UserId, WorkspaceId};
use padclock_vault::Label;

use crate::audit::{self, Action, Actor, Detail, Entry};
use crate::error::{Result, StoreError};
use crate::field::{Row, fields};
use crate::tx::{Sql, Tx};
use crate::{Store, body, invitations, secrets};

/// Who changes members, and how much of an owner they are.
#[derive(Debug, Clone)]
pub struct By {
    /// The member.
    pub user: UserId,
    /// Whether the credential has all that an owner has: a narrowed one of an owner's has not.
    pub owner: bool,
    /// As the audit names them.
    pub actor: Actor,
}

/// A service member to store.
#[derive(Debug, Clone)]
pub struct NewMember {
    /// Its id.
    pub user: UserId,
    /// What it is called.
    pub name: String,
    /// What it may do.
    pub role: Role,
}

/// What shall be another way; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct MemberChange {
    /// The new role.
    pub role: Option<Role>,
    /// The new grants, as words with a space between them.
    pub grants: Option<String>,
}

macro_rules! select_member {
    ($rest:literal) => {
        concat!(
            "SELECT m.user_id, u.name, u.email, u.service, m.role, m.grants, m.created_at ",
            "FROM members m JOIN users u ON u.id = m.user_id ",
            $rest
        )
    };
}

static GET: Sql = Sql::both(select_member!(
    "WHERE m.workspace_id = $1 AND m.user_id = $2"
));
static LIST: Sql = Sql::both(select_member!(
    "WHERE m.workspace_id = $1 AND m.user_id > $2 ORDER BY m.user_id LIMIT $3"
));
static PUT_USER: Sql =
    Sql::both("INSERT INTO users (id, name, created_at, service) VALUES ($1, $2, $3, $4)");
static PUT: Sql = Sql::both(
    "INSERT INTO members (workspace_id, user_id, role, created_at) VALUES ($1, $2, $3, $4)",
);
static UPDATE: Sql =
    Sql::both("UPDATE members SET role = $1, grants = $2 WHERE workspace_id = $3 AND user_id = $4");
static DELETE: Sql = Sql::both("DELETE FROM members WHERE workspace_id = $1 AND user_id = $2");
static OWNERS: Sql =
    Sql::both("SELECT count(*) FROM members WHERE workspace_id = $1 AND role = 'owner'");
/// One change of a workspace's members at a time: each sees what the one before it did.
static LOCK: Sql = Sql::each(
    "SELECT id FROM workspaces WHERE id = $1",
    "SELECT id FROM workspaces WHERE id = $1 FOR UPDATE",
);
static TOKENS: Sql =
    Sql::both("SELECT id, name FROM tokens WHERE workspace_id = $1 AND user_id = $2");
static END_TOKENS: Sql = Sql::both("DELETE FROM tokens WHERE workspace_id = $1 AND user_id = $2");
static END_SESSIONS: Sql =
    Sql::both("DELETE FROM sessions WHERE workspace_id = $1 AND user_id = $2");
static END_PAIRINGS: Sql =
    Sql::both("DELETE FROM pairings WHERE workspace_id = $1 AND user_id = $2");

fn decode(row: &mut Row) -> Result<Member> {
    let role = Role::of(&row.text(4)?)
        .ok_or_else(|| StoreError::Damaged("a member's role is no role".to_owned()))?;
    Ok(Member {
        user_id: row.id(0)?,
        name: row.text(1)?,
        email: row.opt_text(2)?,
        service: row.flag(3)?,
        role,
        grants: words(&row.text(5)?),
        created_at: row.moment(6)?,
    })
}

/// Words that are stored with a space between them.
pub(crate) fn words(text: &str) -> Vec<String> {
    text.split_ascii_whitespace().map(str::to_owned).collect()
}

pub(crate) async fn get(tx: &mut dyn Tx, workspace: WorkspaceId, user: UserId) -> Result<Member> {
    tx.query(&GET, fields![workspace, user])
        .await?
        .first_mut()
        .map_or(Err(StoreError::NotFound), decode)
}

/// Makes a user a member of a workspace.
pub(crate) async fn put(
    tx: &mut dyn Tx,
    (workspace, now): (WorkspaceId, i64),
    user: UserId,
    role: Role,
) -> Result<()> {
    tx.execute(&PUT, fields![workspace, user, role.word(), now])
        .await
        .map(drop)
}

/// Takes the lock of a workspace's members, and tells whether whoever acts is still an admin or an owner there.
pub(crate) async fn acting(tx: &mut dyn Tx, workspace: WorkspaceId, by: &By) -> Result<Member> {
    tx.query(&LOCK, fields![workspace]).await?;
    let member = get(tx, workspace, by.user).await;
    match member {
        Ok(member) if member.role >= Role::Admin => Ok(member),
        Ok(_) | Err(StoreError::NotFound) => Err(StoreError::Forbidden(
            "only an admin or an owner can do that",
        )),
        Err(error) => Err(error),
    }
}

/// Refuses unless an owner acts, by a credential that has all that an owner has.
pub(crate) fn owner_only(acting: &Member, by: &By, why: &'static str) -> Result<()> {
    if acting.role == Role::Owner && by.owner {
        Ok(())
    } else {
        Err(StoreError::Forbidden(why))
    }
}

/// An admin who could make another one would be their own second admin, where two have to agree.
pub(crate) fn admins_by_owners(acting: &Member, by: &By, role: Role) -> Result<()> {
    if role == Role::Admin {
        owner_only(acting, by, "only an owner can make an admin")?;
    }
    Ok(())
}

async fn not_the_last_owner(
    tx: &mut dyn Tx,
    workspace: WorkspaceId,
    member: &Member,
) -> Result<()> {
    let rows = tx.query(&OWNERS, fields![workspace]).await?;
    let owners = rows.first().map_or(Ok(0), |row| row.int(0))?;
    if member.role == Role::Owner && owners <= 1 {
        return Err(StoreError::Blocked(
            "this is the last owner of the workspace; make another member an owner first",
        ));
    }
    Ok(())
}

fn entry(workspace: WorkspaceId, by: &By, action: Action, member: &Member) -> Entry {
    let grants = member.grants.join(" ");
    Entry {
        workspace,
        actor: by.actor.to_string(),
        action,
        target: member.user_id.to_string(),
        detail: Detail {
            name: Some(member.name.clone()),
            role: Some(member.role.word()),
            permissions: Some(grants).filter(|grants| !grants.is_empty()),
            ..Detail::default()
        },
    }
}

/// What a member becomes, if that may be.
fn changed(acting: &Member, by: &By, before: &Member, change: &MemberChange) -> Result<Member> {
    let role = change.role.unwrap_or(before.role);
    if role != before.role {
        if role == Role::Owner || before.role == Role::Owner {
            owner_only(acting, by, "only an owner can make or change an owner")?;
        }
        admins_by_owners(acting, by, role)?;
        if role == Role::Owner && before.service {
            return Err(StoreError::Blocked("a service member can't be an owner"));
        }
    }
    let given = change.grants.as_deref().map(words);
    let new = |word: &String| !before.grants.contains(word);
    if given.iter().flatten().any(new) {
        owner_only(acting, by, "only an owner can grant secrets:reveal")?;
    }
    if role == Role::Viewer && given.as_ref().is_some_and(|words| !words.is_empty()) {
        return Err(StoreError::Blocked(
            "a viewer can't be granted secrets:reveal; make them an editor first",
        ));
    }
    // What was granted to an editor does not come back by itself when a viewer is made one again.
    let kept = if role == Role::Viewer {
        Vec::new()
    } else {
        before.grants.clone()
    };
    Ok(Member {
        role,
        grants: given.unwrap_or(kept),
        ..before.clone()
    })
}

/// Ends what lets a member in, and tells the audit which tokens those were.
async fn end_credentials(
    tx: &mut dyn Tx,
    workspace: WorkspaceId,
    user: UserId,
    by: &By,
) -> Result<Vec<Entry>> {
    let mut ended = Vec::new();
    for mut row in tx.query(&TOKENS, fields![workspace, user]).await? {
        let id: padclock_api::TokenId = row.id(0)?;
        ended.push(Entry {
            workspace,
            actor: by.actor.to_string(),
            action: Action::TokenRevoke,
            target: id.to_string(),
            detail: Detail {
                name: Some(row.text(1)?),
                ..Detail::default()
            },
        });
    }
    for sql in [&END_TOKENS, &END_SESSIONS, &END_PAIRINGS] {
        tx.execute(sql, fields![workspace, user]).await?;
    }
    ended.extend(invitations::end_of(tx, workspace, user, &by.actor).await?);
    Ok(ended)
}

async fn remove(
    tx: &mut dyn Tx,
    workspace: WorkspaceId,
    user: UserId,
    by: &By,
) -> Result<Vec<Entry>> {
    let acting = acting(tx, workspace, by).await?;
    let member = get(tx, workspace, user).await?;
    if member.role == Role::Owner {
        owner_only(&acting, by, "only an owner can remove an owner")?;
        not_the_last_owner(tx, workspace, &member).await?;
    }
    let mut entries = end_credentials(tx, workspace, user, by).await?;
    entries.extend(secrets::delete_own(tx, workspace, user, &by.actor).await?);
    tx.execute(&DELETE, fields![workspace, user]).await?;
    entries.push(entry(workspace, by, Action::MemberRemove, &member));
    Ok(entries)
}

impl Store {
    /// One member.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn get_member(&self, workspace: WorkspaceId, user: UserId) -> Result<Member> {
        self.read(body!(|tx| get(tx, workspace, user).await)).await
    }

    /// The members after the one named, longest known first.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn list_members(
        &self,
        workspace: WorkspaceId,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Vec<Member>> {
        let after = after.unwrap_or(UserId::from_bytes([0; 16]));
        self.read(body!(|tx| {
            let mut rows = tx.query(&LIST, fields![workspace, after, limit]).await?;
            rows.iter_mut().map(decode).collect()
        }))
        .await
    }

    /// Makes a service member.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`] when whoever acts is no admin any more, [`StoreError::Blocked`] for the role of an owner.
    pub async fn create_service_member(
        &self,
        workspace: WorkspaceId,
        new: NewMember,
        by: By,
    ) -> Result<Member> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let acting = acting(tx, workspace, &by).await?;
            if new.role == Role::Owner {
                return Err(StoreError::Blocked("a service member can't be an owner"));
            }
            admins_by_owners(&acting, &by, new.role)?;
            let now = tx.now().await?;
            tx.execute(&PUT_USER, fields![new.user, new.name.clone(), now, true])
                .await?;
            put(tx, (workspace, now), new.user, new.role).await?;
            let member = get(tx, workspace, new.user).await?;
            let entry = entry(workspace, &by, Action::MemberCreate, &member);
            audit::append(tx, keys.derived(Label::Audit), now, vec![entry]).await?;
            Ok(member)
        }))
        .await
    }

    /// Changes a member's role and grants. What a member may do no more, their tokens and sessions may no more at once;
    /// invitations that they made end when they may make none.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Forbidden`] when an owner has to do it; [`StoreError::Blocked`] for the last
    /// owner, and for what a role can't have.
    pub async fn change_member(
        &self,
        workspace: WorkspaceId,
        user: UserId,
        change: MemberChange,
        by: By,
    ) -> Result<Member> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let acting = acting(tx, workspace, &by).await?;
            let before = get(tx, workspace, user).await?;
            let member = changed(&acting, &by, &before, &change)?;
            if member.role != before.role {
                not_the_last_owner(tx, workspace, &before).await?;
            }
            let grants = member.grants.join(" ");
            tx.execute(
                &UPDATE,
                fields![member.role.word(), grants, workspace, user],
            )
            .await?;
            let mut entries = vec![entry(workspace, &by, Action::MemberUpdate, &member)];
            if member.role < before.role {
                entries.extend(invitations::end_of(tx, workspace, user, &by.actor).await?);
            }
            let now = tx.now().await?;
            audit::append(tx, keys.derived(Label::Audit), now, entries).await?;
            Ok(member)
        }))
        .await
    }

    /// Removes a member: their tokens, sessions and unused invitations end, and their own secrets of this workspace are
    /// deleted. Their jobs stay, and name the workspace's secrets alone from then on.
    ///
    /// # Errors
    /// As [`Store::change_member`].
    pub async fn remove_member(&self, workspace: WorkspaceId, user: UserId, by: By) -> Result<()> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let entries = remove(tx, workspace, user, &by).await?;
            let now = tx.now().await?;
            audit::append(tx, keys.derived(Label::Audit), now, entries).await
        }))
        .await
    }
}
