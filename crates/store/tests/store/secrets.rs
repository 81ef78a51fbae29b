//! Secrets: metadata, versions, and who may see them.

use padclock_api::secret::{Reveal, Scope, SecretPatch};
use padclock_store::{Actor, NewVersion, StoreError};
use padclock_vault::EgressPolicy;

use crate::make::{ALL, elsewhere, stranger, version};
use crate::world::{World, on_both_engines};

on_both_engines!(
    a_secret_comes_back_as_it_was_made,
    a_name_is_taken_once_per_environment_and_scope,
    lists_are_paged,
    what_is_not_the_callers_is_not_found,
    a_value_is_replaced_and_the_previous_one_kept,
    a_patch_changes_what_is_named,
    a_deleted_secret_is_gone_with_its_versions,
);

async fn a_secret_comes_back_as_it_was_made(world: World) {
    let mut new = world.new_secret("KEY", "hunter22hunter22");
    new.egress = Some(EgressPolicy {
        hosts: vec!["api.example.com".to_owned()],
        ..EgressPolicy::default()
    });
    new.description = Some("for the API".to_owned());
    new.reveal = Reveal::Never;
    new.rotate_every_days = Some(30);
    new.ttl_seconds = Some(60);
    new.short = true;
    let id = new.id;
    let before = world.now().await;
    let made = world.secret(new).await;
    let read = world
        .store
        .get_secret(world.workspace, id, world.owner)
        .await
        .unwrap();
    for row in [made, read] {
        let secret = row.secret;
        assert_eq!(
            (secret.id, secret.name.as_str(), secret.environment.as_str()),
            (id, "KEY", "production")
        );
        assert_eq!(
            (secret.version, secret.key_version.as_str(), row.revision),
            (1, "v1", 1)
        );
        assert_eq!(
            (secret.scope, secret.reveal, secret.unmaskable),
            (Scope::Workspace, Reveal::Never, false)
        );
        assert_eq!(secret.egress.unwrap().hosts, ["api.example.com"]);
        assert_eq!(
            (secret.description.as_deref(), secret.rotate_every_days),
            (Some("for the API"), Some(30))
        );
        assert!(secret.expires_at.unwrap() >= before.plus_millis(60_000));
        assert_eq!(secret.warnings.len(), 1, "{:?}", secret.warnings);
        assert!(secret.warnings[0].contains("under 8 bytes"));
    }
}

async fn a_name_is_taken_once_per_environment_and_scope(world: World) {
    world.secret(world.new_secret("KEY", "first-value")).await;
    let again = world
        .store
        .create_secret(
            world.new_secret("KEY", "other-value"),
            Actor::System,
            world.owner,
        )
        .await;
    assert_eq!(
        again.unwrap_err(),
        StoreError::Conflict("a secret with this name")
    );
    let mut everywhere = world.new_secret("KEY", "value-value");
    everywhere.environment = ALL.to_owned();
    world.secret(everywhere).await;
    for owner in [world.owner, stranger()] {
        let mut own = world.new_secret("KEY", "value-value");
        own.owner = Some(owner);
        assert_eq!(world.secret(own).await.secret.scope, Scope::User);
        let mut own = world.new_secret("KEY", "value-value");
        own.owner = Some(owner);
        let again = world.store.create_secret(own, Actor::System, owner).await;
        assert!(matches!(again, Err(StoreError::Conflict(_))));
    }
    assert_eq!(world.number("SELECT count(*) FROM secrets").await, 4);
    assert_eq!(
        world.number("SELECT count(*) FROM secret_versions").await,
        4
    );
    assert_eq!(world.number("SELECT count(*) FROM audit").await, 6);
}

async fn lists_are_paged(world: World) {
    let mut made = Vec::new();
    for number in 0..5 {
        made.push(
            world
                .secret(world.new_secret(&format!("KEY_{number}"), "some-value"))
                .await
                .secret
                .id,
        );
    }
    let mut own = world.new_secret("OWN", "some-value");
    own.owner = Some(stranger());
    world.secret(own).await;
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = world
            .store
            .list_secrets(world.workspace, world.owner, None, (after, 2))
            .await
            .unwrap();
        assert!(page.len() <= 2);
        seen.extend(page.iter().map(|row| row.secret.id));
        match page.last() {
            Some(last) => after = Some(last.secret.id),
            None => break,
        }
    }
    assert_eq!(seen, made);
    let strangers = world
        .store
        .list_secrets(world.workspace, stranger(), None, (None, 100))
        .await
        .unwrap();
    assert_eq!(strangers.len(), 6);
    assert!(
        world
            .store
            .list_secrets(elsewhere(), world.owner, None, (None, 100))
            .await
            .unwrap()
            .is_empty()
    );
}

