//! Nodes that learn of each other's terms, seals that are counted, and a root key that is replaced under a running node.

use std::fs::File;
use std::path::PathBuf;

use padclock_vault::Randomness;

use super::*;
use crate::bootstrap;
use crate::operator::OperatorKeys;
use crate::root_key::RootKeySource;
use crate::settings::Settings;

/// A database of its own with a first start made in it, removed at the end.
struct Place {
    settings: Settings,
    store: Arc<Store>,
    _lock: Option<File>,
}

impl Place {
    async fn new(seals_per_term: u64) -> Self {
        let mut name = [0; 8];
        System::default().fill(&mut name);
        let name = format!("padclock-keyrings-{:016x}", u64::from_be_bytes(name));
        let settings = Settings {
            seals_per_term,
            ..Settings::new(std::env::temp_dir().join(name))
        };
        let opened = bootstrap::open(&settings).await.unwrap();
        Self {
            settings,
            store: opened.store,
            _lock: opened.lock,
        }
    }

    /// A node that starts now, with the root key in this file.
    async fn node_with(&self, file: PathBuf) -> Keyrings {
        let source = RootKeySource::File(file);
        let (root, _) = source.load(false, true, &mut System::default()).unwrap();
        let material = self.store.key_material().await.unwrap().unwrap();
        let keyring = Keyring::unlock(&root, &material.master, &material.terms).unwrap();
        let store = Arc::clone(&self.store);
        Keyrings::new(Arc::new(keyring), root, store, self.settings.seals_per_term)
    }

    async fn node(&self) -> Keyrings {
        self.node_with(self.settings.data.join("root.key")).await
    }

    async fn seals(&self) -> Vec<u64> {
        let terms = self.store.terms().await.unwrap();
        terms.iter().map(|term| term.seals).collect()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let removed = std::fs::remove_dir_all(&self.settings.data);
        assert!(removed.is_ok() || std::thread::panicking(), "{removed:?}");
    }
}

#[tokio::test]
async fn seals_are_counted_in_blocks_ahead() {
    let place = Place::new(1 << 31).await;
    let node = place.node().await;
    for _ in 0..BLOCK {
        node.to_seal(1).await.unwrap();
    }
    assert_eq!(place.seals().await, [u64::from(BLOCK)]);
    node.to_seal(1).await.unwrap();
    assert_eq!(place.seals().await, [2 * u64::from(BLOCK)]);
    // What a node that ended has not used is lost, and another's are its own.
    let other = place.node().await;
    other.to_seal(10 * BLOCK).await.unwrap();
    assert_eq!(place.seals().await, [12 * u64::from(BLOCK)]);
}

#[tokio::test]
async fn a_term_that_has_sealed_enough_is_followed_by_another() {
    let place = Place::new(10_000).await;
    let (node, other) = (place.node().await, place.node().await);
    for _ in 0..2 {
        assert_eq!(node.to_seal(BLOCK).await.unwrap().current_term(), 1);
    }
    assert_eq!(node.to_seal(BLOCK).await.unwrap().current_term(), 2);
    assert_eq!(place.seals().await, [12_288, 4_096]);
    // Another node finds that it has come, and makes no third.
    assert_eq!(other.now().current_term(), 1);
    assert_eq!(other.to_seal(BLOCK).await.unwrap().current_term(), 2);
    assert_eq!(place.seals().await.len(), 2);
}

#[tokio::test]
async fn a_term_is_learnt_when_it_is_met() {
    let place = Place::new(1 << 31).await;
    let (node, other) = (place.node().await, place.node().await);
    assert_eq!(node.add_term(Actor::System, None).await.unwrap(), 2);
    assert!(node.now().has_term(2) && !other.now().has_term(2));
    assert!(other.for_term(2).await.unwrap().has_term(2));
    assert_eq!(other.now().current_term(), 2);
    // One that is nowhere is no error here: what it has sealed does not open.
    assert!(!other.for_term(9).await.unwrap().has_term(9));
}

#[tokio::test]
async fn a_retired_term_opens_what_is_on_its_way_and_nothing_at_the_next_start() {
    let place = Place::new(1 << 31).await;
    let node = place.node().await;
    node.add_term(Actor::System, None).await.unwrap();
    place.store.retire_term(1, Actor::System).await.unwrap();
    node.learn().await.unwrap();
    assert!(node.now().has_term(1));
    assert_eq!(node.now().current_term(), 2);
    assert!(!place.node().await.now().has_term(1));
}

#[tokio::test]
async fn a_node_goes_on_with_a_replaced_root_key_until_a_term_is_added() {
    let place = Place::new(1 << 31).await;
    let node = place.node().await;
    let keys = OperatorKeys::open(&place.settings).await.unwrap();
    let file = keys.generate_root_key().unwrap();
    assert_eq!(keys.generate_root_key().unwrap(), file, "it is made once");
    let new = RootKeySource::File(file.clone());
    keys.prepare_root_key(&new).await.unwrap();
    let present = place.store.key_material().await.unwrap().unwrap().master;
    let next = place.store.root_change().await.unwrap().next.unwrap();
    let promoted = place
        .store
        .promote_root(present, next.master, Actor::System);
    promoted.await.unwrap();
    node.learn().await.unwrap();
    assert!(!node.is_replaced());
    assert!(node.add_term(Actor::System, None).await.is_err());
    let renewed = place.node_with(file).await;
    assert_eq!(renewed.add_term(Actor::System, None).await.unwrap(), 2);
    let refused = node.for_term(2).await;
    assert!(matches!(refused, Err(KeysError::Replaced)), "{refused:?}");
    assert!(node.is_replaced());
    // What it knows it can still open.
    assert!(node.now().has_term(1));
}
