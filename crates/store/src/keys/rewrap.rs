//! Moving data keys from term to term: what an older term still wraps, and its replacement, row by row compared and swapped.
//! It can stop anywhere and go on later: what was moved stays moved.

use padclock_api::{SecretId, WorkspaceId};
use padclock_vault::{EgressPolicy, Label, Sealed};

use super::{Event, LIVE_TERM, WORKSPACES};
use crate::audit::{self, Action, Actor};
use crate::error::{Result, StoreError};
use crate::field::{Field, Row, fields};
use crate::secrets::TOUCH;
use crate::tx::{Batch, Rows, Sql};
use crate::{Store, body};

/// A data key that an older term wraps, and all that its wrapping is bound to.
#[derive(Debug, Clone)]
pub struct Wrapped {
    /// The secret's workspace.
    pub workspace: WorkspaceId,
    /// The secret.
    pub secret: SecretId,
    /// Which of its versions.
    pub version: u32,
    /// The hash of the secret's policy as stored now.
    pub policy_hash: [u8; 32],
    /// The seal without its ciphertext, which a rewrap does not touch.
    pub sealed: Sealed,
}

/// A data key as it is to be, and as it was when it was read.
#[derive(Debug, Clone)]
pub struct Rewrapped {
    /// As it was read.
    pub was: Wrapped,
    /// The term that wraps it now.
    pub term: u32,
    /// The wrapped key.
    pub wrapped_key: Vec<u8>,
}

static OF_TERM: Sql = Sql::both(
    "SELECT s.workspace_id, v.secret_id, v.version, s.egress, v.term, v.origin_term, v.wrapped_key
     FROM secret_versions v JOIN secrets s ON s.id = v.secret_id
     WHERE v.term = $1 AND (v.secret_id, v.version) > ($2, $3) ORDER BY v.secret_id, v.version LIMIT $4",
);
static SWAP: Sql = Sql::each(
    "UPDATE secret_versions SET term = $1, wrapped_key = $2 WHERE secret_id = $3 AND version = $4 AND term = $5 AND wrapped_key = $6",
    "UPDATE secret_versions v SET term = k.term, wrapped_key = k.wrapped_key
     FROM unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::bigint[], $5::bigint[], $6::bytea[])
       AS k(term, wrapped_key, secret_id, version, was_term, was_key)
     WHERE v.secret_id = k.secret_id AND v.version = k.version AND v.term = k.was_term AND v.wrapped_key = k.was_key
     RETURNING v.secret_id",
);
static OLDER: Sql = Sql::both(
    "SELECT count(*) FROM (SELECT 1 AS one FROM secret_versions WHERE term < $1 LIMIT $2) AS older",
);

fn wrapped(mut row: Row) -> Result<Wrapped> {
    let egress: Option<EgressPolicy> = row.opt_json(3)?;
    Ok(Wrapped {
        workspace: row.id(0)?,
        secret: row.id(1)?,
        version: row.number(2)?,
        policy_hash: EgressPolicy::hash(egress.as_ref()),
        sealed: Sealed {
            term: row.number(4)?,
            origin_term: row.number(5)?,
            wrapped_key: row.bytes(6)?,
            ciphertext: Vec::new(),
        },
    })
}

fn swap(row: Rewrapped) -> [Field; 6] {
    let Rewrapped {
        was,
        term,
        wrapped_key,
    } = row;
    [
        term.into(),
        wrapped_key.into(),
        was.secret.into(),
        was.version.into(),
        was.sealed.term.into(),
        was.sealed.wrapped_key.into(),
    ]
}

impl Store {
    /// Data keys that `term` wraps, after the version named, in the order of secrets and versions.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn wrapped_by(
        &self,
        term: u32,
        after: Option<(SecretId, u32)>,
        limit: u32,
    ) -> Result<Vec<Wrapped>> {
        let (secret, version) = after.unwrap_or((SecretId::from_bytes([0; 16]), 0));
        self.read(body!(|tx| {
            let rows = tx
                .query(&OF_TERM, fields![term, secret, version, limit])
                .await?;
            rows.into_iter().map(wrapped).collect()
        }))
        .await
    }

    /// How many data keys are wrapped by terms older than `current`, counted up to `most`.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn wrapped_by_older(&self, current: u32, most: u32) -> Result<u64> {
        self.read(body!(|tx| {
            let row = tx.query(&OLDER, fields![current, most]).await?.pop();
            Ok(row.map_or(Ok(0), |row| row.int(0))?.unsigned_abs())
        }))
        .await
    }

    /// Replaces data keys of one workspace's secrets, each if it is still as it was read; answers how many were. Nodes that
    /// remember what they were read the new ones before their next use.
    ///
    /// # Errors
    /// [`StoreError::TermRetired`] when the new term is no longer one to seal under; then nothing is replaced.
    pub async fn rewrap(&self, workspace: WorkspaceId, rows: Vec<Rewrapped>) -> Result<usize> {
        let Some(term) = rows.first().map(|row| row.term) else {
            return Ok(0);
        };
        self.write(body!(|tx| {
            if tx.query(&LIVE_TERM, fields![term]).await?.is_empty() {
                return Err(StoreError::TermRetired(term));
            }
            let batch = Batch::keyed(&SWAP, Rows::new(rows.into_iter().map(swap)), 2);
            let swapped = tx.batches(vec![batch]).await?.pop().unwrap_or_default();
            if !swapped.is_empty() {
                tx.execute(&TOUCH, fields![workspace]).await?;
            }
            Ok(swapped.len())
        }))
        .await
    }

    /// Records that a round of rewrapping to `term` has moved `count` data keys.
    ///
    /// # Errors
    /// When the database can't be written.
    pub async fn record_rewrap(&self, term: u32, count: u64, actor: Actor) -> Result<()> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let now = tx.now().await?;
            let event = Event {
                term: Some(term),
                count: Some(u32::try_from(count).unwrap_or(u32::MAX)),
                ..Event::of(actor, Action::KeyRewrap)
            };
            let entries = event.entries(tx.query(&WORKSPACES, &[]).await?)?;
            audit::append(tx, keys.derived(Label::Audit), now, entries).await
        }))
        .await
    }
}
