//! The node's keyring as it changes while the node runs: terms that others have added are learnt, terms that were retired
//! are let go, and seals are counted before they are made.
//!
//! The root key stays here for that, in one place in memory, wiped when dropped: where it was read from may be gone, and a
//! term is needed at the moment it is met. Whoever can read this memory has all keys of the present terms beside it.

pub(crate) mod rewrap;

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use padclock_store::{Actor, KeyMaterial, Store, StoreError};
use padclock_vault::{KeyError, Keyring, RootKey};

use crate::random::System;

/// How many seals are counted ahead at once: what a crash leaves unused is lost, and counts as made.
const BLOCK: u32 = 4_096;
/// Random nonces of 96 bits: no key makes more seals than this (NIST SP 800-38D, 8.3).
const MOST_SEALS: u64 = 1 << 32;
/// How long a retired term can still open what this node has read before: longer than an attempt waits and runs.
const GRACE: Duration = Duration::from_secs(3_600);
/// How often a term is looked for that takes seals.
const TRIES: usize = 4;

/// Why keys can't be changed, or learnt.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A sealed key does not open.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// There are none.
    #[error("the database holds no keys yet: start a node on it first")]
    None,
    /// This process's root key does not open what is stored any more.
    #[error(
        "the root key was replaced while this process ran, and a key term was added since: start it again with the new root key"
    )]
    Replaced,
}

/// A keyring under which as many seals may be made as were asked for.
#[derive(Debug)]
pub(crate) struct ToSeal(Arc<Keyring>);

impl Deref for ToSeal {
    type Target = Keyring;

    fn deref(&self) -> &Keyring {
        &self.0
    }
}

/// Seals that are counted and not yet made.
#[derive(Debug, Default)]
struct Reserved {
    term: u32,
    left: u32,
}

/// The terms that are gone from the store, and since when this node knows.
type Gone = BTreeMap<u32, Instant>;

/// See the module.
pub(crate) struct Keyrings {
    now: RwLock<Arc<Keyring>>,
    root: RootKey,
    store: Arc<Store>,
    /// A new term comes when the current one has made this many seals.
    seals_per_term: u64,
    reserved: Mutex<Reserved>,
    /// Held while terms are learnt, so that it happens once.
    gone: tokio::sync::Mutex<Gone>,
    replaced: AtomicBool,
}

