//! Pairings: a command line that asks for a token, and the member who confirms its code. Codes and the command line's own
//! key are here as keyed hashes only; the token is made when it is fetched, so it is never kept.

use padclock_api::{PairingId, UserId, WorkspaceId};
use padclock_job::Moment;
use padclock_vault::Label;

use crate::access::NewToken;
use crate::audit::{self, Action, Actor, Detail, Entry};
use crate::error::{Result, StoreError};
use crate::field::fields;
use crate::tx::{Sql, Tx};
use crate::{Store, body};

/// The most pairings that wait at once, so that nobody fills the table.
const MOST: i64 = 1_000;

/// A pairing to store.
#[derive(Debug)]
pub struct NewPairing {
    /// Its id.
    pub id: PairingId,
    /// The keyed hash of the code that a person types.
    pub code: [u8; 32],
    /// The keyed hash of the key that the command line fetches the token with.
    pub lookup: [u8; 32],
    /// What the command line calls itself.
    pub name: String,
    /// Where it asked from.
    pub address: String,
    /// How long it can be confirmed, in milliseconds.
    pub lasts: i64,
}

/// A pairing that waits for somebody to confirm it.
#[derive(Debug, Clone)]
pub struct PairingRow {
    /// Its id.
    pub id: PairingId,
    /// What the command line calls itself.
    pub name: String,
    /// Where it asked from.
    pub address: String,
    /// When it asked.
    pub created_at: Moment,
}

/// What a command line gets when it asks for its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// There is no such pairing, or its time is over.
    Gone,
    /// Nobody has confirmed it yet.
    Waiting,
    /// The token was stored, for this member of this workspace.
    Made(UserId, WorkspaceId),
}

static COUNT: Sql = Sql::both("SELECT count(*) FROM pairings WHERE expires_at > $1");
static PUT: Sql = Sql::both(
    "INSERT INTO pairings (id, code, lookup, name, address, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
);
static FIND: Sql = Sql::both(
    "SELECT id, name, address, created_at FROM pairings WHERE code = $1 AND expires_at > $2 AND user_id IS NULL",
);
static CONFIRM: Sql = Sql::both(
    "UPDATE pairings SET user_id = $1, workspace_id = $2 WHERE id = $3 AND expires_at > $4 AND user_id IS NULL",
);
static STATE: Sql = Sql::both(
    "SELECT id, name, user_id, workspace_id FROM pairings WHERE lookup = $1 AND expires_at > $2",
);
static USE_UP: Sql = Sql::both("DELETE FROM pairings WHERE id = $1");
static PUT_TOKEN: Sql = Sql::both(
    "INSERT INTO tokens (id, workspace_id, user_id, name, lookup, expires_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
);
static MEMBER: Sql = Sql::both("SELECT role FROM members WHERE workspace_id = $1 AND user_id = $2");
static SWEEP: Sql = Sql::both("DELETE FROM pairings WHERE expires_at <= $1");

struct Fetch<'f> {
    lookup: [u8; 32],
    token: &'f NewToken,
    lasts: i64,
    from: &'f str,
}

async fn claim(tx: &mut dyn Tx, fetch: &Fetch<'_>) -> Result<(Claim, Option<Entry>)> {
    let now = tx.now().await?;
    let params = fields![fetch.lookup.to_vec(), now];
    let Some(mut row) = tx.query(&STATE, params).await?.pop() else {
        return Ok((Claim::Gone, None));
    };
    let (Some(user), Some(workspace)) = (row.opt_id(2)?, row.opt_id(3)?) else {
        return Ok((Claim::Waiting, None));
    };
    let id: PairingId = row.id(0)?;
    if tx.execute(&USE_UP, fields![id]).await? == 0 {
        return Ok((Claim::Gone, None));
    }
    // Who was removed since they confirmed gets no token.
    if tx
        .query(&MEMBER, fields![workspace, user])
        .await?
        .is_empty()
    {
        return Ok((Claim::Gone, None));
    }
    let (name, end) = (row.text(1)?, now.saturating_add(fetch.lasts));
    let token = fetch.token;
    let params = fields![
        token.id,
        workspace,
        user,
        name.clone(),
        token.lookup.to_vec(),
        end,
        now
    ];
    tx.execute(&PUT_TOKEN, params).await?;
    let entry = Entry {
        workspace,
        actor: Actor::Stranger {
            from: fetch.from.to_owned(),
        }
        .to_string(),
        action: Action::TokenCreate,
        target: token.id.to_string(),
        detail: Detail {
            name: Some(name),
            result: Some(format!("paired for {user} by {id}")),
            ..Detail::default()
        },
    };
    Ok((Claim::Made(user, workspace), Some(entry)))
}

impl Store {
    /// Stores a pairing that waits to be confirmed.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when too many wait.
    pub async fn create_pairing(&self, new: NewPairing) -> Result<()> {
        self.write(body!(|tx| {
            let now = tx.now().await?;
            let waiting = tx.query(&COUNT, fields![now]).await?;
            if waiting.first().map_or(Ok(0), |row| row.int(0))? >= MOST {
                return Err(StoreError::Unavailable(
                    "too many pairings wait to be confirmed".to_owned(),
                ));
            }
            let params = fields![
                new.id,
                new.code.to_vec(),
                new.lookup.to_vec(),
                new.name,
                new.address,
                now,
                now.saturating_add(new.lasts)
            ];
            tx.execute(&PUT, params).await.map(drop)
        }))
        .await
    }

    /// The pairing that waits under this code.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn find_pairing(&self, code: [u8; 32]) -> Result<Option<PairingRow>> {
        self.read(body!(|tx| {
            let now = tx.now().await?;
            let found = tx.query(&FIND, fields![code.to_vec(), now]).await?.pop();
            let Some(mut row) = found else {
                return Ok(None);
            };
            Ok(Some(PairingRow {
                id: row.id(0)?,
                name: row.text(1)?,
                address: row.text(2)?,
                created_at: row.moment(3)?,
            }))
        }))
        .await
    }

    /// Confirms a pairing for a member.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it does not wait any more.
    pub async fn confirm_pairing(
        &self,
        id: PairingId,
        user: UserId,
        workspace: WorkspaceId,
        actor: Actor,
    ) -> Result<()> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let now = tx.now().await?;
            let params = fields![user, workspace, id, now];
            if tx.execute(&CONFIRM, params).await? == 0 {
                return Err(StoreError::NotFound);
            }
            let entry = Entry {
                workspace,
                actor: actor.to_string(),
                action: Action::PairingConfirm,
                target: id.to_string(),
                detail: Detail::default(),
            };
            audit::append(tx, keys.derived(Label::Audit), now, vec![entry]).await
        }))
        .await
    }

    /// Fetches the token of a confirmed pairing, once: stores `token` for the member who confirmed.
    ///
    /// # Errors
    /// When the database can't be written, or the chain is locked.
    pub async fn claim_pairing(
        &self,
        lookup: [u8; 32],
        token: NewToken,
        lasts: i64,
        from: String,
    ) -> Result<Claim> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let fetch = Fetch {
                lookup,
                token: &token,
                lasts,
                from: &from,
            };
            let (claim, entry) = claim(tx, &fetch).await?;
            if let Some(entry) = entry {
                let now = tx.now().await?;
                audit::append(tx, keys.derived(Label::Audit), now, vec![entry]).await?;
            }
            Ok(claim)
        }))
        .await
    }
}

/// Removes pairings whose time is over.
pub(crate) async fn sweep(tx: &mut dyn Tx, now: i64) -> Result<u64> {
    tx.execute(&SWEEP, fields![now]).await
}
