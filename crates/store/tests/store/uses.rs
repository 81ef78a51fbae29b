//! The last uses of secrets, and secrets as other systems' lists have them.

use std::collections::BTreeMap;

use padclock_api::secret::SecretUsed;
use padclock_api::{ExecutionId, JobId, SecretId};
use padclock_job::Moment;
use padclock_store::{Actor, SecretFilter};

use crate::make::{ALL, stranger};
use crate::world::{World, on_both_engines};

on_both_engines!(
    the_newest_few_uses_are_kept,
    a_deleted_secret_has_no_uses,
    a_list_by_offset_has_its_total,
);

fn used(number: u8) -> SecretUsed {
    SecretUsed {
        execution: ExecutionId::from_bytes([number; 16]),
        job_id: JobId::from_bytes([7; 16]),
        at: Moment::from_millis(i64::from(number) * 1_000),
    }
}

async fn record(world: &World, secret: SecretId, numbers: &[u8]) {
    let uses = numbers.iter().copied().map(used).collect();
    let batch = BTreeMap::from([(secret, uses)]);
    world.store.record_uses(batch).await.unwrap();
}

async fn kept(world: &World, secret: SecretId) -> Vec<SecretUsed> {
    let mut uses = world.store.secret_uses(vec![secret]).await.unwrap();
    uses.remove(&secret).unwrap_or_default()
}

async fn the_newest_few_uses_are_kept(world: World) {
    let secret = world.secret(world.new_secret("KEY", "some-value")).await;
    let other = world.secret(world.new_secret("IDLE", "some-value")).await;
    let id = secret.secret.id;
    world.store.record_uses(BTreeMap::new()).await.unwrap();
    assert!(kept(&world, id).await.is_empty());
    record(&world, id, &[1, 2]).await;
    assert_eq!(kept(&world, id).await, [used(2), used(1)]);
    // What another node wrote late takes its place by time, and a repetition takes none.
    record(&world, id, &[9, 4, 4, 2, 3]).await;
    assert_eq!(kept(&world, id).await, [9, 4, 3, 2, 1].map(used));
    record(&world, id, &[5, 6]).await;
    assert_eq!(kept(&world, id).await, [9, 6, 5, 4, 3].map(used));
    assert!(kept(&world, other.secret.id).await.is_empty());
    let times = world.store.secret_times(vec![id, other.secret.id]).await;
    let times = times.unwrap();
    assert_eq!(times[&id].used_at, Some(Moment::from_millis(9_000)));
    assert_eq!(times[&other.secret.id].used_at, None);
    assert_eq!(times[&id].rotated_at, None);
    let replaced = world.replace(&world.store, &secret, "another-value").await;
    let times = world.store.secret_times(vec![id]).await.unwrap();
    assert_eq!(times[&id].rotated_at, Some(replaced.secret.updated_at));
}

async fn a_deleted_secret_has_no_uses(world: World) {
    let id = world
        .secret(world.new_secret("KEY", "some-value"))
        .await
        .secret
        .id;
    record(&world, id, &[1]).await;
    let deleted = world
        .store
        .delete_secret(world.workspace, id, Actor::System, world.owner);
    deleted.await.unwrap();
    record(&world, id, &[2]).await;
    assert_eq!(world.number("SELECT count(*) FROM secret_uses").await, 0);
}

async fn a_list_by_offset_has_its_total(world: World) {
    let (workspace, owner) = (world.workspace, world.owner);
    for (name, environment, of) in [
        ("A", ALL, None),
        ("B", "staging", None),
        ("C", "production", Some(owner)),
        ("D", ALL, Some(stranger())),
    ] {
        let mut new = world.new_secret(name, "some-value");
        environment.clone_into(&mut new.environment);
        new.owner = of;
        world.secret(new).await;
    }
    let found = async |own, environment: Option<&str>, limit, offset| {
        let filter = SecretFilter {
            own,
            environment: environment.map(str::to_owned),
        };
        let (rows, total) = world
            .store
            .secrets_from(workspace, filter, limit, offset)
            .await
            .unwrap();
        let names: Vec<String> = rows.into_iter().map(|row| row.secret.name).collect();
        (names.concat(), total)
    };
    let is = |names: &str, total| (names.to_owned(), total);
    assert_eq!(found(Some(owner), None, 10, 0).await, is("ABC", 3));
    assert_eq!(found(Some(owner), None, 2, 1).await, is("BC", 3));
    assert_eq!(found(Some(owner), None, 2, 3).await, is("", 3));
    assert_eq!(found(None, None, 10, 0).await, is("AB", 2));
    assert_eq!(found(None, Some("production"), 10, 0).await, is("A", 1));
    assert_eq!(
        found(Some(owner), Some("staging"), 10, 0).await,
        is("AB", 2)
    );
    for (own, name, there) in [
        (None, "B", true),
        (None, "C", false),
        (Some(owner), "C", true),
        (Some(owner), "D", false),
    ] {
        let has = world.store.has_secret(workspace, own, name.to_owned());
        assert_eq!(has.await.unwrap(), there, "{name}");
    }
}
