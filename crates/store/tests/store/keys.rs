//! Key terms and root keys, step by step, as if the process had ended after each: what each step leaves behind opens.

use padclock_store::{Actor, KeyMaterial, Retired, Rewrapped, Store, StoreError, Wrapped};
use padclock_vault::{Keyring, RootKey, SealPlace, SealedMaster, SealedTerm};

use crate::world::{Seeded, World, on_both_engines};

on_both_engines!(
    a_term_is_added_once,
    data_keys_move_row_by_row_and_only_as_they_were_read,
    a_retired_term_takes_no_more_seals,
    seals_are_counted_before_they_are_made,
    another_root_key_is_inert_until_it_is_proved,
    another_root_key_can_be_withdrawn,
);

/// The root key of every world.
fn root() -> RootKey {
    RootKey::generate(&mut Seeded(7))
}

async fn material(store: &Store) -> KeyMaterial {
    store.key_material().await.unwrap().unwrap()
}

/// What a start finds, with this root key.
async fn unlocked(store: &Store, root: &RootKey) -> Keyring {
    let KeyMaterial { master, terms } = material(store).await;
    Keyring::unlock(root, &master, &terms).unwrap()
}

async fn next_term(store: &Store) -> (SealedMaster, SealedTerm, Keyring) {
    let keyring = unlocked(store, &root()).await;
    let (keyring, term) = keyring.with_term(&root(), &mut Seeded(9)).unwrap();
    (material(store).await.master, term, keyring)
}

async fn rotated(store: &Store) -> Keyring {
    let (master, term, keyring) = next_term(store).await;
    store.add_term(master, term, Actor::System).await.unwrap();
    keyring
}

fn rewrapped(keyring: &Keyring, was: &Wrapped) -> Rewrapped {
    let at = SealPlace {
        workspace: *was.workspace.bytes(),
        secret: *was.secret.bytes(),
        version: was.version,
        field: "value",
        policy_hash: was.policy_hash,
    };
    let sealed = keyring.rewrap(&at, &was.sealed, &mut Seeded(11)).unwrap();
    Rewrapped {
        was: was.clone(),
        term: sealed.term,
        wrapped_key: sealed.wrapped_key,
    }
}

async fn rows_by_term(store: &Store) -> Vec<u64> {
    let terms = store.terms().await.unwrap();
    terms.iter().map(|term| term.rows).collect()
}

async fn a_term_is_added_once(world: World) {
    let (second, _) = world.other_workspace().await;
    let (master, term, _) = next_term(&world.store).await;
    let other = world.other_store().await;
    let both = tokio::join!(
        world
            .store
            .add_term(master.clone(), term.clone(), Actor::System),
        other.add_term(master.clone(), term.clone(), Actor::System)
    );
    let added = [&both.0, &both.1].iter().filter(|one| one.is_ok()).count();
    assert_eq!(added, 1, "{both:?}");
    let refused = [both.0, both.1].into_iter().find_map(Result::err);
    assert_eq!(refused, Some(StoreError::Changed));
    let gap = SealedTerm { term: 4, ..term };
    let refused = world
        .store
        .add_term(master, gap.clone(), Actor::System)
        .await;
    assert_eq!(refused, Err(StoreError::Changed));
    let foreign = SealedMaster(vec![1; 60]);
    let refused = world.store.add_term(foreign, gap, Actor::System).await;
    assert_eq!(refused, Err(StoreError::Changed));
    assert_eq!(unlocked(&other, &root()).await.current_term(), 2);
    for workspace in [world.workspace, second] {
        let of = world.hex(workspace.bytes());
        let recorded = format!(
            "SELECT count(*) FROM audit WHERE workspace_id = {of} AND action = 'key.rotate' AND target = 'v2' AND actor = 'system'"
        );
        assert_eq!(world.number(&recorded).await, 1);
    }
}

