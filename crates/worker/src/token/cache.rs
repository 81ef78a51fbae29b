//! The tokens that are kept, in memory alone: until they expire, and at most so many. Whoever needs one that is being asked for waits
//! for it, and shares what comes of it. Nothing here knows how one is asked for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use padclock_api::{SecretId, WorkspaceId};
use padclock_job::Moment;
use padclock_vault::Value;
use tokio::time::Instant;

use crate::failure::{Failure, FailureKind};

/// The most tokens that are kept; those used longest ago go first.
const MOST: usize = 1024;
/// So many seconds before its end a token is not used any more: a request takes its time. Half its life at most.
const MARGIN: u64 = 30;

/// What tells one token from another. Made of no value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) workspace: WorkspaceId,
    /// Of the token request, its secrets by their ids.
    pub(super) identity: [u8; 32],
    /// The secrets in it by version: whoever writes an id out instead of naming the secret gets another token.
    pub(super) secrets: Vec<(SecretId, u32)>,
}

/// An access token, wiped when nobody holds it any more.
#[derive(Debug)]
pub(crate) struct Token {
    pub(super) value: Value,
    until: Moment,
}

impl Token {
    /// A token that was asked for at this moment and lives so many seconds from then on.
    pub(super) fn new(value: Value, asked: Moment, seconds: u64) -> Self {
        let used = seconds - MARGIN.min(seconds / 2);
        Self {
            value,
            until: asked.plus_seconds(i64::try_from(used).unwrap_or(i64::MAX)),
        }
    }
}

/// The tokens of one worker.
#[derive(Default)]
pub(crate) struct Tokens {
    slots: Mutex<Slots>,
}

#[derive(Default)]
struct Slots {
    by_key: HashMap<Key, Entry>,
    /// Counts the uses, to know which was the last.
    clock: u64,
}

struct Entry {
    slot: Arc<Slot>,
    used: u64,
}

impl Tokens {
    /// The place of one token. Others that ask for the same meet there.
    pub(super) fn slot(&self, key: Key) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.clock += 1;
        let used = slots.clock;
        if !slots.by_key.contains_key(&key) {
            slots.make_room();
        }
        let entry = slots.by_key.entry(key).or_insert_with(|| Entry {
            slot: Arc::default(),
            used,
        });
        entry.used = used;
        Arc::clone(&entry.slot)
    }
}

impl Slots {
    fn make_room(&mut self) {
        if self.by_key.len() < MOST {
            return;
        }
        // A slot that someone holds stays, so that no token is asked for twice at a time.
        let idle = self
            .by_key
            .iter()
            .filter(|(_, entry)| Arc::strong_count(&entry.slot) == 1);
        let oldest = idle.min_by_key(|(_, entry)| entry.used);
        if let Some(key) = oldest.map(|(key, _)| key.clone()) {
            self.by_key.remove(&key);
        }
    }
}

/// One token's place: one at a time asks for it.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    asking: tokio::sync::Mutex<Option<Failed>>,
    token: Mutex<Option<Arc<Token>>>,
}

/// How the last asking failed, and when.
#[derive(Debug)]
struct Failed {
    at: Instant,
    failure: Failure,
}

impl Slot {
    /// A token that holds now and is not the one that was refused, and whether it was asked for since this call began. Whoever waited
    /// while another asked in vain is told the same, and does not ask again.
    pub(super) async fn get(
        &self,
        now: Moment,
        refused: Option<&Arc<Token>>,
        ask: impl AsyncFnOnce() -> Result<Token, Failure>,
    ) -> Result<(Arc<Token>, bool), Failure> {
        if let Some(token) = self.kept(now, refused) {
            return Ok((token, false));
        }
        let begun = Instant::now();
        let mut last = self.asking.lock().await;
        if let Some(token) = self.kept(now, refused) {
            return Ok((token, true));
        }
        if let Some(failed) = last.as_ref().filter(|failed| failed.at >= begun) {
            return Err(failed.failure.clone());
        }
        match ask().await {
            Ok(token) => {
                let token = Arc::new(token);
                *last = None;
                *self.token() = Some(Arc::clone(&token));
                Ok((token, true))
            }
            Err(failure) => {
                // How long one attempt may take says nothing of the others.
                *last = (failure.kind != FailureKind::Timeout).then(|| Failed {
                    at: Instant::now(),
                    failure: failure.clone(),
                });
                Err(failure)
            }
        }
    }

    fn kept(&self, now: Moment, refused: Option<&Arc<Token>>) -> Option<Arc<Token>> {
        let mut kept = self.token();
        // Dropped at once, not when the next one comes: an expired token is of no use to anyone.
        let over = |token: &Arc<Token>| {
            token.until <= now || refused.is_some_and(|refused| Arc::ptr_eq(refused, token))
        };
        if kept.as_ref().is_some_and(over) {
            *kept = None;
        }
        kept.clone()
    }

    /// Drops this token, unless another has taken its place.
    pub(super) fn forget(&self, token: &Arc<Token>) {
        let mut kept = self.token();
        if kept.as_ref().is_some_and(|kept| Arc::ptr_eq(kept, token)) {
            *kept = None;
        }
    }

    fn token(&self) -> MutexGuard<'_, Option<Arc<Token>>> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
