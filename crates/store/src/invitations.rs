//! Invitations: rows of `links` that make a member of whoever accepts them. Accepting one is `links`' matter.

use padclock_api::invitation::Invitation;
use padclock_api::member::Role;
use padclock_api::{LinkId, UserId, WorkspaceId};
use padclock_vault::Label;

use crate::audit::{self, Action, Actor, Detail, Entry};
use crate::error::{Result, StoreError};
use crate::field::{Row, fields};
use crate::members::{self, By};
use crate::tx::{Sql, Tx};
use crate::{Store, body};

/// An invitation to store: never its token, only the token's keyed hash.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    /// Its id.
    pub id: LinkId,
    /// The keyed hash of the link's token, by `padclock_vault::token::link_lookup`.
    pub lookup: [u8; 32],
    /// The role that accepting it gives.
    pub role: Role,
    /// Whom it is for.
    pub email: Option<String>,
    /// How long it can be accepted, in milliseconds.
    pub lasts: i64,
}

macro_rules! select_invitation {
    ($rest:literal) => {
        concat!(
            "SELECT id, role, email, created_at, expires_at FROM links WHERE workspace_id = $1 AND kind = 'invitation' ",
            $rest
        )
    };
}

static INSERT: Sql = Sql::both(
    "INSERT INTO links (id, workspace_id, kind, role, email, lookup, created_by, created_at, expires_at)
     VALUES ($1, $2, 'invitation', $3, $4, $5, $6, $7, $8)",
);
static GET: Sql = Sql::both(select_invitation!("AND id = $2"));
static LIST: Sql = Sql::both(select_invitation!(
    "AND id > $2 AND expires_at > $3 ORDER BY id LIMIT $4"
));
static OF: Sql = Sql::both(select_invitation!("AND created_by = $2"));
static DELETE: Sql = Sql::both("DELETE FROM links WHERE id = $1");
static FORGET: Sql = Sql::both("DELETE FROM links WHERE kind = 'invitation' AND expires_at < $1");

fn decode(row: &mut Row) -> Result<Invitation> {
    let role = Role::of(&row.text(1)?)
        .ok_or_else(|| StoreError::Damaged("an invitation's role is no role".to_owned()))?;
    Ok(Invitation {
        id: row.id(0)?,
        role,
        email: row.opt_text(2)?,
        created_at: row.moment(3)?,
        expires_at: row.moment(4)?,
    })
}

async fn get(tx: &mut dyn Tx, workspace: WorkspaceId, id: LinkId) -> Result<Invitation> {
    tx.query(&GET, fields![workspace, id])
        .await?
        .first_mut()
        .map_or(Err(StoreError::NotFound), decode)
}

fn entry(workspace: WorkspaceId, actor: &Actor, action: Action, invitation: &Invitation) -> Entry {
    Entry {
        workspace,
        actor: actor.to_string(),
        action,
        target: invitation.id.to_string(),
        detail: Detail {
            name: invitation.email.clone(),
            role: Some(invitation.role.word()),
            ..Detail::default()
        },
    }
}

/// Ends the invitations that a member made, since they may make none any more.
pub(crate) async fn end_of(
    tx: &mut dyn Tx,
    workspace: WorkspaceId,
    user: UserId,
    actor: &Actor,
) -> Result<Vec<Entry>> {
    let mut ended = Vec::new();
    for mut row in tx.query(&OF, fields![workspace, user]).await? {
        let invitation = decode(&mut row)?;
        tx.execute(&DELETE, fields![invitation.id]).await?;
        ended.push(entry(
            workspace,
            actor,
            Action::InvitationRevoke,
            &invitation,
        ));
    }
    Ok(ended)
}

impl Store {
    /// Stores an invitation, and forgets those that have ended.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`] when whoever acts is no admin any more, or no owner and invites one.
    pub async fn create_invitation(
        &self,
        workspace: WorkspaceId,
        new: NewInvitation,
        by: By,
    ) -> Result<Invitation> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let acting = members::acting(tx, workspace, &by).await?;
            if new.role == Role::Owner {
                members::owner_only(&acting, &by, "only an owner can invite an owner")?;
            }
            members::admins_by_owners(&acting, &by, new.role)?;
            let now = tx.now().await?;
            tx.execute(&FORGET, fields![now]).await?;
            let params = fields![
                new.id,
                workspace,
                new.role.word(),
                new.email,
                new.lookup.to_vec(),
                by.user,
                now,
                now.saturating_add(new.lasts)
            ];
            tx.execute(&INSERT, params).await?;
            let invitation = get(tx, workspace, new.id).await?;
            let entry = entry(workspace, &by.actor, Action::InvitationCreate, &invitation);
            audit::append(tx, keys.derived(Label::Audit), now, vec![entry]).await?;
            Ok(invitation)
        }))
        .await
    }

    /// The invitations that can still be accepted, after the one named, oldest first.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn list_invitations(
        &self,
        workspace: WorkspaceId,
        after: Option<LinkId>,
        limit: u32,
    ) -> Result<Vec<Invitation>> {
        let after = after.unwrap_or(LinkId::from_bytes([0; 16]));
        self.read(body!(|tx| {
            let now = tx.now().await?;
            let mut rows = tx
                .query(&LIST, fields![workspace, after, now, limit])
                .await?;
            rows.iter_mut().map(decode).collect()
        }))
        .await
    }

    /// Ends an invitation: its link works no more.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn revoke_invitation(
        &self,
        workspace: WorkspaceId,
        id: LinkId,
        actor: Actor,
    ) -> Result<()> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let invitation = get(tx, workspace, id).await?;
            if tx.execute(&DELETE, fields![id]).await? == 0 {
                return Err(StoreError::NotFound);
            }
            let entry = entry(workspace, &actor, Action::InvitationRevoke, &invitation);
            let now = tx.now().await?;
            audit::append(tx, keys.derived(Label::Audit), now, vec![entry]).await
        }))
        .await
    }
}
