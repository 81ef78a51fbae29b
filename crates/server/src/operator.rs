//! What the host's operator does, with keys above all: on the same database as the nodes, beside them, while they run.

use std::path::PathBuf;
use std::sync::Arc;

use padclock_store::{Actor, KeyMaterial, Retired, Store, StoreError, Term};
use padclock_vault::Keyring;

use crate::bootstrap::{self, StartError};
use crate::keyrings::rewrap::{self, Progress};
use crate::keyrings::{Keyrings, KeysError};
use crate::random::System;
use crate::root_key::{self, RootKeyError, RootKeySource};
use crate::set_up::{self, SetUpLink};
use crate::settings::Settings;

/// Why an operator's command did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// The database or the root key.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The keys.
    #[error(transparent)]
    Keys(KeysError),
    /// Another operator's command was first.
    #[error("another command has changed the keys just now: look at `padclock keys list`")]
    Raced,
    /// A root key waits.
    #[error(
        "another root key waits to be proved by a start: start a node with it, or withdraw it by `padclock keys rotate-root --abort`"
    )]
    RootKeyWaits,
    /// The new root key can't be had.
    #[error(transparent)]
    RootKey(#[from] RootKeyError),
    /// The new root key is the present one.
    #[error("the new root key is the present one")]
    SameRootKey,
    /// Nobody owns the workspace `default`.
    #[error("the workspace default has no owner: there is nobody to make a link for")]
    NoOwner,
    /// Where the link should lead isn't known.
    #[error("the node's port is chosen when it starts: say where it is reached by --public-url")]
    NoAddress,
    /// There is nothing to withdraw.
    #[error("no root key waits")]
    NoneWaits,
}

impl From<KeysError> for OperatorError {
    fn from(error: KeysError) -> Self {
        match error {
            KeysError::Store(error) => error.into(),
            error => Self::Keys(error),
        }
    }
}

impl From<StoreError> for OperatorError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Changed | StoreError::Conflict(_) => Self::Raced,
            StoreError::RootKeyWaits => Self::RootKeyWaits,
            error => Self::Keys(KeysError::Store(error)),
        }
    }
}

/// Makes a link by which the first owner chooses (again) what they sign in with; an earlier one ends. It is audited.
///
/// # Errors
/// As a node's start; [`OperatorError::NoOwner`]; [`OperatorError::NoAddress`] when the settings don't say where the node is
/// reached.
pub async fn set_up_link(settings: &Settings) -> Result<SetUpLink, OperatorError> {
    if settings.public_url.is_none() && settings.listen.port() == 0 {
        return Err(OperatorError::NoAddress);
    }
    let base = settings.public_url_at(settings.listen);
    let (store, keyring, _root) = bootstrap::open_made(settings).await?;
    match set_up::make(&store, &keyring, &base).await {
        Err(StoreError::NotFound) => Err(OperatorError::NoOwner),
        made => Ok(made?),
    }
}

/// The keys of a store, opened by its root key.
#[derive(Debug)]
pub struct OperatorKeys {
    store: Arc<Store>,
    keyrings: Keyrings,
    data: PathBuf,
}

/// The terms of a store.
#[derive(Debug)]
pub struct Terms {
    /// All there have been, oldest first.
    pub terms: Vec<Term>,
    /// The one that new values are sealed under.
    pub current: u32,
    /// Whether another root key waits to be proved by a start.
    pub root_key_waits: bool,
}

impl OperatorKeys {
    /// Opens the database that these settings name, which a node must have made, and proves the root key.
    ///
    /// # Errors
    /// As a node's start.
    pub async fn open(settings: &Settings) -> Result<Self, OperatorError> {
        let (store, keyring, root) = bootstrap::open_made(settings).await?;
        Ok(Self {
            keyrings: Keyrings::new(keyring, root, Arc::clone(&store), settings.seals_per_term),
            store,
            data: settings.data.clone(),
        })
    }

    /// The terms, with how much each wraps and has sealed.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn terms(&self) -> Result<Terms, OperatorError> {
        Ok(Terms {
            terms: self.store.terms().await?,
            current: self.keyrings.now().current_term(),
            root_key_waits: self.store.root_change().await?.next.is_some(),
        })
    }

    /// Adds a term, which new values are sealed under; its number.
    ///
    /// # Errors
    /// [`OperatorError::Raced`], [`OperatorError::RootKeyWaits`].
    pub async fn rotate(&self) -> Result<u32, OperatorError> {
        Ok(self.keyrings.add_term(Actor::System, None).await?)
    }

    /// Moves all data keys to the current term. Cut off at any moment, it goes on where it was when it is called again.
    ///
    /// # Errors
    /// When the database can't be written.
    pub async fn rewrap(&self, tell: impl FnMut(Progress)) -> Result<Progress, OperatorError> {
        self.keyrings.learn().await?;
        Ok(rewrap::all(&self.keyrings, &self.store, tell).await?)
    }

    /// Destroys the key of a term that wraps nothing any more.
    ///
    /// # Errors
    /// When the database can't be written.
    pub async fn retire(&self, term: u32) -> Result<Retired, OperatorError> {
        Ok(self.store.retire_term(term, Actor::System).await?)
    }

    /// A new root key in `root.key.new` beside the kept one, mode 0600; one that is there already is used.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn generate_root_key(&self) -> Result<PathBuf, OperatorError> {
        let path = self.data.join("root.key.new");
        root_key::generate(&path)?;
        Ok(path)
    }

    /// Lays down the keys as another root key seals them. They are inert until a start has proved it.
    ///
    /// # Errors
    /// [`OperatorError::SameRootKey`], [`OperatorError::RootKeyWaits`].
    pub async fn prepare_root_key(&self, new: &RootKeySource) -> Result<(), OperatorError> {
        let mut rng = System::default();
        let (new, _) = new.load(false, true, &mut rng)?;
        let root = self.keyrings.root();
        let present = self.store.key_material().await?.ok_or(KeysError::None)?;
        if Keyring::unlock(&new, &present.master, &present.terms).is_ok() {
            return Err(OperatorError::SameRootKey);
        }
        let (master, terms) =
            Keyring::reseal(root, &new, &present.master, &present.terms, &mut rng)
                .map_err(KeysError::Key)?;
        let next = KeyMaterial { master, terms };
        // Read back before it is stored: what the new root key does not open would lock everyone out.
        Keyring::unlock(&new, &next.master, &next.terms).map_err(KeysError::Key)?;
        let mark = root.mark(&mut rng);
        let prepared = self.store.prepare_root(present, next, mark, Actor::System);
        Ok(prepared.await?)
    }

    /// Withdraws a root key that waits.
    ///
    /// # Errors
    /// [`OperatorError::NoneWaits`]; [`OperatorError::Raced`] when a start has proved it just now.
    pub async fn withdraw_root_key(&self) -> Result<(), OperatorError> {
        let present = self.store.key_material().await?.ok_or(KeysError::None)?;
        match self
            .store
            .withdraw_root(present.master, Actor::System)
            .await?
        {
            true => Ok(()),
            false => Err(OperatorError::NoneWaits),
        }
    }
}
