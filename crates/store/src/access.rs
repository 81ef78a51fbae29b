//! Key material, workspaces, members and tokens: what a start needs, and what tells who calls.

use std::sync::Arc;

use padclock_api::{TokenId, UserId, WorkspaceId};
use padclock_job::Moment;
use padclock_vault::{DerivedKey, Keyring, Label, SealedMaster, SealedTerm};

use crate::audit::{self, Action, Actor, Detail, Entry};
use crate::error::{Result, StoreError};
use crate::field::fields;
use crate::tx::{Sql, Tx};
use crate::{Store, body};

/// The sealed keys as stored.
#[derive(Debug)]
pub struct KeyMaterial {
    /// The sealed master, which is also the check value of the root key.
    pub master: SealedMaster,
    /// Each term's sealed key.
    pub terms: Vec<SealedTerm>,
}

/// What the very first start writes.
#[derive(Debug)]
pub struct FirstStart {
    /// The new sealed keys.
    pub keys: KeyMaterial,
    /// The id of the workspace `default`.
    pub workspace: WorkspaceId,
    /// The id of its owner.
    pub owner: UserId,
    /// The owner's token.
    pub token: NewToken,
}

/// A token to store: never the token, only its keyed hash.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// Its id.
    pub id: TokenId,
    /// Its keyed hash.
    pub lookup: [u8; 32],
    /// What it is called.
    pub name: String,
}

/// Whom a token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// The token's id.
    pub id: TokenId,
    /// What it is called.
    pub name: String,
    /// The workspace that it opens.
    pub workspace: WorkspaceId,
    /// That workspace's name.
    pub workspace_name: String,
    /// The member.
    pub user: UserId,
    /// The member's name.
    pub user_name: String,
    /// The member's role: `owner`, `admin`, `editor`, `viewer`.
    pub role: String,
    /// Permissions beyond the role's, as words with a space between them.
    pub grants: String,
    /// The permissions that the token is narrowed to, as words; none: all of its member's.
    pub permissions: Option<String>,
    /// The one environment that the token is for; none: all.
    pub environment: Option<String>,
    /// The ranges of addresses that it may be used from, as words; none: any.
    pub cidrs: Option<String>,
    /// When it ends.
    pub expires_at: Option<Moment>,
}

static MASTER: Sql = Sql::both("SELECT value FROM meta WHERE key = 'master'");
static TERMS: Sql =
    Sql::both("SELECT term, sealed FROM key_terms WHERE retired_at IS NULL ORDER BY term");
static PUT_MASTER: Sql =
    Sql::both("INSERT INTO meta (key, value) VALUES ('master', $1) ON CONFLICT DO NOTHING");
static PUT_TERM: Sql =
    Sql::both("INSERT INTO key_terms (term, sealed, created_at) VALUES ($1, $2, $3)");
static PUT_WORKSPACE: Sql =
    Sql::both("INSERT INTO workspaces (id, name, created_at) VALUES ($1, $2, $3)");
static PUT_USER: Sql = Sql::both("INSERT INTO users (id, name, created_at) VALUES ($1, $2, $3)");
static PUT_MEMBER: Sql = Sql::both(
    "INSERT INTO members (workspace_id, user_id, role, created_at) VALUES ($1, $2, $3, $4)",
);
static PUT_TOKEN: Sql = Sql::both(
    "INSERT INTO tokens (id, workspace_id, user_id, name, lookup, created_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
);
static FIND_TOKEN: Sql = Sql::both(
    "SELECT t.id, t.name, t.workspace_id, w.name, t.user_id, u.name, m.role, t.expires_at,
       m.grants, t.permissions, t.environment, t.cidrs
     FROM tokens t
     JOIN workspaces w ON w.id = t.workspace_id
     JOIN users u ON u.id = t.user_id
     JOIN members m ON m.workspace_id = t.workspace_id AND m.user_id = t.user_id
     WHERE t.lookup = $1",
);
static FIRST_OWNER: Sql = Sql::both(
    "SELECT m.workspace_id, m.user_id FROM members m JOIN workspaces w ON w.id = m.workspace_id
     WHERE m.role = 'owner' ORDER BY w.created_at, w.id, m.created_at LIMIT 1",
);

static FIRST_WORKSPACE: Sql =
    Sql::both("SELECT id FROM workspaces ORDER BY created_at, id LIMIT 1");

async fn key_material(tx: &mut dyn Tx) -> Result<Option<KeyMaterial>> {
    let Some(mut row) = tx.query(&MASTER, &[]).await?.pop() else {
        return Ok(None);
    };
    let master = SealedMaster(row.bytes(0)?);
    let rows = tx.query(&TERMS, &[]).await?;
    let terms = rows.into_iter().map(|mut row| {
        Ok(SealedTerm {
            term: row.number(0)?,
            sealed: row.bytes(1)?,
        })
    });
    Ok(Some(KeyMaterial {
        master,
        terms: terms.collect::<Result<_>>()?,
    }))
}

