//! What time does: secrets end and are wiped once, new values come due and are told of once, approvals run out.

use padclock_store::{Actor, End, NewVersion, StoreError};

use crate::make::{ALL, node, version, with_header};
use crate::policies::{only, proposed};
use crate::world::{World, on_both_engines};

on_both_engines!(
    an_ended_secret_is_wiped_once_by_any_node,
    what_has_not_ended_stays,
    a_name_is_free_as_soon_as_its_secret_has_ended,
    a_new_value_renews_the_time_to_live_or_keeps_it,
    a_due_value_is_told_once_per_version,
    a_change_of_policy_does_not_count_as_a_rotation,
    an_approval_runs_out,
);

const DAY: i64 = 86_400_000;

async fn actions(world: &World, action: &str) -> i64 {
    world
        .number(&format!(
            "SELECT count(*) FROM audit WHERE action = '{action}'"
        ))
        .await
}

async fn end_all(world: &World) {
    world
        .raw("UPDATE secrets SET expires_at = 1000 WHERE expires_at IS NOT NULL")
        .await;
}

async fn an_ended_secret_is_wiped_once_by_any_node(world: World) {
    // More than one batch.
    for number in 0..60 {
        let mut new = world.new_secret(&format!("KEY_{number}"), "value-one");
        new.ttl_seconds = Some(60);
        world.secret(new).await;
    }
    let mut wider = world.new_secret("KEY_1", "wider-value");
    wider.environment = ALL.to_owned();
    world.secret(wider).await;
    world
        .raw("INSERT INTO secret_uses (secret_id, at) SELECT id, 5 FROM secrets")
        .await;
    end_all(&world).await;
    let (job, _) = world.due_job(with_header("sync", "secret://KEY_1")).await;
    let claimed = world.claim_one().await;
    assert!(claimed.secrets.is_empty(), "ended at once");
    assert!(world.finish(&claimed, End::Succeeded).await);

    let other = world.other_store().await;
    let mut wiped = 0;
    for _ in 0..4 {
        let (one, two) = tokio::join!(
            world.store.wipe_ended_secrets(node("n1")),
            other.wipe_ended_secrets(node("n2"))
        );
        wiped += one.unwrap() + two.unwrap();
    }
    assert_eq!(wiped, 60);
    assert_eq!(actions(&world, "secret.expire").await, 60);
    for table in ["secrets", "secret_versions", "secret_uses"] {
        let left = format!("SELECT count(*) FROM {table}");
        assert_eq!(world.number(&left).await, 1, "{table}");
    }
    assert_eq!(world.store.wipe_ended_secrets(node("n1")).await, Ok(0));
    // As after a deletion, the wider one of the name is the one that is meant.
    world
        .due_at(job.id, world.now().await.plus_millis(-1))
        .await;
    let claimed = world.claim(10).await;
    assert_eq!(world.open(&claimed[0].secrets[0].1), "wider-value");
    assert!(world.finish(&claimed[0], End::Succeeded).await);
}

async fn what_has_not_ended_stays(world: World) {
    world.secret(world.new_secret("FOREVER", "value-one")).await;
    let mut new = world.new_secret("LATER", "value-one");
    new.ttl_seconds = Some(600);
    world.secret(new).await;
    assert_eq!(world.store.wipe_ended_secrets(node("n1")).await, Ok(0));
    assert_eq!(world.number("SELECT count(*) FROM secrets").await, 2);
}

async fn a_name_is_free_as_soon_as_its_secret_has_ended(world: World) {
    let mut new = world.new_secret("KEY", "value-one");
    new.ttl_seconds = Some(60);
    let first = world.secret(new).await;
    let again = || {
        let new = world.new_secret("KEY", "value-two");
        world.store.create_secret(new, Actor::System, world.owner)
    };
    assert!(matches!(again().await, Err(StoreError::Conflict(_))));
    end_all(&world).await;
    let second = again().await.unwrap();
    assert_ne!(first.secret.id, second.secret.id);
    assert_eq!(
        (
            actions(&world, "secret.expire").await,
            world.number("SELECT count(*) FROM secret_versions").await
        ),
        (1, 1)
    );
}

