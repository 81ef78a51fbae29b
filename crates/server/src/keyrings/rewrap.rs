//! Moving data keys to the current term, batch by batch: by an operator's command, and by every node in the background.
//! Several at once do no harm: each row is compared and swapped.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use padclock_api::{SecretId, WorkspaceId};
use padclock_store::{Actor, Rewrapped, Store, StoreError, Wrapped};
use padclock_vault::SealPlace;
use tokio_util::sync::CancellationToken;

use super::{Keyrings, KeysError, ToSeal};
use crate::keys::FIELD;
use crate::metrics::Metrics;
use crate::random::System;

/// Data keys in one batch of a command, and of a node beside its work.
const BATCH: u32 = 500;
const SMALL_BATCH: u32 = 100;
/// Between two looks at the terms, and between two batches.
const LOOK: Duration = Duration::from_secs(2);
const STEP: Duration = Duration::from_millis(100);
/// How many are counted that are still to be moved.
const COUNTED: u32 = 100_000;

/// How far a round is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Data keys moved.
    pub moved: u64,
    /// Data keys that do not open, and stay where they are.
    pub unreadable: u64,
}

/// A round through everything that older terms wrap.
pub(crate) struct Round<'a> {
    keyrings: &'a Keyrings,
    batch: u32,
    /// The term that everything moves to; a term that comes later has a round of its own.
    to: u32,
    /// The older terms that are left.
    terms: Vec<u32>,
    after: Option<(SecretId, u32)>,
    pub(crate) progress: Progress,
}

impl<'a> Round<'a> {
    fn new(keyrings: &'a Keyrings, batch: u32) -> Self {
        let now = keyrings.now();
        let to = now.current_term();
        Self {
            keyrings,
            batch,
            to,
            terms: now.terms().filter(|&term| term < to).rev().collect(),
            after: None,
            progress: Progress::default(),
        }
    }

    /// Moves the next batch; false when there is none.
    async fn step(&mut self, store: &Store) -> Result<bool, KeysError> {
        let Some(&term) = self.terms.last() else {
            return Ok(false);
        };
        let rows = store.wrapped_by(term, self.after, self.batch).await?;
        let Some(last) = rows.last() else {
            self.terms.pop();
            self.after = None;
            return Ok(true);
        };
        let after = Some((last.secret, last.version));
        let keyring = self
            .keyrings
            .to_seal(u32::try_from(rows.len()).unwrap_or(u32::MAX))
            .await?;
        for (workspace, rows) in by_workspace(rows) {
            let moved = self.rewrapped(&keyring, rows);
            self.progress.moved += store.rewrap(workspace, moved).await? as u64;
        }
        self.after = after;
        Ok(true)
    }

    fn rewrapped(&mut self, keyring: &ToSeal, rows: Vec<Wrapped>) -> Vec<Rewrapped> {
        let mut moved = Vec::with_capacity(rows.len());
        for was in rows {
            let at = SealPlace {
                workspace: *was.workspace.bytes(),
                secret: *was.secret.bytes(),
                version: was.version,
                field: FIELD,
                policy_hash: was.policy_hash,
            };
            match keyring.rewrap(&at, &was.sealed, &mut System::default()) {
                Ok(sealed) => moved.push(Rewrapped {
                    was,
                    term: sealed.term,
                    wrapped_key: sealed.wrapped_key,
                }),
                Err(_) => {
                    self.progress.unreadable += 1;
                    tracing::warn!(secret = %was.secret, version = was.version, "a data key does not open and stays under its term");
                }
            }
        }
        moved
    }
}

fn by_workspace(rows: Vec<Wrapped>) -> BTreeMap<WorkspaceId, Vec<Wrapped>> {
    let mut sorted: BTreeMap<WorkspaceId, Vec<Wrapped>> = BTreeMap::new();
    for row in rows {
        sorted.entry(row.workspace).or_default().push(row);
    }
    sorted
}

/// Moves everything that older terms wrap, and records it; tells after each batch how far it is.
pub(crate) async fn all(
    keyrings: &Keyrings,
    store: &Store,
    mut tell: impl FnMut(Progress),
) -> Result<Progress, KeysError> {
    let mut round = Round::new(keyrings, BATCH);
    while round.step(store).await? {
        tell(round.progress);
    }
    record(&round, store, Actor::System).await?;
    Ok(round.progress)
}

async fn record(round: &Round<'_>, store: &Store, actor: Actor) -> Result<(), StoreError> {
    match round.progress.moved {
        0 => Ok(()),
        moved => store.record_rewrap(round.to, moved, actor).await,
    }
}

/// What a node does about keys in the background.
pub(crate) struct Keeping {
    pub(crate) keyrings: Arc<Keyrings>,
    pub(crate) store: Arc<Store>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) node: Arc<str>,
}

impl Keeping {
    /// Learns of terms, and moves data keys to the current one, until the node stops.
    pub(crate) async fn run(self, stopping: CancellationToken) {
        // What could not be moved to a term is not tried again and again.
        let mut unreadable = (0, 0);
        loop {
            if let Err(error) = self.look(&mut unreadable, &stopping).await {
                tracing::warn!(%error, "the key terms could not be looked after");
            }
            if pause(LOOK, &stopping).await {
                return;
            }
        }
    }

    async fn look(
        &self,
        unreadable: &mut (u32, u64),
        stopping: &CancellationToken,
    ) -> Result<(), KeysError> {
        self.keyrings.learn().await?;
        let current = self.keyrings.now().current_term();
        let left = self.store.wrapped_by_older(current, COUNTED).await?;
        self.metrics.keys(current, left);
        let known = if unreadable.0 == current {
            unreadable.1
        } else {
            0
        };
        if left <= known {
            return Ok(());
        }
        let mut round = Round::new(&self.keyrings, SMALL_BATCH);
        loop {
            let before = round.progress.moved;
            let more = round.step(&self.store).await;
            self.metrics.rewrapped(round.progress.moved - before);
            if !more? {
                break;
            }
            if pause(STEP, stopping).await {
                break;
            }
        }
        *unreadable = (round.to, round.progress.unreadable);
        let actor = Actor::Node(Arc::clone(&self.node));
        Ok(record(&round, &self.store, actor).await?)
    }
}

/// Whether the node stops meanwhile.
async fn pause(time: Duration, stopping: &CancellationToken) -> bool {
    tokio::select! {
        () = tokio::time::sleep(time) => false,
        () = stopping.cancelled() => true,
    }
}
