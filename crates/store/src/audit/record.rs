//! Records that stand alone: what a caller does that changes nothing else, such as a value that is read back.
//!
//! Those that wait share one transaction, so that a chain's lock and the disk are paid for once for all of them. Each
//! caller is answered after the commit, and all of them with its failure when it fails: no record, no answer.

use std::mem::take;
use std::sync::{Arc, Mutex, PoisonError};

use padclock_api::WorkspaceId;
use padclock_vault::{Keyring, Label};
use tokio::sync::oneshot;

use super::{Action, Actor, Detail, Entry, append};
use crate::error::{Result, StoreError};
use crate::field::fields;
use crate::tx::Sql;
use crate::{Engine, Store, body};

/// The most records that share a transaction.
const GROUP: usize = 512;

struct Waiting {
    entry: Entry,
    tell: oneshot::Sender<Result<()>>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Waiting>,
    /// Whether somebody is writing; whoever comes meanwhile waits for the next group.
    busy: bool,
}

/// Records that wait for their group.
#[derive(Default)]
pub(crate) struct Recorder(Mutex<Queue>);

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Recorder")
    }
}

impl Recorder {
    /// Puts a record in; true for the one who must see to the writing.
    fn put(&self, one: Waiting) -> bool {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        queue.waiting.push(one);
        !std::mem::replace(&mut queue.busy, true)
    }

    /// The next group; when there is none, nobody is busy any more.
    fn next(&self) -> Vec<Waiting> {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.waiting.len() > GROUP {
            return queue.waiting.drain(..GROUP).collect();
        }
        queue.busy = !queue.waiting.is_empty();
        take(&mut queue.waiting)
    }
}

async fn write(engine: &Engine, keys: Arc<Keyring>, entries: Vec<Entry>) -> Result<()> {
    engine
        .write(body!(|tx| {
            let now = tx.now().await?;
            append(tx, keys.derived(Label::Audit), now, entries).await
        }))
        .await
}

/// Writes groups until nobody waits.
async fn drain(engine: Arc<Engine>, recorder: Arc<Recorder>, keys: Arc<Keyring>) {
    loop {
        let group = recorder.next();
        if group.is_empty() {
            return;
        }
        let entries = group.iter().map(|one| one.entry.clone()).collect();
        let written = write(&engine, Arc::clone(&keys), entries).await;
        // One whose chain is broken must not stand in the way of the others.
        if matches!(written, Err(StoreError::Damaged(_))) && group.len() > 1 {
            for one in group {
                let alone = write(&engine, Arc::clone(&keys), vec![one.entry]).await;
                let _ = one.tell.send(alone);
            }
            continue;
        }
        for one in group {
            // A caller that has gone away does not need the answer.
            let _ = one.tell.send(written.clone());
        }
    }
}

static TOUCH: Sql = Sql::both("UPDATE audit_heads SET seq = seq WHERE workspace_id = $1");

impl Store {
    /// Tries whether records can be written: a write to a chain's head that changes nothing, made durable.
    ///
    /// # Errors
    /// When it can't be.
    pub async fn try_audit(&self) -> Result<()> {
        let workspace = self.first_workspace().await?;
        self.write(body!(|tx| tx
            .execute(&TOUCH, fields![workspace])
            .await
            .map(drop)))
            .await
    }

    /// Records what a caller does that changes nothing in the database. **The record is durable when this answers `Ok`;
    /// on an error nothing may be released.** For the reveal of a value: call this first, open the value after it.
    ///
    /// What writes rows does not use this: its record belongs into its own transaction, by `audit::append`.
    ///
    /// # Errors
    /// When the record can't be written: [`StoreError::Unavailable`] (the disk is full, the database is gone),
    /// [`StoreError::AuditLocked`], [`StoreError::Damaged`] when the workspace has no chain.
    pub async fn record(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        action: Action,
        target: impl Into<String>,
        detail: Detail,
    ) -> Result<()> {
        let keys = self.keys()?;
        let entry = Entry {
            workspace,
            actor: actor.to_string(),
            action,
            target: target.into(),
            detail,
        };
        let (tell, told) = oneshot::channel();
        if self.recorder.put(Waiting { entry, tell }) {
            // It goes on when this caller goes away: others count on it.
            let (engine, recorder) = (Arc::clone(&self.engine), Arc::clone(&self.recorder));
            tokio::spawn(drain(engine, recorder, keys));
        }
        told.await
            .map_err(|_| StoreError::Unavailable("the record was not written".to_owned()))?
    }
}
