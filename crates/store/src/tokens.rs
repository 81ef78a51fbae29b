//! API tokens as their members manage them: what narrows one, and its end. The token itself is never here, only its keyed hash.

use padclock_api::me::Named;
use padclock_api::token::Token;
use padclock_api::{TokenId, UserId, WorkspaceId};
use padclock_job::Moment;
use padclock_vault::Label;

use crate::access::NewToken;
use crate::audit::{self, Action, Actor, Detail, Entry};
use crate::error::{Result, StoreError};
use crate::field::{Field, Row, fields};
use crate::members::{self, words};
use crate::tx::{Rows, Sql, Tx, one_batch};
use crate::{Store, body};

/// What narrows a token; what is `None` narrows nothing. Words have a space between them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Narrowed {
    /// The permissions that it is narrowed to.
    pub permissions: Option<String>,
    /// The one environment that it is for.
    pub environment: Option<String>,
    /// The ranges of addresses that it may be used from.
    pub cidrs: Option<String>,
    /// When it ends.
    pub expires_at: Option<Moment>,
}

/// Whose tokens are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokensOf {
    /// This member's; none: everyone's.
    pub user: Option<UserId>,
    /// Those for this environment; none: all.
    pub environment: Option<String>,
}

macro_rules! select_token {
    ($rest:literal) => {
        concat!(
            "SELECT t.id, t.name, t.user_id, u.name, t.permissions, t.environment, t.cidrs, t.created_at, t.expires_at, t.last_used_at ",
            "FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.workspace_id = $1 ",
            $rest
        )
    };
}

static INSERT: Sql = Sql::both(
    "INSERT INTO tokens (id, workspace_id, user_id, name, lookup, permissions, environment, cidrs, expires_at, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
);
static GET: Sql = Sql::both(select_token!("AND t.id = $2"));
static LIST: Sql = Sql::both(select_token!(
    "AND t.id > $2 AND (CAST($3 AS TEXT) IS NULL OR t.environment = $3) ORDER BY t.id LIMIT $4"
));
static LIST_OF: Sql = Sql::both(select_token!(
    "AND t.id > $2 AND (CAST($3 AS TEXT) IS NULL OR t.environment = $3) AND t.user_id = $4 ORDER BY t.id LIMIT $5"
));
static OF_OWNER: Sql = Sql::both(
    "SELECT 1 FROM tokens t JOIN members m ON m.workspace_id = t.workspace_id AND m.user_id = t.user_id
     WHERE t.workspace_id = $1 AND t.id = $2 AND m.role = 'owner'",
);
static DELETE: Sql = Sql::both("DELETE FROM tokens WHERE id = $1");
/// Nobody removes the member until the transaction ends.
static HOLD_MEMBER: Sql = Sql::each(
    "SELECT user_id FROM members WHERE workspace_id = $1 AND user_id = $2",
    "SELECT user_id FROM members WHERE workspace_id = $1 AND user_id = $2 FOR SHARE",
);
static USED: Sql = Sql::each(
    "UPDATE tokens SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $1)",
    "UPDATE tokens t SET last_used_at = k.at FROM unnest($1::bigint[], $2::bytea[]) AS k(at, id)
     WHERE t.id = k.id AND (t.last_used_at IS NULL OR t.last_used_at < k.at)",
);

fn decode(row: &mut Row) -> Result<Token> {
    let list = |text: Option<String>| text.as_deref().map(words);
    let user: UserId = row.id(2)?;
    Ok(Token {
        id: row.id(0)?,
        name: row.text(1)?,
        user: Named {
            id: user.to_string(),
            name: row.text(3)?,
        },
        permissions: list(row.opt_text(4)?),
        environment: row.opt_text(5)?,
        cidrs: list(row.opt_text(6)?),
        created_at: row.moment(7)?,
        expires_at: row.opt_moment(8)?,
        last_used_at: row.opt_moment(9)?,
    })
}

async fn get(tx: &mut dyn Tx, workspace: WorkspaceId, id: TokenId, of: &TokensOf) -> Result<Token> {
    let mut rows = tx.query(&GET, fields![workspace, id]).await?;
    let row = rows.first_mut().ok_or(StoreError::NotFound)?;
    let user: UserId = row.id(2)?;
    let token = decode(row)?;
    let meant = of.user.is_none_or(|meant| meant == user)
        && (of.environment.is_none() || of.environment == token.environment);
    if meant {
        Ok(token)
    } else {
        Err(StoreError::NotFound)
    }
}

pub(crate) struct TokenOf<'a> {
    pub(crate) workspace: WorkspaceId,
    pub(crate) user: UserId,
    pub(crate) token: &'a NewToken,
    pub(crate) narrowed: &'a Narrowed,
}

