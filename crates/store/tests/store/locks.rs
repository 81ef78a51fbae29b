//! What a transaction does that meets another's locks on PostgreSQL: it sees what the other has made of the rows.
//! SQLite has one writer, so there is nothing to meet.

use std::future::Future;

use padclock_api::{ExecutionId, Status};
use padclock_store::{Actor, End, StoreError};
use tokio_postgres::{Client, NoTls};

use crate::make::{execution_id, hourly, with_header};
use crate::world::{Engine, World, run};

macro_rules! on_postgres {
    ($($name:ident => $test:ident),* $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() { run(Engine::Postgres, $test).await; }
    )*};
}
on_postgres!(
    a_cancel_that_meets_a_retry_is_not_lost => cancel_meets_retry,
    a_cancel_that_meets_a_claim_is_not_lost => cancel_meets_claim,
    a_cancel_that_meets_the_end_is_told_so => cancel_meets_end,
    a_deletion_of_the_job_that_meets_a_claim_stops_it => deletion_meets_claim,
    a_claim_that_meets_a_secrets_deletion_goes_without_it => claim_meets_deletion,
    durability_is_not_the_servers_choice => durable_whatever_the_server_says,
);

/// A transaction of someone else's.
struct Other(Client);

impl Other {
    async fn begin(world: &World, sql: &str) -> Self {
        let (client, connection) = tokio_postgres::connect(&world.url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
            .batch_execute(&format!("BEGIN; {sql}"))
            .await
            .unwrap();
        Self(client)
    }

    async fn commit(self) {
        self.0.batch_execute("COMMIT").await.unwrap();
    }
}

/// Starts something while the other's transaction is open, lets that end as soon as the first stands before its locks
/// (or has gone by), and answers what the first came to.
async fn meets<T: Send + 'static>(
    world: &World,
    other: Other,
    what: impl Future<Output = T> + Send + 'static,
) -> T {
    let task = tokio::spawn(what);
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while !task.is_finished() && world.number(waiting).await == 0 {}
    other.commit().await;
    task.await.unwrap()
}

async fn queued(world: &World) -> ExecutionId {
    let job = world.job(hourly("sync")).await;
    let id = execution_id(world.now().await);
    world
        .store
        .run_now(world.workspace, job.id, id, Actor::System)
        .await
        .unwrap();
    id
}

fn cancel(
    world: &World,
    id: ExecutionId,
) -> impl Future<Output = Result<padclock_api::Execution, StoreError>> + Send + 'static {
    let (store, workspace) = (world.store.clone(), world.workspace);
    async move { store.cancel(workspace, id, Actor::System).await }
}

async fn cancel_meets_retry(world: World) {
    let id = queued(&world).await;
    world.claim_one().await;
    let retry = format!(
        "UPDATE open_executions SET status = 'waiting', wake_at = 0 WHERE id = {}",
        world.hex(id.bytes())
    );
    let other = Other::begin(&world, &retry).await;
    let answered = meets(&world, other, cancel(&world, id)).await.unwrap();
    assert_eq!(answered.status, Status::Canceled);
    assert!(world.claim(10).await.is_empty());
}

async fn cancel_meets_claim(world: World) {
    let id = queued(&world).await;
    let claim = format!(
        "UPDATE open_executions SET status = 'running', fence = 1, node = 'n1' WHERE id = {}",
        world.hex(id.bytes())
    );
    let other = Other::begin(&world, &claim).await;
    let answered = meets(&world, other, cancel(&world, id)).await.unwrap();
    assert_eq!(answered.status, Status::Running);
    let asked = "SELECT count(*) FROM open_executions WHERE cancel_requested = 1";
    assert_eq!(world.number(asked).await, 1);
}

async fn cancel_meets_end(world: World) {
    let id = queued(&world).await;
    world.claim_one().await;
    let end = format!(
        "INSERT INTO executions (workspace_id, id, job_id, generation, cause, status, scheduled_for, finished_at, attempt_count, job_name)
           SELECT workspace_id, id, job_id, 1, cause, 'succeeded', 1, 1, 1, 'sync' FROM open_executions;
         DELETE FROM open_executions WHERE id = {}",
        world.hex(id.bytes())
    );
    let other = Other::begin(&world, &end).await;
    let answered = meets(&world, other, cancel(&world, id)).await;
    assert!(
        matches!(answered, Err(StoreError::Conflict(_))),
        "{answered:?}"
    );
    let audited = "SELECT count(*) FROM audit WHERE action = 'execution.cancel'";
    assert_eq!(world.number(audited).await, 0);
}

async fn deletion_meets_claim(world: World) {
    let id = queued(&world).await;
    let job = world
        .store
        .get_execution(world.workspace, id)
        .await
        .unwrap()
        .job_id;
    let claim = format!(
        "UPDATE open_executions SET status = 'running', fence = 1, node = 'n1' WHERE id = {}",
        world.hex(id.bytes())
    );
    let other = Other::begin(&world, &claim).await;
    let (store, workspace) = (world.store.clone(), world.workspace);
    let deletion = async move { store.delete_job(workspace, job, Actor::System).await };
    meets(&world, other, deletion).await.unwrap();
    let asked = "SELECT count(*) FROM open_executions WHERE cancel_requested = 1";
    assert_eq!(
        world.number(asked).await,
        1,
        "what runs by then is asked to stop"
    );
}

async fn claim_meets_deletion(world: World) {
    world.secret(world.new_secret("KEY", "value one")).await;
    world.due_job(with_header("sync", "secret://KEY")).await;
    let deletion = "DELETE FROM secrets; DELETE FROM secret_versions; UPDATE workspaces SET secrets_revision = secrets_revision + 1";
    let other = Other::begin(&world, deletion).await;
    let node = world.clone();
    let claimed = meets(&world, other, async move { node.claim_one().await }).await;
    assert!(claimed.secrets.is_empty(), "it is gone by then");
}

async fn durable_whatever_the_server_says(world: World) {
    let name = world.url.rsplit_once('/').unwrap().1;
    world
        .raw(&format!(
            "ALTER DATABASE {name} SET synchronous_commit = off;
             CREATE TABLE seen (setting TEXT);
             CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS
               $$ BEGIN INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NEW; END $$;
             CREATE TRIGGER see BEFORE INSERT ON executions FOR EACH ROW EXECUTE FUNCTION see()"
        ))
        .await;
    let store = world.other_store().await;
    let world = World { store, ..world };
    world.due_job(hourly("sync")).await;
    let claimed = world.claim_one().await;
    assert!(world.finish(&claimed, End::Succeeded).await);
    assert_eq!(
        world.raw("SELECT setting FROM seen").await,
        [[Some("on".to_owned())]]
    );
}
