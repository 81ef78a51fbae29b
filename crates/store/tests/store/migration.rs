//! The schema's history: applied once, in order, to a database with rows in it, and never to a newer one.

use padclock_api::{JobId, SecretId};
use padclock_store::{Actor, End, Store, StoreError};

use crate::make::{execution_id, hourly, with_header};
use crate::world::{Engine, World, on_both_engines};

on_both_engines!(
    a_second_opening_changes_nothing,
    several_nodes_may_open_at_once,
    a_newer_schema_is_refused,
    every_older_schema_is_brought_up_to_date,
);

async fn a_second_opening_changes_nothing(world: World) {
    let job = world.job(hourly("sync")).await;
    let applied = "SELECT version, applied_at FROM schema_migrations ORDER BY version";
    let before = world.raw(applied).await;
    let other = world.other_store().await;
    assert_eq!(world.raw(applied).await, before);
    assert_eq!(
        other
            .get_job(world.workspace, job.id)
            .await
            .unwrap()
            .definition
            .name,
        "sync"
    );
}

async fn several_nodes_may_open_at_once(world: World) {
    let drop_all = match world.engine {
        Engine::Sqlite => return,
        Engine::Postgres => "DROP SCHEMA public CASCADE; CREATE SCHEMA public",
    };
    world.raw(drop_all).await;
    let opened = futures_util::future::join_all((0..4).map(|_| Store::open(&world.url))).await;
    for store in opened {
        store.unwrap().now().await.unwrap();
    }
}

async fn a_newer_schema_is_refused(world: World) {
    world
        .raw("INSERT INTO schema_migrations (version, applied_at) VALUES (999, 1)")
        .await;
    let error = Store::open(&world.url).await.unwrap_err();
    assert!(
        matches!(&error, StoreError::Schema(text) if text.contains("999")),
        "{error}"
    );
}

/// Steps of the schema with their text, as this engine knows them.
fn steps(engine: Engine) -> Vec<(i64, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    let ending = if engine == Engine::Sqlite {
        ".sqlite.sql"
    } else {
        ".postgres.sql"
    };
    let mut steps: Vec<(i64, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(ending))
        .map(|name| {
            let text = std::fs::read_to_string(format!("{folder}/{name}")).unwrap();
            (name[..4].parse().unwrap(), text)
        })
        .collect();
    steps.sort();
    steps
}