async fn first_start(tx: &mut dyn Tx, first: &FirstStart, audit_key: &DerivedKey) -> Result<bool> {
    let now = tx.now().await?;
    if tx
        .execute(&PUT_MASTER, fields![first.keys.master.0.clone()])
        .await?
        == 0
    {
        return Ok(false);
    }
    for term in &first.keys.terms {
        tx.execute(&PUT_TERM, fields![term.term, term.sealed.clone(), now])
            .await?;
    }
    tx.execute(&PUT_WORKSPACE, fields![first.workspace, "default", now])
        .await?;
    tx.execute(&PUT_USER, fields![first.owner, "owner", now])
        .await?;
    tx.execute(
        &PUT_MEMBER,
        fields![first.workspace, first.owner, "owner", now],
    )
    .await?;
    audit::start_chain(tx, first.workspace).await?;
    put_token(tx, now, first.workspace, first.owner, &first.token).await?;
    let made = Entry {
        workspace: first.workspace,
        actor: Actor::System.to_string(),
        action: Action::WorkspaceCreate,
        target: first.workspace.to_string(),
        detail: named("default"),
    };
    let token = token_entry(first.workspace, &first.token);
    audit::append(tx, audit_key, now, vec![made, token]).await?;
    Ok(true)
}

fn named(name: &str) -> Detail {
    Detail {
        name: Some(name.to_owned()),
        ..Detail::default()
    }
}

/// A token that Padclock itself has made.
fn token_entry(workspace: WorkspaceId, token: &NewToken) -> Entry {
    Entry {
        workspace,
        actor: Actor::System.to_string(),
        action: Action::TokenCreate,
        target: token.id.to_string(),
        detail: named(&token.name),
    }
}

async fn put_token(
    tx: &mut dyn Tx,
    now: i64,
    workspace: WorkspaceId,
    user: UserId,
    token: &NewToken,
) -> Result<bool> {
    let params = fields![
        token.id,
        workspace,
        user,
        token.name.clone(),
        token.lookup.to_vec(),
        now
    ];
    Ok(tx.execute(&PUT_TOKEN, params).await? > 0)
}

impl Store {
    /// The workspace that the first start has made: what belongs to no other is recorded there.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] before the first start, or when the database can't answer.
    pub async fn first_workspace(&self) -> Result<WorkspaceId> {
        self.read(body!(|tx| {
            let row = tx.query(&FIRST_WORKSPACE, &[]).await?.pop();
            row.ok_or(StoreError::NotFound)?.id(0)
        }))
        .await
    }

    /// The sealed keys, when a first start has been made.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn key_material(&self) -> Result<Option<KeyMaterial>> {
        self.read(body!(|tx| key_material(tx).await)).await
    }

    /// Writes keys, the workspace `default`, its owner and the owner's token in one transaction, with the first records
    /// of the workspace's chain under the new `keyring`; false when another node was first, and then nothing was written.
    ///
    /// # Errors
    /// When the database can't be written.
    pub async fn first_start(&self, first: FirstStart, keyring: Arc<Keyring>) -> Result<bool> {
        self.write(body!(|tx| {
            let key = keyring.derived(Label::Audit);
            first_start(tx, &first, key).await
        }))
        .await
    }

    /// Gives the owner of `default` a token that was set from outside; does nothing when it is there already.
    ///
    /// # Errors
    /// When the database can't be written, or the chain is locked.
    pub async fn ensure_owner_token(&self, token: NewToken) -> Result<()> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let owner = tx
                .query(&FIRST_OWNER, &[])
                .await?
                .pop()
                .ok_or(StoreError::NotFound)?;
            let (workspace, user) = (owner.id(0)?, owner.id(1)?);
            let now = tx.now().await?;
            if put_token(tx, now, workspace, user, &token).await? {
                let entry = token_entry(workspace, &token);
                audit::append(tx, keys.derived(Label::Audit), now, vec![entry]).await?;
            }
            Ok(())
        }))
        .await
    }

    /// Whom the token with this keyed hash stands for; none when it is unknown or has ended.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn find_token(&self, lookup: [u8; 32]) -> Result<Option<TokenRow>> {
        self.read_short(body!(|tx| {
            let Some(mut row) = tx.query(&FIND_TOKEN, fields![lookup.to_vec()]).await?.pop() else {
                return Ok(None);
            };
            let found = TokenRow {
                id: row.id(0)?,
                name: row.text(1)?,
                workspace: row.id(2)?,
                workspace_name: row.text(3)?,
                user: row.id(4)?,
                user_name: row.text(5)?,
                role: row.text(6)?,
                expires_at: row.opt_moment(7)?,
                grants: row.text(8)?,
                permissions: row.opt_text(9)?,
                environment: row.opt_text(10)?,
                cidrs: row.opt_text(11)?,
            };
            if let Some(end) = found.expires_at
                && end.millis() <= tx.now().await?
            {
                return Ok(None);
            }
            Ok(Some(found))
        }))
        .await
    }
}
