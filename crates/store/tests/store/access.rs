//! First start, key material, tokens.

use std::sync::Arc;

use padclock_store::{Actor, Store, StoreError};
use padclock_vault::{Keyring, RootKey};

use crate::make::hourly;
use crate::world::{Engine, Place, Seeded, World, first_start, on_both_engines, token};

on_both_engines!(
    a_first_start_is_made_once,
    keys_come_back_as_stored,
    the_owners_token_is_found,
    an_ended_token_is_not_found,
    a_url_of_another_kind_is_refused
);

async fn a_first_start_is_made_once(world: World) {
    let (keyring, second) = first_start(8);
    assert!(
        !world
            .store
            .first_start(second, Arc::new(keyring))
            .await
            .unwrap()
    );
    assert_eq!(world.number("SELECT count(*) FROM workspaces").await, 1);
    assert_eq!(world.number("SELECT count(*) FROM tokens").await, 1);
    assert_eq!(world.number("SELECT count(*) FROM key_terms").await, 1);
}

async fn first(store: &Store, seed: u64) -> Result<bool, StoreError> {
    let (keyring, first) = first_start(seed);
    store.first_start(first, Arc::new(keyring)).await
}

async fn race(engine: Engine) {
    let place = Place::make(engine).await;
    let url = place.url.clone();
    let outcome = tokio::spawn(async move {
        let one = Store::open(&url).await.unwrap();
        let two = Store::open(&url).await.unwrap();
        assert!(one.key_material().await.unwrap().is_none());
        let (a, b) = tokio::join!(first(&one, 1), first(&two, 2));
        let won = [a.unwrap(), b.unwrap()];
        assert_eq!(won.iter().filter(|won| **won).count(), 1, "{won:?}");
        let seed = if won[0] { 1 } else { 2 };
        let root = RootKey::generate(&mut Seeded(seed));
        let keys = two.key_material().await.unwrap().unwrap();
        Keyring::unlock(&root, &keys.master, &keys.terms).unwrap();
    })
    .await;
    place.remove().await;
    outcome.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_nodes_one_makes_the_first_start_on_sqlite() {
    race(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_nodes_one_makes_the_first_start_on_postgres() {
    race(Engine::Postgres).await;
}

async fn keys_come_back_as_stored(world: World) {
    let keys = world.store.key_material().await.unwrap().unwrap();
    let (_, first) = first_start(7);
    assert_eq!(keys.master.0, first.keys.master.0);
    assert_eq!(keys.terms.len(), 1);
    assert_eq!(keys.terms[0].sealed, first.keys.terms[0].sealed);
}

async fn the_owners_token_is_found(world: World) {
    let found = world.store.find_token([1; 32]).await.unwrap().unwrap();
    assert_eq!(
        (found.workspace, found.user),
        (world.workspace, world.owner)
    );
    assert_eq!(
        (found.workspace_name.as_str(), found.role.as_str()),
        ("default", "owner")
    );
    assert_eq!(found.name, "token 1");
    assert!(world.store.find_token([5; 32]).await.unwrap().is_none());

    world.store.ensure_owner_token(token(3)).await.unwrap();
    world.store.ensure_owner_token(token(3)).await.unwrap();
    assert_eq!(
        world.store.find_token([3; 32]).await.unwrap().unwrap().user,
        world.owner
    );
    assert_eq!(
        world
            .number("SELECT count(*) FROM audit WHERE action = 'token.create'")
            .await,
        2
    );
    let actor = world.raw("SELECT actor FROM audit").await;
    assert_eq!(
        actor[0][0].as_deref(),
        Some(Actor::System.to_string().as_str())
    );
}

async fn an_ended_token_is_not_found(world: World) {
    world.raw("UPDATE tokens SET expires_at = 1000").await;
    assert!(world.store.find_token([1; 32]).await.unwrap().is_none());
    let later = world.now().await.millis() + 60_000;
    world
        .raw(&format!("UPDATE tokens SET expires_at = {later}"))
        .await;
    assert!(world.store.find_token([1; 32]).await.unwrap().is_some());
}

async fn a_url_of_another_kind_is_refused(world: World) {
    let error = Store::open("mysql://x/y").await.unwrap_err();
    assert!(
        matches!(&error, StoreError::Unavailable(text) if text.contains("sqlite://")),
        "{error}"
    );
    assert_eq!(world.store.file().is_some(), world.engine == Engine::Sqlite);
    world.job(hourly("still open")).await;
}