impl std::fmt::Debug for Keyrings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keyrings")
            .field("now", &self.now())
            .finish_non_exhaustive()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Keyrings {
    pub(crate) fn new(
        keyring: Arc<Keyring>,
        root: RootKey,
        store: Arc<Store>,
        seals_per_term: u64,
    ) -> Self {
        Self {
            now: RwLock::new(keyring),
            root,
            store,
            seals_per_term,
            reserved: Mutex::default(),
            gone: tokio::sync::Mutex::default(),
            replaced: AtomicBool::new(false),
        }
    }

    /// The keyring of this moment. Its derived keys are the same in all of them.
    pub(crate) fn now(&self) -> Arc<Keyring> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether terms have come that this process can't open, because its root key was replaced.
    pub(crate) fn is_replaced(&self) -> bool {
        self.replaced.load(Ordering::Relaxed)
    }

    /// Takes the store's terms in, as they are now.
    ///
    /// # Errors
    /// [`KeysError::Replaced`] when there are terms that this process's root key does not open.
    pub(crate) async fn learn(&self) -> Result<(), KeysError> {
        let mut gone = self.gone.lock().await;
        let material = self.store.key_material().await?.ok_or(KeysError::None)?;
        let known = self.now();
        let fresh = match Keyring::unlock(&self.root, &material.master, &material.terms) {
            Ok(fresh) => fresh,
            // Another root key opens it now. What is known serves as long as nothing is added.
            Err(KeyError::WrongRootKey) if covers(&known, &material) => return Ok(()),
            Err(KeyError::WrongRootKey) => {
                self.replaced.store(true, Ordering::Relaxed);
                return Err(KeysError::Replaced);
            }
            Err(error) => return Err(error.into()),
        };
        let now = Instant::now();
        gone.retain(|term, _| !fresh.has_term(*term));
        for term in known.terms().filter(|term| !fresh.has_term(*term)) {
            gone.entry(term).or_insert(now);
        }
        let in_grace = |term: u32| gone.get(&term).is_some_and(|&since| now - since < GRACE);
        let fresh = fresh.keeping(&known, in_grace);
        if fresh.current_term() != known.current_term() {
            tracing::info!(
                term = fresh.current_term(),
                "new seals use another key term"
            );
        }
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        Ok(())
    }

    /// The keyring that opens what `term` has sealed; when the term is strange, after a look at the store's terms. Whether it
    /// opens then is for the opening to say.
    ///
    /// # Errors
    /// When the terms can't be had.
    pub(crate) async fn for_term(&self, term: u32) -> Result<Arc<Keyring>, KeysError> {
        let now = self.now();
        if now.has_term(term) {
            return Ok(now);
        }
        self.learn().await?;
        Ok(self.now())
    }

    /// A keyring for so many seals under its current term, which are counted: the one way to a seal.
    ///
    /// # Errors
    /// When they can't be counted: then nothing may be sealed.
    pub(crate) async fn to_seal(&self, count: u32) -> Result<ToSeal, KeysError> {
        for _ in 0..TRIES {
            let keyring = self.now();
            let term = keyring.current_term();
            if self.take(term, count) {
                return Ok(ToSeal(keyring));
            }
            let block = BLOCK.max(count);
            match self.store.reserve_seals(term, block).await {
                Ok(total) => {
                    self.renew(term, total).await?;
                    self.put(term, block);
                }
                Err(StoreError::TermRetired(_)) => self.learn().await?,
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Unavailable("the key terms change too fast".to_owned()).into())
    }

    fn take(&self, term: u32, count: u32) -> bool {
        let mut reserved = locked(&self.reserved);
        match reserved.left.checked_sub(count) {
            Some(left) if reserved.term == term => {
                reserved.left = left;
                true
            }
            _ => false,
        }
    }

    fn put(&self, term: u32, count: u32) {
        let mut reserved = locked(&self.reserved);
        if reserved.term == term {
            reserved.left = reserved.left.saturating_add(count);
        } else {
            *reserved = Reserved { term, left: count };
        }
    }

    /// Sees to a new term when this one has made as many seals as a term may.
    async fn renew(&self, term: u32, seals: u64) -> Result<(), KeysError> {
        if seals < self.seals_per_term || self.now().current_term() != term {
            return Ok(());
        }
        match self.add_term(Actor::System, Some(term)).await {
            // Another node was first.
            Ok(_) | Err(KeysError::Store(StoreError::Changed)) => self.learn().await,
            Err(error) if seals >= MOST_SEALS => Err(error),
            Err(error) => {
                tracing::warn!(term, seals, %error, "the key term has made many seals, and no new one can be added");
                Ok(())
            }
        }
    }

    /// Adds a term to the store, and learns it; its number. It follows the term named, if one is: should others have come
    /// since, none is added.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when another process did so meanwhile, [`StoreError::RootKeyWaits`].
    pub(crate) async fn add_term(
        &self,
        actor: Actor,
        after: Option<u32>,
    ) -> Result<u32, KeysError> {
        let material = self.store.key_material().await?.ok_or(KeysError::None)?;
        let keyring = Keyring::unlock(&self.root, &material.master, &material.terms)?;
        if after.is_some_and(|after| after != keyring.current_term()) {
            return Err(StoreError::Changed.into());
        }
        let (_, new) = keyring.with_term(&self.root, &mut System::default())?;
        let term = new.term;
        self.store.add_term(material.master, new, actor).await?;
        self.learn().await?;
        Ok(term)
    }

    /// The root key, for the operator's commands.
    pub(crate) fn root(&self) -> &RootKey {
        &self.root
    }
}

/// Whether a keyring opens all terms that are stored.
fn covers(keyring: &Keyring, material: &KeyMaterial) -> bool {
    material
        .terms
        .iter()
        .all(|sealed| keyring.has_term(sealed.term))
}

#[cfg(test)]
mod tests;