async fn a_new_value_renews_the_time_to_live_or_keeps_it(world: World) {
    let mut new = world.new_secret("KEY", "value-one");
    new.ttl_seconds = Some(60);
    let first = world.secret(new).await;
    let id = first.secret.id;
    let next = |number, ttl_seconds| NewVersion {
        version: number,
        unmaskable: false,
        short: false,
        egress: None,
        ttl_seconds,
        sealed: version(&world, id, number, "value", None),
    };
    let replace = |new| {
        world
            .store
            .replace_secret(world.workspace, id, new, Actor::System, world.owner)
    };
    let kept = replace(next(2, None)).await.unwrap().secret;
    assert_eq!(kept.expires_at, first.secret.expires_at);
    let now = world.now().await;
    let renewed = replace(next(3, Some(6_000))).await.unwrap().secret;
    assert!(renewed.expires_at.unwrap() >= now.plus_millis(6_000_000));
    end_all(&world).await;
    // What has ended is not brought back.
    assert_eq!(
        replace(next(4, Some(60))).await.unwrap_err(),
        StoreError::Ended
    );
}

async fn a_due_value_is_told_once_per_version(world: World) {
    let mut new = world.new_secret("KEY", "value-one");
    new.rotate_every_days = Some(30);
    let row = world.secret(new).await;
    let due_at = row.secret.rotation_due_at.unwrap();
    assert_eq!(due_at, row.secret.rotated_at.unwrap().plus_millis(30 * DAY));
    world.secret(world.new_secret("OTHER", "value-one")).await;
    let tell = || world.store.tell_due_secrets(node("n1"));
    assert_eq!(tell().await.unwrap(), []);
    let age = |days: i64| {
        let sql = format!(
            "UPDATE secret_versions SET created_at = created_at - {}",
            days * DAY
        );
        async { world.raw(&{ sql }).await }
    };
    age(33).await;
    let other = world.other_store().await;
    let (one, two) = tokio::join!(tell(), other.tell_due_secrets(node("n2")));
    let told = [one.unwrap(), two.unwrap()].concat();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].name.as_str(), told[0].version), ("KEY", 1));
    assert_eq!(tell().await.unwrap(), []);
    assert_eq!(world.store.count_due_secrets().await, Ok(1));
    let list = || {
        world
            .store
            .list_due_secrets(world.workspace, world.owner, None, (None, 10))
    };
    let listed = list().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].secret.overdue_days, Some(3));
    let elsewhere = world
        .store
        .list_due_secrets(world.workspace, world.owner, Some("staging"), (None, 10))
        .await;
    assert!(elsewhere.unwrap().is_empty());

    world.replace(&world.store, &row, "value-two").await;
    assert_eq!(world.store.count_due_secrets().await, Ok(0));
    assert!(list().await.unwrap().is_empty());
    age(31).await;
    assert_eq!(tell().await.unwrap()[0].version, 2);
    assert_eq!(actions(&world, "secret.rotation_due").await, 2);
}

async fn a_change_of_policy_does_not_count_as_a_rotation(world: World) {
    let mut new = world.new_secret("KEY", "value-one");
    new.rotate_every_days = Some(1);
    let row = world.secret(new).await;
    world
        .raw(&format!(
            "UPDATE secret_versions SET created_at = created_at - {}",
            2 * DAY
        ))
        .await;
    assert_eq!(
        world
            .store
            .tell_due_secrets(node("n1"))
            .await
            .unwrap()
            .len(),
        1
    );
    let approval = proposed(&world, row.secret.id, Some(only("a.example")), world.owner)
        .await
        .unwrap();
    crate::policies::approved_by_another(&world, &approval).await;
    assert_eq!(world.store.tell_due_secrets(node("n1")).await.unwrap(), []);
    assert_eq!(
        world.store.count_due_secrets().await,
        Ok(1),
        "it is still due"
    );
}

async fn an_approval_runs_out(world: World) {
    let row = world.secret(world.new_secret("KEY", "value-one")).await;
    let approval = proposed(&world, row.secret.id, Some(only("a.example")), world.owner)
        .await
        .unwrap();
    assert_eq!(world.store.expire_approvals(node("n1")).await, Ok(0));
    world.raw("UPDATE approvals SET expires_at = 5").await;
    let other = world.other_store().await;
    let (one, two) = tokio::join!(
        world.store.expire_approvals(node("n1")),
        other.expire_approvals(node("n2"))
    );
    assert_eq!(one.unwrap() + two.unwrap(), 1);
    let found = world.store.get_approval(world.workspace, approval.id).await;
    assert_eq!(found.unwrap().approval.state.word(), "expired");
    assert_eq!(actions(&world, "approval.expire").await, 1);
}
