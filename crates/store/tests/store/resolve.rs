//! Which secrets a claim finds, and that no node goes on with what was changed or removed.

use std::sync::Arc;

use padclock_store::{Actor, Claimed, End, SealedSecret, Store};
use padclock_vault::EgressPolicy;

use crate::make::{ALL, LONG, node, stranger, with_header};
use crate::world::{World, on_both_engines};

on_both_engines!(
    the_narrowest_secret_is_found,
    what_another_node_changes_is_seen_at_once,
    a_secret_that_has_ended_is_absent,
    a_policy_edited_in_the_database_no_longer_opens_the_value,
    names_of_another_workspace_mean_nothing,
);

fn values(world: &World, claimed: &Claimed) -> Vec<(String, String)> {
    let one = |(reference, secret): &(padclock_template::SecretRef, Arc<SealedSecret>)| {
        (reference.name.clone(), world.open(secret))
    };
    claimed.secrets.iter().map(one).collect()
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

async fn the_narrowest_secret_is_found(world: World) {
    let mut everywhere = world.new_secret("KEY", "of all environments");
    everywhere.environment = ALL.to_owned();
    world.secret(everywhere).await;
    world.secret(world.new_secret("KEY", "of production")).await;
    let mut own = world.new_secret("KEY", "the owner's own");
    own.owner = Some(world.owner);
    world.secret(own).await;
    let mut others = world.new_secret("OTHER", "someone else's own");
    others.owner = Some(stranger());
    world.secret(others).await;

    world.due_job(with_header("braces", "{{secret.KEY}}")).await;
    assert_eq!(
        values(&world, &world.claim_one().await),
        [pair("KEY", "the owner's own")]
    );
    world
        .due_job(with_header(
            "uri",
            "secret://KEY secret://OTHER secret://NONE secret://KEY",
        ))
        .await;
    assert_eq!(
        values(&world, &world.claim_one().await),
        [pair("KEY", "of production")]
    );
    let mut staging = with_header("staging", "secret://KEY");
    staging.environment = Some("staging".to_owned());
    world.due_job(staging).await;
    assert_eq!(
        values(&world, &world.claim_one().await),
        [pair("KEY", "of all environments")]
    );
}

async fn run(world: &World, store: &Store, claimed: Option<&Claimed>) -> Claimed {
    match claimed {
        None => drop(world.due_job(with_header("sync", "secret://KEY")).await),
        Some(claimed) => {
            assert!(
                world
                    .finish(
                        claimed,
                        End::Retry {
                            at: padclock_job::Moment::from_millis(0)
                        }
                    )
                    .await
            );
        }
    }
    let mut claimed = store.claim(node("n1"), 10, LONG).await.unwrap();
    assert_eq!(claimed.len(), 1);
    claimed.remove(0)
}

async fn what_another_node_changes_is_seen_at_once(world: World) {
    let other = world.other_store().await;
    let first = run(&world, &world.store, None).await;
    assert!(first.secrets.is_empty());
    let made = other
        .create_secret(
            world.new_secret("KEY", "value one"),
            Actor::System,
            world.owner,
        )
        .await
        .unwrap();
    let second = run(&world, &world.store, Some(&first)).await;
    assert_eq!(values(&world, &second), [pair("KEY", "value one")]);
    world.replace(&other, &made, "value two").await;
    let third = run(&world, &world.store, Some(&second)).await;
    assert_eq!(values(&world, &third), [pair("KEY", "value two")]);
    other
        .delete_secret(world.workspace, made.secret.id, Actor::System, world.owner)
        .await
        .unwrap();
    let fourth = run(&world, &world.store, Some(&third)).await;
    assert!(fourth.secrets.is_empty());
    assert_eq!(
        world
            .number("SELECT count(*) FROM audit WHERE action = 'secret.use'")
            .await,
        2
    );
}

async fn a_secret_that_has_ended_is_absent(world: World) {
    let mut short = world.new_secret("KEY", "value one");
    short.ttl_seconds = Some(3_600);
    world.secret(short).await;
    let first = run(&world, &world.store, None).await;
    assert_eq!(first.secrets.len(), 1);
    // The cache knows the secret; its end comes by the clock, with no change to tell of.
    world.raw("UPDATE secrets SET expires_at = 1").await;
    let other = world.other_store().await;
    let second = run(&world, &other, Some(&first)).await;
    assert!(second.secrets.is_empty());
}

async fn a_policy_edited_in_the_database_no_longer_opens_the_value(world: World) {
    let policy = EgressPolicy {
        hosts: vec!["a.example.com".to_owned()],
        ..EgressPolicy::default()
    };
    let mut bound = world.new_secret("KEY", "value one");
    bound.sealed = crate::make::version(&world, bound.id, 1, "value one", Some(&policy));
    bound.egress = Some(policy);
    world.secret(bound).await;
    let first = run(&world, &world.store, None).await;
    assert_eq!(values(&world, &first), [pair("KEY", "value one")]);
    world
        .raw("UPDATE secrets SET egress = '{\"hosts\":[\"b.example.com\"]}'")
        .await;
    let other = world.other_store().await;
    let second = run(&world, &other, Some(&first)).await;
    let secret = &second.secrets[0].1;
    assert_eq!(
        secret.policy_hash,
        EgressPolicy::hash(secret.egress.as_ref())
    );
    assert_ne!(secret.policy_hash, first.secrets[0].1.policy_hash);
}

async fn names_of_another_workspace_mean_nothing(world: World) {
    let (other, _) = world.other_workspace().await;
    let mut foreign = world.new_secret("KEY", "foreign");
    foreign.workspace = other;
    world
        .store
        .create_secret(foreign, Actor::System, world.owner)
        .await
        .unwrap();
    assert!(run(&world, &world.store, None).await.secrets.is_empty());
}
