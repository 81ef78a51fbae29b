//! A claim whose commit fails leaves nothing behind in memory: what it read may never have been.
//! SQLite only, where a claim shares its commit with the writes before it.

use std::task::Poll;

use futures_util::poll;
use padclock_store::{Actor, End, JobEdit, NewVersion, StoreError};

use crate::make::{LONG, compiled, hourly, new_job, node, version, with_header};
use crate::world::{Engine, World, run};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_failed_commit_had_read_is_forgotten() {
    run(Engine::Sqlite, failed_commit).await;
}

fn lock_holder(world: &World) -> rusqlite::Connection {
    let holder = rusqlite::Connection::open(world.store.file().unwrap()).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    holder
}

async fn failed_commit(world: World) {
    let secret = world.secret(world.new_secret("KEY", "value one")).await;
    let (job, at) = world.due_job(with_header("sync", "secret://KEY")).await;
    // Seen once, so that the next sight of it is remembered.
    let claimed = world.claim_one().await;
    assert!(world.finish(&claimed, End::Succeeded).await);
    world.due_at(job.id, at.plus_millis(1)).await;
    world
        .raw("CREATE TRIGGER refuse BEFORE INSERT ON jobs WHEN NEW.name = 'refused' BEGIN SELECT RAISE(ROLLBACK, 'no'); END")
        .await;
    let edit = |name: &str| JobEdit {
        owner: world.owner,
        job: compiled(job.id, job.created_at, with_header(name, "secret://KEY")),
        reschedule: false,
        expected: 1,
    };
    let replacement = |value: &str| NewVersion {
        version: 2,
        unmaskable: false,
        short: false,
        egress: None,
        ttl_seconds: None,
        sealed: version(&world, secret.secret.id, 2, value, None),
    };
    let (store, workspace, id) = (&world.store, world.workspace, secret.secret.id);
    let refused = new_job(&world, world.now().await, hourly("refused"));

    // While another holds the lock they gather, and then share one commit, which the last of them undoes.
    let holder = lock_holder(&world);
    let mut edited = Box::pin(store.edit_job(workspace, job.id, edit("never"), Actor::System));
    let mut replaced = Box::pin(store.replace_secret(
        workspace,
        id,
        replacement("never"),
        Actor::System,
        world.owner,
    ));
    let mut claimed = Box::pin(store.claim(node("n1"), 10, LONG));
    let mut made = Box::pin(store.create_job(refused, Actor::System));
    assert!(matches!(poll!(&mut edited), Poll::Pending));
    assert!(matches!(poll!(&mut replaced), Poll::Pending));
    assert!(matches!(poll!(&mut claimed), Poll::Pending));
    assert!(matches!(poll!(&mut made), Poll::Pending));
    holder.execute_batch("COMMIT").unwrap();
    let failed = |error: StoreError| matches!(error, StoreError::Unavailable(_));
    assert!(failed(edited.await.unwrap_err()));
    assert!(failed(replaced.await.unwrap_err()));
    assert!(failed(claimed.await.unwrap_err()));
    assert!(made.await.is_err());

    // The same revisions again, with other content.
    store
        .edit_job(workspace, job.id, edit("at last"), Actor::System)
        .await
        .unwrap();
    store
        .replace_secret(
            workspace,
            id,
            replacement("value two"),
            Actor::System,
            world.owner,
        )
        .await
        .unwrap();
    let claimed = world.claim_one().await;
    assert_eq!(claimed.job.definition().name, "at last");
    assert_eq!(world.open(&claimed.secrets[0].1), "value two");
}
