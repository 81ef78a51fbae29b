//! Another root key. What it has sealed waits beside what the present one has sealed, and changes nothing, until a start
//! has proved it; then it takes its place in one transaction.

use padclock_vault::{Label, SealedMaster, SealedTerm};

use super::{Event, WORKSPACES, hold, hold_settled};
use crate::access::KeyMaterial;
use crate::audit::{self, Action, Actor};
use crate::error::{Result, StoreError};
use crate::field::fields;
use crate::tx::{Sql, Tx};
use crate::{Store, body};

/// Where the store stands with its root keys.
#[derive(Debug, Default)]
pub struct RootChange {
    /// What another root key has sealed, while it waits to be proved.
    pub next: Option<KeyMaterial>,
    /// The mark of the root key that was replaced last.
    pub replaced: Option<Vec<u8>>,
}

static META: Sql = Sql::both("SELECT value FROM meta WHERE key = $1");
static PUT_META: Sql = Sql::both("INSERT INTO meta (key, value) VALUES ($1, $2)");
static DROP_META: Sql = Sql::both("DELETE FROM meta WHERE key = $1");
static SET_MASTER: Sql = Sql::both("UPDATE meta SET value = $1 WHERE key = 'master'");
static NEXT_TERMS: Sql = Sql::both(
    "SELECT term, sealed_next FROM key_terms WHERE retired_at IS NULL AND sealed_next IS NOT NULL ORDER BY term",
);
static LIVE: Sql = Sql::both("SELECT count(*) FROM key_terms WHERE retired_at IS NULL");
static SET_NEXT: Sql = Sql::both(
    "UPDATE key_terms SET sealed_next = $1 WHERE term = $2 AND sealed = $3 AND retired_at IS NULL",
);
static TAKE_NEXT: Sql = Sql::both(
    "UPDATE key_terms SET sealed = sealed_next, sealed_next = NULL WHERE retired_at IS NULL AND sealed_next IS NOT NULL",
);
static CLEAR_NEXT: Sql =
    Sql::both("UPDATE key_terms SET sealed_next = NULL WHERE sealed_next IS NOT NULL");

/// The master that another root key has sealed, the mark of the present one to be kept when it is replaced, and the
/// replaced one's.
const NEXT: &str = "master_next";
const MARK: &str = "root_mark_next";
const REPLACED: &str = "root_mark_replaced";

async fn meta(tx: &mut dyn Tx, key: &'static str) -> Result<Option<Vec<u8>>> {
    let row = tx.query(&META, fields![key]).await?.pop();
    row.map(|mut row| row.bytes(0)).transpose()
}

async fn set_meta(tx: &mut dyn Tx, key: &'static str, value: Option<Vec<u8>>) -> Result<()> {
    tx.execute(&DROP_META, fields![key]).await?;
    if let Some(value) = value {
        tx.execute(&PUT_META, fields![key, value]).await?;
    }
    Ok(())
}

async fn live(tx: &mut dyn Tx) -> Result<u64> {
    let row = tx.query(&LIVE, &[]).await?.pop();
    Ok(row.map_or(Ok(0), |row| row.int(0))?.unsigned_abs())
}

async fn root_change(tx: &mut dyn Tx) -> Result<RootChange> {
    let next = match meta(tx, NEXT).await? {
        None => None,
        Some(master) => {
            let rows = tx.query(&NEXT_TERMS, &[]).await?;
            let terms = rows.into_iter().map(|mut row| {
                Ok(SealedTerm {
                    term: row.number(0)?,
                    sealed: row.bytes(1)?,
                })
            });
            Some(KeyMaterial {
                master: SealedMaster(master),
                terms: terms.collect::<Result<_>>()?,
            })
        }
    };
    Ok(RootChange {
        next,
        replaced: meta(tx, REPLACED).await?,
    })
}

