//! Versions of a secret: numbers that only grow, and no more than two of them.

use padclock_api::secret::VersionState::{self, Current, Previous};
use padclock_store::{Actor, NewVersion, Result, SecretRow, StoreError};

use crate::make::{stranger, version};
use crate::world::{World, on_both_engines};

on_both_engines!(
    a_rollback_makes_the_next_version,
    a_rollback_needs_the_revision_and_the_version,
    the_previous_version_is_retired_once,
    what_is_not_the_callers_has_no_versions,
);

async fn versions(world: &World, row: &SecretRow) -> Vec<(u32, VersionState)> {
    let listed = world
        .store
        .secret_versions(world.workspace, row.secret.id, world.owner)
        .await
        .unwrap();
    listed.iter().map(|one| (one.number, one.state)).collect()
}

async fn roll_back(
    world: &World,
    row: &SecretRow,
    number: u32,
    revision: u32,
) -> Result<SecretRow> {
    let id = row.secret.id;
    let new = NewVersion {
        version: number,
        unmaskable: false,
        short: true,
        egress: None,
        ttl_seconds: None,
        sealed: version(world, id, number, "value-one", None),
    };
    let place = (world.workspace, id);
    let store = &world.store;
    store
        .roll_back_secret(place, new, revision, Actor::System, world.owner)
        .await
}

async fn a_rollback_makes_the_next_version(world: World) {
    let first = world.secret(world.new_secret("KEY", "value-one")).await;
    assert_eq!(versions(&world, &first).await, [(1, Current)]);
    let second = world.replace(&world.store, &first, "value-two").await;
    let id = first.secret.id;
    let (row, previous) = world
        .store
        .previous_version(world.workspace, id, world.owner)
        .await
        .unwrap();
    let previous = previous.unwrap();
    assert_eq!((row.secret.version, previous.version), (2, 1));
    assert_eq!(world.open(&previous), "value-one");
    let back = roll_back(&world, &second, 3, second.revision)
        .await
        .unwrap();
    assert_eq!(
        (back.secret.version, back.revision),
        (3, second.revision + 1)
    );
    assert!(
        back.secret
            .warnings
            .iter()
            .any(|one| one.contains("8 bytes"))
    );
    assert_eq!(versions(&world, &back).await, [(3, Current), (2, Previous)]);
    let read = world
        .store
        .sealed_secret(world.workspace, id, world.owner)
        .await
        .unwrap();
    assert_eq!(world.open(&read.secret), "value-one");
    let recorded = "SELECT count(*) FROM audit WHERE action = 'secret.rollback'";
    assert_eq!(world.number(recorded).await, 1);
}

async fn a_rollback_needs_the_revision_and_the_version(world: World) {
    let first = world.secret(world.new_secret("KEY", "value-one")).await;
    let second = world.replace(&world.store, &first, "value-two").await;
    for (number, revision) in [(3, 1), (3, 3), (2, 2), (4, 2), (0, 2)] {
        let refused = roll_back(&world, &second, number, revision).await;
        assert_eq!(refused.unwrap_err(), StoreError::Changed);
    }
    // Retired between the reading and the writing: its value does not come back.
    let place = (world.workspace, first.secret.id);
    let store = &world.store;
    let retired = store.retire_previous(place, 2, Actor::System, world.owner);
    assert!(retired.await.unwrap().is_some());
    let refused = roll_back(&world, &second, 3, 2).await;
    assert_eq!(refused.unwrap_err(), StoreError::Changed);
    assert_eq!(versions(&world, &second).await, [(2, Current)]);
}

async fn the_previous_version_is_retired_once(world: World) {
    let first = world.secret(world.new_secret("KEY", "value-one")).await;
    let second = world.replace(&world.store, &first, "value-two").await;
    let place = (world.workspace, first.secret.id);
    let retire = |revision| {
        let store = &world.store;
        store.retire_previous(place, revision, Actor::System, world.owner)
    };
    assert_eq!(retire(1).await.unwrap_err(), StoreError::Changed);
    let row = retire(second.revision).await.unwrap().unwrap();
    assert_eq!((row.secret.version, row.revision), (2, 3));
    assert!(retire(3).await.unwrap().is_none());
    let previous = world
        .store
        .previous_version(world.workspace, first.secret.id, world.owner)
        .await
        .unwrap();
    assert!(previous.1.is_none());
    let recorded = world
        .raw("SELECT detail FROM audit WHERE action = 'secret.retire'")
        .await;
    assert_eq!(recorded.len(), 1);
    let detail = recorded[0][0].clone().unwrap();
    assert!(detail.contains("\"version\":1"), "{detail}");
}

async fn what_is_not_the_callers_has_no_versions(world: World) {
    let mut own = world.new_secret("OWN", "some-value");
    own.owner = Some(stranger());
    let row = world.secret(own).await;
    let (id, store) = (row.secret.id, &world.store);
    let listed = store.secret_versions(world.workspace, id, world.owner);
    assert_eq!(listed.await.unwrap_err(), StoreError::NotFound);
    let read = store.previous_version(world.workspace, id, world.owner);
    assert_eq!(read.await.unwrap_err(), StoreError::NotFound);
    let sealed = store.sealed_secret(world.workspace, id, world.owner);
    assert_eq!(sealed.await.unwrap_err(), StoreError::NotFound);
    let refused = roll_back(&world, &row, 2, 1).await;
    assert_eq!(refused.unwrap_err(), StoreError::NotFound);
    let place = (world.workspace, id);
    let retired = store.retire_previous(place, 1, Actor::System, world.owner);
    assert_eq!(retired.await.unwrap_err(), StoreError::NotFound);
}