/// Rows that each version of the schema could hold: one of every table, as that version's binary wrote them.
fn rows(world: &World, version: i64) -> String {
    let (workspace, owner) = (
        world.hex(world.workspace.bytes()),
        world.hex(world.owner.bytes()),
    );
    let (job, secret) = (world.hex(&[0x31; 16]), world.hex(&[0x32; 16]));
    let (execution, token, none) = (
        world.hex(&[0x33; 16]),
        world.hex(&[0x34; 16]),
        world.hex(&[]),
    );
    let definition = serde_json::to_string(&hourly("old")).unwrap();
    match version {
        1 => format!(
            "INSERT INTO meta (key, value) VALUES ('master', {token});
             INSERT INTO key_terms (term, sealed, created_at) VALUES (1, {token}, 1);
             INSERT INTO workspaces (id, name, created_at) VALUES ({workspace}, 'default', 1);
             INSERT INTO users (id, name, created_at) VALUES ({owner}, 'owner', 1);
             INSERT INTO members (workspace_id, user_id, role, created_at) VALUES ({workspace}, {owner}, 'owner', 1);
             INSERT INTO tokens (id, workspace_id, user_id, name, lookup, created_at) VALUES ({token}, {workspace}, {owner}, 't', {token}, 1);
             INSERT INTO secrets (id, workspace_id, owner_id, environment, name, version, reveal, unmaskable, short, revision, created_at, updated_at)
               VALUES ({secret}, {workspace}, {none}, 'production', 'KEY', 1, 'allowed', 0, 0, 1, 1, 1);
             INSERT INTO secret_versions (secret_id, version, term, origin_term, wrapped_key, ciphertext, created_at)
               VALUES ({secret}, 1, 1, 1, {token}, {token}, 1);
             INSERT INTO jobs (id, workspace_id, owner_id, name, state, generation, revision, created_at, updated_at, definition)
               VALUES ({job}, {workspace}, {owner}, 'old', 'active', 1, 1, 1, 1, '{definition}');
             INSERT INTO due (job_id, run_at, scheduled_for, generation, revision) VALUES ({job}, 1, 1, 1, 1);
             INSERT INTO open_executions (id, wake_at, job_id, workspace_id, generation, cause, status, scheduled_for, created_at, attempt, fence)
               VALUES ({execution}, 1, {job}, {workspace}, 1, 'manual', 'queued', 1, 1, 0, 0);
             INSERT INTO executions (workspace_id, id, job_id, generation, cause, status, scheduled_for, finished_at, attempt_count, job_name)
               VALUES ({workspace}, {token}, {job}, 1, 'schedule', 'succeeded', 1, 1, 1, 'old');
             INSERT INTO audit_heads (workspace_id, seq, tag) VALUES ({workspace}, 0, {none});
             INSERT INTO idempotency (workspace_id, key, fingerprint, target, created_at) VALUES ({workspace}, 'k', {token}, {token}, 1)"
        ),
        2 => format!(
            "{};
             UPDATE key_terms SET sealed_next = {token}, seals = 7;
             UPDATE workspaces SET settings = '{{}}';
             UPDATE users SET email = 'old@example.com', password = 'hash';
             UPDATE members SET grants = 'secrets:reveal';
             UPDATE tokens SET permissions = 'read', environment = 'production', cidrs = '10.0.0.0/8', last_used_at = 1;
             INSERT INTO links (id, workspace_id, kind, role, lookup, created_at, expires_at)
               VALUES ({token}, {workspace}, 'invitation', 'editor', {token}, 1, 2);
             INSERT INTO sessions (id, lookup, user_id, workspace_id, created_at, seen_at, expires_at)
               VALUES ({token}, {token}, {owner}, {workspace}, 1, 1, 2);
             INSERT INTO pairings (id, code, lookup, name, address, created_at, expires_at)
               VALUES ({token}, {token}, {token}, 'laptop', '127.0.0.1', 1, 2);
             INSERT INTO environments (workspace_id, name, created_at) VALUES ({workspace}, 'production', 1);
             UPDATE secrets SET due_told_version = 1;
             INSERT INTO secret_uses (secret_id, at, recent) VALUES ({secret}, 1, '[]');
             INSERT INTO job_references (workspace_id, name, job_id, uri, environment) VALUES ({workspace}, 'KEY', {job}, 0, 'production');
             INSERT INTO approvals (id, workspace_id, kind, target, revision, proposal, state, created_by, created_at, expires_at)
               VALUES ({token}, {workspace}, 'secret.policy', {secret}, 1, '{{}}', 'open', {owner}, 1, 2);
             INSERT INTO audit_signatures (workspace_id, seq, at, tag, signature) VALUES ({workspace}, 0, 1, {token}, {token})",
            rows(world, 1)
        ),
        other => panic!("no rows are known for version {other}: add what it can hold"),
    }
}

async fn every_older_schema_is_brought_up_to_date(world: World) {
    let steps = steps(world.engine);
    assert_eq!(
        steps
            .iter()
            .map(|(version, _)| *version)
            .collect::<Vec<_>>(),
        (1..=steps.len() as i64).collect::<Vec<_>>()
    );
    for upto in 1..=steps.len() {
        let old = crate::world::Place::make(world.engine).await;
        let at = World {
            url: old.url.clone(),
            ..world.clone()
        };
        at.raw("CREATE TABLE schema_migrations (version BIGINT NOT NULL PRIMARY KEY, applied_at BIGINT NOT NULL)").await;
        for (version, text) in &steps[..upto] {
            at.raw(text).await;
            at.raw(&format!(
                "INSERT INTO schema_migrations VALUES ({version}, 1)"
            ))
            .await;
        }
        let newest = steps[upto - 1].0;
        at.raw(&rows(&at, newest)).await;
        let store = at.other_store().await;
        works_with_old_rows(&World { store, ..at }).await;
        old.remove().await;
    }
}

async fn works_with_old_rows(world: &World) {
    let (job, secret) = (
        JobId::from_bytes([0x31; 16]),
        SecretId::from_bytes([0x32; 16]),
    );
    assert_eq!(
        world
            .store
            .get_job(world.workspace, job)
            .await
            .unwrap()
            .definition,
        hourly("old")
    );
    assert_eq!(
        world
            .store
            .get_secret(world.workspace, secret, world.owner)
            .await
            .unwrap()
            .secret
            .name,
        "KEY"
    );
    assert_eq!(
        world
            .store
            .newest_executions(vec![job])
            .await
            .unwrap()
            .len(),
        1
    );
    let claimed = world.claim(10).await;
    assert!(!claimed.is_empty());
    for one in &claimed {
        assert!(world.finish(one, End::Succeeded).await);
    }
    world
        .store
        .delete_secret(world.workspace, secret, Actor::System, world.owner)
        .await
        .unwrap();
    let new = world.job(with_header("new", "{{secret.KEY}}")).await;
    let id = execution_id(world.now().await);
    world
        .store
        .run_now(world.workspace, new.id, id, Actor::System)
        .await
        .unwrap();
}