async fn data_keys_move_row_by_row_and_only_as_they_were_read(world: World) {
    for name in ["A", "B", "C"] {
        world
            .secret(world.new_secret(name, "a-value-of-its-own"))
            .await;
    }
    let keyring = rotated(&world.store).await;
    assert_eq!(rows_by_term(&world.store).await, [3, 0]);
    assert_eq!(world.store.wrapped_by_older(2, 2).await.unwrap(), 2);
    let first = world.store.wrapped_by(1, None, 2).await.unwrap();
    assert_eq!(first.len(), 2);
    let after = first.last().map(|row| (row.secret, row.version));
    let rest = world.store.wrapped_by(1, after, 2).await.unwrap();
    assert_eq!(rest.len(), 1);
    let revision = "SELECT max(secrets_revision) FROM workspaces";
    let before = world.number(revision).await;
    let rows: Vec<_> = first.iter().map(|row| rewrapped(&keyring, row)).collect();
    let moved = world
        .store
        .rewrap(world.workspace, rows.clone())
        .await
        .unwrap();
    assert_eq!((moved, rows_by_term(&world.store).await), (2, vec![1, 2]));
    // Caches of what was read before are out of date.
    assert_eq!(world.number(revision).await, before + 1);
    // The same again finds nothing as it was read, and tells nobody.
    let again = world
        .other_store()
        .await
        .rewrap(world.workspace, rows)
        .await;
    assert_eq!(
        (again.unwrap(), world.number(revision).await),
        (0, before + 1)
    );
    // A row that was altered since it was read stays as it is.
    let mut stale = rewrapped(&keyring, &rest[0]);
    stale.was.sealed.wrapped_key[0] ^= 1;
    let refused = world.store.rewrap(world.workspace, vec![stale]).await;
    assert_eq!(
        (refused.unwrap(), rows_by_term(&world.store).await),
        (0, vec![1, 2])
    );
    let rows = vec![rewrapped(&keyring, &rest[0])];
    assert_eq!(world.store.rewrap(world.workspace, rows).await.unwrap(), 1);
    assert_eq!(world.store.wrapped_by_older(2, 10).await.unwrap(), 0);
    world
        .store
        .record_rewrap(2, 3, Actor::System)
        .await
        .unwrap();
    let counted =
        "SELECT count(*) FROM audit WHERE action = 'key.rewrap' AND detail = '{\"count\":3}'";
    assert_eq!(world.number(counted).await, 1);
}

async fn a_retired_term_takes_no_more_seals(world: World) {
    world
        .secret(world.new_secret("A", "a-value-of-its-own"))
        .await;
    let retire = |term| world.store.retire_term(term, Actor::System);
    assert_eq!(retire(1).await, Ok(Retired::Current));
    assert_eq!(retire(2).await, Ok(Retired::Unknown));
    let keyring = rotated(&world.store).await;
    assert_eq!(retire(1).await, Ok(Retired::InUse(1)));
    let rows = world.store.wrapped_by(1, None, 10).await.unwrap();
    let rows = rows.iter().map(|row| rewrapped(&keyring, row)).collect();
    world.store.rewrap(world.workspace, rows).await.unwrap();
    assert_eq!(retire(1).await, Ok(Retired::Now));
    assert_eq!(retire(1).await, Ok(Retired::Before));
    // A node that has not heard of it seals under it still: that is refused, and nothing of it is stored.
    let late = world.new_secret("LATE", "a-value-of-its-own");
    assert_eq!(late.sealed.term, 1);
    let refused = world
        .store
        .create_secret(late, Actor::System, world.owner)
        .await;
    assert_eq!(refused.unwrap_err(), StoreError::TermRetired(1));
    let refused = world.store.reserve_seals(1, 5).await;
    assert_eq!(refused, Err(StoreError::TermRetired(1)));
    assert_eq!(world.number("SELECT count(*) FROM secrets").await, 1);
    let gone = "SELECT count(*) FROM key_terms WHERE term = 1 AND length(sealed) = 0 AND retired_at IS NOT NULL";
    assert_eq!(world.number(gone).await, 1);
    let open = unlocked(&world.store, &root()).await;
    assert_eq!(open.terms().collect::<Vec<_>>(), [2]);
    // The number of a term never comes again.
    assert_eq!(rotated(&world.store).await.current_term(), 3);
}

