//! Key terms, and another root key: what is sealed by which, and how it changes while nodes run. All of it is sealed;
//! nothing here can open a key.
//!
//! A change of the terms or of the root key holds the row of the sealed master, so there is one at a time. It concerns
//! every secret there is, so it is recorded in the chain of every workspace.

mod rewrap;
mod root;

use padclock_job::Moment;
use padclock_vault::{Label, SealedMaster, SealedTerm};

use crate::audit::{self, Action, Actor, Detail, Entry};
use crate::error::{Result, StoreError};
use crate::field::{Row, fields};
use crate::tx::{Sql, Tx};
use crate::{Store, body};

pub use rewrap::{Rewrapped, Wrapped};
pub use root::RootChange;

/// A key term, as far as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Its number, from 1.
    pub term: u32,
    /// When it was added.
    pub created_at: Moment,
    /// When its key was destroyed.
    pub retired_at: Option<Moment>,
    /// Versions of secrets whose data keys it wraps.
    pub rows: u64,
    /// How many seals it has made at most.
    pub seals: u64,
}

/// What came of the wish to retire a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retired {
    /// Its key is destroyed.
    Now,
    /// It was destroyed before.
    Before,
    /// It is the current one: new values are sealed under it.
    Current,
    /// It still wraps so many data keys.
    InUse(u64),
    /// There is no such term.
    Unknown,
}

/// The master's row, which every change of keys holds.
static HOLD: Sql = Sql::each(
    "SELECT value FROM meta WHERE key = 'master'",
    "SELECT value FROM meta WHERE key = 'master' FOR UPDATE",
);
static WAITS: Sql = Sql::both("SELECT 1 FROM meta WHERE key = 'master_next'");
static LATEST: Sql = Sql::both("SELECT max(term) FROM key_terms");
static PUT_TERM: Sql =
    Sql::both("INSERT INTO key_terms (term, sealed, created_at) VALUES ($1, $2, $3)");
static TERMS: Sql = Sql::both(
    "SELECT t.term, t.created_at, t.retired_at, t.seals, (SELECT count(*) FROM secret_versions v WHERE v.term = t.term)
     FROM key_terms t ORDER BY t.term",
);
static RESERVE: Sql = Sql::both(
    "UPDATE key_terms SET seals = seals + $1 WHERE term = $2 AND retired_at IS NULL RETURNING seals",
);
/// A term that a value may be sealed under; it is not retired until the transaction ends.
pub(crate) static LIVE_TERM: Sql = Sql::each(
    "SELECT term FROM key_terms WHERE term = $1 AND retired_at IS NULL",
    "SELECT term FROM key_terms WHERE term = $1 AND retired_at IS NULL FOR SHARE",
);
static HOLD_TERM: Sql = Sql::each(
    "SELECT retired_at FROM key_terms WHERE term = $1",
    "SELECT retired_at FROM key_terms WHERE term = $1 FOR UPDATE",
);
static ROWS: Sql = Sql::both("SELECT count(*) FROM secret_versions WHERE term = $1");
static RETIRE: Sql = Sql::both(
    "UPDATE key_terms SET sealed = $1, sealed_next = NULL, retired_at = $2 WHERE term = $3",
);
static WORKSPACES: Sql = Sql::both("SELECT id FROM workspaces ORDER BY id");

/// Holds the keys against any other change, and checks that they are the ones the caller has read.
async fn hold(tx: &mut dyn Tx, read: &SealedMaster) -> Result<()> {
    let held = tx.query(&HOLD, &[]).await?.pop();
    let mut held = held.ok_or(StoreError::NotFound)?;
    if held.bytes(0)? == read.0 {
        Ok(())
    } else {
        Err(StoreError::Changed)
    }
}

/// As [`hold`], and no other root key may wait.
async fn hold_settled(tx: &mut dyn Tx, read: &SealedMaster) -> Result<()> {
    hold(tx, read).await?;
    if tx.query(&WAITS, &[]).await?.is_empty() {
        Ok(())
    } else {
        Err(StoreError::RootKeyWaits)
    }
}

/// What is said of a change of keys.
struct Event {
    actor: Actor,
    action: Action,
    term: Option<u32>,
    count: Option<u32>,
}

impl Event {
    const fn of(actor: Actor, action: Action) -> Self {
        Self {
            actor,
            action,
            term: None,
            count: None,
        }
    }