async fn prepare(
    tx: &mut dyn Tx,
    present: &KeyMaterial,
    next: &KeyMaterial,
    mark: Vec<u8>,
) -> Result<()> {
    hold_settled(tx, &present.master).await?;
    if live(tx).await? != next.terms.len() as u64 {
        return Err(StoreError::Changed);
    }
    for (was, new) in present.terms.iter().zip(&next.terms) {
        let params = fields![new.sealed.clone(), new.term, was.sealed.clone()];
        if was.term != new.term || tx.execute(&SET_NEXT, params).await? == 0 {
            return Err(StoreError::Changed);
        }
    }
    set_meta(tx, NEXT, Some(next.master.0.clone())).await?;
    set_meta(tx, MARK, Some(mark)).await
}

async fn promote(tx: &mut dyn Tx, present: &SealedMaster, next: &SealedMaster) -> Result<()> {
    hold(tx, present).await?;
    if meta(tx, NEXT).await?.as_ref() != Some(&next.0) {
        return Err(StoreError::Changed);
    }
    // A term that only the old root key opens would be lost.
    if tx.execute(&TAKE_NEXT, &[]).await? != live(tx).await? {
        return Err(StoreError::Damaged(
            "a key term was not sealed by the new root key".to_owned(),
        ));
    }
    tx.execute(&SET_MASTER, fields![next.0.clone()]).await?;
    set_meta(tx, NEXT, None).await?;
    let mark = meta(tx, MARK).await?;
    set_meta(tx, MARK, None).await?;
    set_meta(tx, REPLACED, mark).await
}

async fn withdraw(tx: &mut dyn Tx, present: &SealedMaster) -> Result<bool> {
    hold(tx, present).await?;
    if meta(tx, NEXT).await?.is_none() {
        return Ok(false);
    }
    set_meta(tx, NEXT, None).await?;
    set_meta(tx, MARK, None).await?;
    tx.execute(&CLEAR_NEXT, &[]).await.map(|_| true)
}

impl Store {
    /// Whether another root key waits, and which one was replaced last.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn root_change(&self) -> Result<RootChange> {
        self.read(body!(|tx| root_change(tx).await)).await
    }

    /// Lays down what another root key has sealed, beside what the present one has: inert until
    /// [`Store::promote_root`]. `mark` is the present root key's, kept when it is replaced.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when `present` is not what is stored now, [`StoreError::RootKeyWaits`] when another waits.
    pub async fn prepare_root(
        &self,
        present: KeyMaterial,
        next: KeyMaterial,
        mark: Vec<u8>,
        actor: Actor,
    ) -> Result<()> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            prepare(tx, &present, &next, mark).await?;
            let now = tx.now().await?;
            let event = Event::of(actor, Action::RootKeyPrepare);
            let entries = event.entries(tx.query(&WORKSPACES, &[]).await?)?;
            audit::append(tx, keys.derived(Label::Audit), now, entries).await
        }))
        .await
    }

    /// Puts what the waiting root key has sealed in the place of what the present one has. Only a start that has proved
    /// that key calls this.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when either is not what is stored now: another start was first, or it was withdrawn.
    pub async fn promote_root(
        &self,
        present: SealedMaster,
        next: SealedMaster,
        actor: Actor,
    ) -> Result<()> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            promote(tx, &present, &next).await?;
            let now = tx.now().await?;
            let event = Event::of(actor, Action::RootKeyReplace);
            let entries = event.entries(tx.query(&WORKSPACES, &[]).await?)?;
            audit::append(tx, keys.derived(Label::Audit), now, entries).await
        }))
        .await
    }

    /// Withdraws a root key that waits; false when none does.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when `present` is not what is stored now.
    pub async fn withdraw_root(&self, present: SealedMaster, actor: Actor) -> Result<bool> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let withdrawn = withdraw(tx, &present).await?;
            if withdrawn {
                let now = tx.now().await?;
                let event = Event::of(actor, Action::RootKeyWithdraw);
                let entries = event.entries(tx.query(&WORKSPACES, &[]).await?)?;
                audit::append(tx, keys.derived(Label::Audit), now, entries).await?;
            }
            Ok(withdrawn)
        }))
        .await
    }
}