async fn seals_are_counted_before_they_are_made(world: World) {
    let other = world.other_store().await;
    let both = tokio::join!(
        world.store.reserve_seals(1, 4_096),
        other.reserve_seals(1, 10)
    );
    assert_eq!(both.0.unwrap().max(both.1.unwrap()), 4_106);
    let terms = world.store.terms().await.unwrap();
    assert_eq!(
        (terms.len(), terms[0].seals, terms[0].retired_at),
        (1, 4_106, None)
    );
}

/// The keys as another root key seals them, laid down.
async fn prepared(world: &World, new: &RootKey) -> KeyMaterial {
    let present = material(&world.store).await;
    let (master, terms) = Keyring::reseal(
        &root(),
        new,
        &present.master,
        &present.terms,
        &mut Seeded(21),
    )
    .unwrap();
    let next = |terms: &[SealedTerm]| KeyMaterial {
        master: master.clone(),
        terms: terms.to_vec(),
    };
    let mark = root().mark(&mut Seeded(22));
    let done = world
        .store
        .prepare_root(present, next(&terms), mark, Actor::System);
    done.await.unwrap();
    next(&terms)
}

async fn another_root_key_is_inert_until_it_is_proved(world: World) {
    rotated(&world.store).await;
    let new = RootKey::generate(&mut Seeded(20));
    let next = prepared(&world, &new).await;
    // The process ends here: a start with the old root key finds all as it was.
    let store = world.other_store().await;
    assert_eq!(unlocked(&store, &root()).await.current_term(), 2);
    let (master, term, _) = next_term(&store).await;
    let refused = store.add_term(master, term, Actor::System).await;
    assert_eq!(refused, Err(StoreError::RootKeyWaits));
    let waiting = store.root_change().await.unwrap();
    assert!(waiting.replaced.is_none());
    let waiting = waiting.next.unwrap();
    let proved = Keyring::unlock(&new, &waiting.master, &waiting.terms).unwrap();
    assert_eq!(proved.current_term(), 2);
    // Two starts prove it at once: one puts it in place.
    let present = material(&store).await.master;
    let both = tokio::join!(
        store.promote_root(present.clone(), next.master.clone(), Actor::System),
        world
            .store
            .promote_root(present.clone(), next.master.clone(), Actor::System)
    );
    assert!(both.0.is_ok() != both.1.is_ok(), "{both:?}");
    // And here: only the new one opens it, and the old one is known for what it was.
    let store = world.other_store().await;
    assert_eq!(unlocked(&store, &new).await.current_term(), 2);
    let KeyMaterial { master, terms } = material(&store).await;
    assert!(Keyring::unlock(&root(), &master, &terms).is_err());
    let after = store.root_change().await.unwrap();
    assert!(after.next.is_none());
    let mark = after.replaced.unwrap();
    assert!(root().has_made(&mark) && !new.has_made(&mark));
    let left = "SELECT count(*) FROM key_terms WHERE sealed_next IS NOT NULL";
    assert_eq!(world.number(left).await, 0);
    let recorded =
        "SELECT count(*) FROM audit WHERE action IN ('root_key.prepare', 'root_key.replace')";
    assert_eq!(world.number(recorded).await, 2);
}

async fn another_root_key_can_be_withdrawn(world: World) {
    let new = RootKey::generate(&mut Seeded(20));
    let present = material(&world.store).await.master;
    let withdraw = || world.store.withdraw_root(present.clone(), Actor::System);
    assert_eq!(withdraw().await, Ok(false));
    let next = prepared(&world, &new).await;
    assert_eq!(withdraw().await, Ok(true));
    let refused = world
        .store
        .promote_root(present.clone(), next.master, Actor::System);
    assert_eq!(refused.await, Err(StoreError::Changed));
    assert!(world.store.root_change().await.unwrap().next.is_none());
    assert_eq!(rotated(&world.store).await.current_term(), 2);
    // What was sealed for a set of terms is refused for another.
    let late = material(&world.store).await;
    let short = KeyMaterial {
        master: SealedMaster(vec![2; 60]),
        terms: late.terms[..1].to_vec(),
    };
    let refused = world
        .store
        .prepare_root(late, short, Vec::new(), Actor::System);
    assert_eq!(refused.await, Err(StoreError::Changed));
    assert!(world.store.root_change().await.unwrap().next.is_none());
}