    /// One record for each of these workspaces.
    fn entries(&self, workspaces: Vec<Row>) -> Result<Vec<Entry>> {
        let target = self
            .term
            .map_or_else(|| "root".to_owned(), |term| format!("v{term}"));
        let entry = |row: Row| {
            Ok(Entry {
                workspace: row.id::<padclock_api::ids::WorkspaceKind>(0)?,
                actor: self.actor.to_string(),
                action: self.action,
                target: target.clone(),
                detail: Detail {
                    count: self.count,
                    ..Detail::default()
                },
            })
        };
        workspaces.into_iter().map(entry).collect()
    }
}

async fn latest(tx: &mut dyn Tx) -> Result<u32> {
    let row = tx.query(&LATEST, &[]).await?.pop();
    row.ok_or(StoreError::NotFound)?.number(0)
}

async fn add(tx: &mut dyn Tx, new: &SealedTerm, now: i64) -> Result<()> {
    if latest(tx).await?.checked_add(1) != Some(new.term) {
        return Err(StoreError::Changed);
    }
    tx.execute(&PUT_TERM, fields![new.term, new.sealed.clone(), now])
        .await
        .map(drop)
}

async fn retire(tx: &mut dyn Tx, term: u32, now: i64) -> Result<Retired> {
    let Some(row) = tx.query(&HOLD_TERM, fields![term]).await?.pop() else {
        return Ok(Retired::Unknown);
    };
    if row.opt_int(0)?.is_some() {
        return Ok(Retired::Before);
    }
    if latest(tx).await? == term {
        return Ok(Retired::Current);
    }
    let rows = tx.query(&ROWS, fields![term]).await?.pop();
    let rows = rows.map_or(Ok(0), |row| row.int(0))?;
    if rows > 0 {
        return Ok(Retired::InUse(rows.unsigned_abs()));
    }
    tx.execute(&RETIRE, fields![Vec::<u8>::new(), now, term])
        .await?;
    Ok(Retired::Now)
}

fn term(row: &Row) -> Result<Term> {
    Ok(Term {
        term: row.number(0)?,
        created_at: row.moment(1)?,
        retired_at: row.opt_moment(2)?,
        seals: row.int(3)?.unsigned_abs(),
        rows: row.int(4)?.unsigned_abs(),
    })
}

impl Store {
    /// All terms there have been, oldest first.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn terms(&self) -> Result<Vec<Term>> {
        self.read(body!(|tx| {
            let rows = tx.query(&TERMS, &[]).await?;
            rows.iter().map(term).collect()
        }))
        .await
    }

    /// Adds a term, sealed by the root key that has sealed `master`.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when it is not the next one any more, or the root key was replaced since;
    /// [`StoreError::RootKeyWaits`].
    pub async fn add_term(
        &self,
        master: SealedMaster,
        new: SealedTerm,
        actor: Actor,
    ) -> Result<()> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            hold_settled(tx, &master).await?;
            let now = tx.now().await?;
            add(tx, &new, now).await?;
            let event = Event {
                term: Some(new.term),
                ..Event::of(actor, Action::KeyRotate)
            };
            let entries = event.entries(tx.query(&WORKSPACES, &[]).await?)?;
            audit::append(tx, keys.derived(Label::Audit), now, entries).await
        }))
        .await
    }

    /// Counts seals of a term before they are made; answers how many it has made at most with these.
    ///
    /// # Errors
    /// [`StoreError::TermRetired`].
    pub async fn reserve_seals(&self, term: u32, count: u32) -> Result<u64> {
        self.write(body!(|tx| {
            let row = tx.query(&RESERVE, fields![count, term]).await?.pop();
            Ok(row
                .ok_or(StoreError::TermRetired(term))?
                .int(0)?
                .unsigned_abs())
        }))
        .await
    }

    /// Destroys a term's key, unless it is needed. The row stays, for its history and its counter.
    ///
    /// # Errors
    /// When the database can't be written.
    pub async fn retire_term(&self, term: u32, actor: Actor) -> Result<Retired> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let now = tx.now().await?;
            let retired = retire(tx, term, now).await?;
            if retired == Retired::Now {
                let event = Event {
                    term: Some(term),
                    ..Event::of(actor, Action::KeyRetire)
                };
                let entries = event.entries(tx.query(&WORKSPACES, &[]).await?)?;
                audit::append(tx, keys.derived(Label::Audit), now, entries).await?;
            }
            Ok(retired)
        }))
        .await
    }
}