async fn what_is_not_the_callers_is_not_found(world: World) {
    let mut own = world.new_secret("OWN", "some-value");
    own.owner = Some(stranger());
    let own = world.secret(own).await.secret.id;
    let shared = world
        .secret(world.new_secret("SHARED", "some-value"))
        .await
        .secret
        .id;
    let (other, _) = world.other_workspace().await;
    for (workspace, id) in [
        (world.workspace, own),
        (other, shared),
        (elsewhere(), shared),
    ] {
        let store = &world.store;
        let caller = world.owner;
        assert_eq!(
            store.get_secret(workspace, id, caller).await.unwrap_err(),
            StoreError::NotFound
        );
        let patched = store
            .patch_secret(
                workspace,
                id,
                SecretPatch::default(),
                None,
                Actor::System,
                caller,
            )
            .await;
        assert_eq!(patched.unwrap_err(), StoreError::NotFound);
        let deleted = store
            .delete_secret(workspace, id, Actor::System, caller)
            .await;
        assert_eq!(deleted.unwrap_err(), StoreError::NotFound);
        let new = NewVersion {
            version: 2,
            unmaskable: false,
            short: false,
            egress: None,
            ttl_seconds: None,
            sealed: version(&world, id, 2, "x", None),
        };
        let replaced = store
            .replace_secret(workspace, id, new, Actor::System, caller)
            .await;
        assert_eq!(replaced.unwrap_err(), StoreError::NotFound);
    }
    assert!(
        world
            .store
            .get_secret(world.workspace, own, stranger())
            .await
            .is_ok()
    );
    assert_eq!(world.number("SELECT count(*) FROM audit").await, 4);
}

async fn a_value_is_replaced_and_the_previous_one_kept(world: World) {
    let first = world.secret(world.new_secret("KEY", "value-one")).await;
    let id = first.secret.id;
    let second = world.replace(&world.store, &first, "value-two").await;
    assert_eq!((second.secret.version, second.revision), (2, 2));
    for stale in [0, 1, 2, 4] {
        let sealed = version(&world, id, stale, "value", None);
        let new = NewVersion {
            version: stale,
            unmaskable: false,
            short: false,
            egress: None,
            ttl_seconds: None,
            sealed,
        };
        let refused = world
            .store
            .replace_secret(world.workspace, id, new, Actor::System, world.owner)
            .await;
        assert_eq!(refused.unwrap_err(), StoreError::Changed, "version {stale}");
    }
    let kept = world
        .raw("SELECT version FROM secret_versions ORDER BY version")
        .await;
    assert_eq!(kept, [[Some("1".to_owned())], [Some("2".to_owned())]]);
    world.replace(&world.store, &second, "value-three").await;
    let kept = world
        .raw("SELECT version FROM secret_versions ORDER BY version")
        .await;
    assert_eq!(kept, [[Some("2".to_owned())], [Some("3".to_owned())]]);
    assert_eq!(
        world
            .number("SELECT count(*) FROM audit WHERE action = 'secret.replace'")
            .await,
        2
    );
}

async fn a_patch_changes_what_is_named(world: World) {
    let mut new = world.new_secret("KEY", "value-one");
    new.rotate_every_days = Some(7);
    let first = world.secret(new).await;
    let patch = |text: Option<Option<&str>>, rotate| SecretPatch {
        description: text.map(|text| text.map(str::to_owned)),
        rotate_every_days: rotate,
        egress: None,
    };
    let store = &world.store;
    let (workspace, id, owner) = (world.workspace, first.secret.id, world.owner);
    let row = store
        .patch_secret(
            workspace,
            id,
            patch(Some(Some("new")), None),
            Some(1),
            Actor::System,
            owner,
        )
        .await
        .unwrap();
    assert_eq!(row.secret.description.as_deref(), Some("new"));
    assert_eq!(
        (
            row.secret.rotate_every_days,
            row.revision,
            row.secret.version
        ),
        (Some(7), 2, 1)
    );
    let stale = store
        .patch_secret(
            workspace,
            id,
            patch(None, Some(None)),
            Some(1),
            Actor::System,
            owner,
        )
        .await;
    assert_eq!(stale.unwrap_err(), StoreError::Changed);
    let row = store
        .patch_secret(
            workspace,
            id,
            patch(Some(None), Some(None)),
            None,
            Actor::System,
            owner,
        )
        .await
        .unwrap();
    assert_eq!(
        (
            row.secret.description,
            row.secret.rotate_every_days,
            row.revision
        ),
        (None, None, 3)
    );
    assert_eq!(
        world
            .number("SELECT count(*) FROM audit WHERE action = 'secret.update'")
            .await,
        2
    );
}

async fn a_deleted_secret_is_gone_with_its_versions(world: World) {
    let first = world.secret(world.new_secret("KEY", "value-one")).await;
    world.replace(&world.store, &first, "value-two").await;
    let id = first.secret.id;
    world
        .store
        .delete_secret(world.workspace, id, Actor::System, world.owner)
        .await
        .unwrap();
    assert_eq!(
        world
            .store
            .get_secret(world.workspace, id, world.owner)
            .await
            .unwrap_err(),
        StoreError::NotFound
    );
    assert_eq!(
        world.number("SELECT count(*) FROM secret_versions").await,
        0
    );
    assert_eq!(
        world
            .number("SELECT count(*) FROM audit WHERE action = 'secret.delete'")
            .await,
        1
    );
    world.secret(world.new_secret("KEY", "value-three")).await;
}