/// Stores a token, and says what the audit is to know of it.
pub(crate) async fn put(
    tx: &mut dyn Tx,
    now: i64,
    new: TokenOf<'_>,
    actor: &Actor,
) -> Result<Entry> {
    let TokenOf {
        workspace,
        user,
        token,
        narrowed,
    } = new;
    let params = fields![
        token.id,
        workspace,
        user,
        token.name.clone(),
        token.lookup.to_vec(),
        narrowed.permissions.clone(),
        narrowed.environment.clone(),
        narrowed.cidrs.clone(),
        narrowed.expires_at,
        now
    ];
    tx.execute(&INSERT, params).await?;
    Ok(Entry {
        workspace,
        actor: actor.to_string(),
        action: Action::TokenCreate,
        target: token.id.to_string(),
        detail: Detail {
            name: Some(token.name.clone()),
            permissions: narrowed.permissions.clone(),
            environment: narrowed.environment.clone(),
            ..Detail::default()
        },
    })
}

impl Store {
    /// Stores a token of a member's: of whoever acts, or of a service member.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the user is no member; [`StoreError::Forbidden`] when they are a person and another
    /// than who acts.
    pub async fn create_token(
        &self,
        workspace: WorkspaceId,
        (maker, user): (UserId, UserId),
        token: NewToken,
        narrowed: Narrowed,
        actor: Actor,
    ) -> Result<Token> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            tx.query(&HOLD_MEMBER, fields![workspace, user]).await?;
            let member = members::get(tx, workspace, user).await?;
            if user != maker && !member.service {
                return Err(StoreError::Forbidden(
                    "a person makes their own tokens: for another, only those of a service member can be made",
                ));
            }
            let now = tx.now().await?;
            let new = TokenOf {
                workspace,
                user,
                token: &token,
                narrowed: &narrowed,
            };
            let entry = put(tx, now, new, &actor).await?;
            let made = get(tx, workspace, token.id, &TokensOf::default()).await?;
            audit::append(tx, keys.derived(Label::Audit), now, vec![entry]).await?;
            Ok(made)
        }))
        .await
    }

    /// One token.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it is none of those meant.
    pub async fn get_token(
        &self,
        workspace: WorkspaceId,
        id: TokenId,
        of: TokensOf,
    ) -> Result<Token> {
        self.read(body!(|tx| get(tx, workspace, id, &of).await))
            .await
    }

    /// Those meant, at most `limit` after the one named, oldest first.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn list_tokens(
        &self,
        workspace: WorkspaceId,
        of: TokensOf,
        (after, limit): (Option<TokenId>, u32),
    ) -> Result<Vec<Token>> {
        let after = after.unwrap_or(TokenId::from_bytes([0; 16]));
        self.read(body!(|tx| {
            let environment = of.environment;
            let mut rows = match of.user {
                Some(user) => {
                    let params = fields![workspace, after, environment, user, limit];
                    tx.query(&LIST_OF, params).await?
                }
                None => {
                    tx.query(&LIST, fields![workspace, after, environment, limit])
                        .await?
                }
            };
            rows.iter_mut().map(decode).collect()
        }))
        .await
    }

    /// Ends a token at once.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it is none of those meant.
    pub async fn revoke_token(
        &self,
        workspace: WorkspaceId,
        id: TokenId,
        of: TokensOf,
        (actor, by_owner): (Actor, bool),
    ) -> Result<()> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let token = get(tx, workspace, id, &of).await?;
            if !by_owner
                && !tx
                    .query(&OF_OWNER, fields![workspace, id])
                    .await?
                    .is_empty()
            {
                return Err(StoreError::Forbidden(
                    "only an owner can end an owner's token",
                ));
            }
            if tx.execute(&DELETE, fields![id]).await? == 0 {
                return Err(StoreError::NotFound);
            }
            let entry = Entry {
                workspace,
                actor: actor.to_string(),
                action: Action::TokenRevoke,
                target: id.to_string(),
                detail: Detail {
                    name: Some(token.name),
                    ..Detail::default()
                },
            };
            let now = tx.now().await?;
            audit::append(tx, keys.derived(Label::Audit), now, vec![entry]).await
        }))
        .await
    }

    /// Notes when tokens were used. A use that is older than the one known changes nothing.
    ///
    /// # Errors
    /// When the database can't be written.
    pub async fn note_token_uses(&self, uses: Vec<(TokenId, Moment)>) -> Result<()> {
        self.write(body!(|tx| {
            let rows = uses
                .into_iter()
                .map(|(id, at)| [Field::from(at), Field::from(id)]);
            one_batch(tx, &USED, Rows::new(rows)).await.map(drop)
        }))
        .await
    }
}
