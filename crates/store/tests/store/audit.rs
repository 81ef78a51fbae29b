//! The audit chain: whole, in step with what it reports, and a condition of every write that needs it.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;
use padclock_api::{TokenId, WorkspaceId};
use padclock_store::{Action, Actor, Detail, End, Store, StoreError};
use padclock_vault::Label;

use crate::make::{LONG, execution_id, finished, hourly, new_job, node, with_header};
use crate::world::{World, digits, on_both_engines, token};

on_both_engines!(
    tags_chain,
    a_use_is_recorded_for_each_claimed_attempt,
    a_member_is_named_with_token_and_address,
    a_failed_write_leaves_no_record,
    nothing_is_written_while_the_chain_is_locked,
    chains_grow_in_parallel,
    records_that_stand_alone_share_commits,
    a_broken_chain_stops_its_own_records_only,
);

fn bytes(text: &str) -> Vec<u8> {
    let text = text.strip_prefix("\\x").unwrap();
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

/// Recomputes every tag; answers the number of records.
async fn verify(world: &World) -> usize {
    let rows = world
        .raw("SELECT workspace_id, seq, at, actor, action, target, detail, tag FROM audit ORDER BY workspace_id, seq")
        .await;
    let key = world.keyring.derived(Label::Audit);
    let mut heads: BTreeMap<String, (i64, Vec<u8>)> = BTreeMap::new();
    for row in &rows {
        let row: Vec<&str> = row.iter().map(|cell| cell.as_deref().unwrap()).collect();
        let head = heads.entry(row[0].to_owned()).or_default();
        let (seq, at): (i64, i64) = (row[1].parse().unwrap(), row[2].parse().unwrap());
        assert_eq!(seq, head.0 + 1, "no gap");
        let parts: [&[u8]; 8] = [
            &head.1,
            &bytes(row[0]),
            &seq.to_be_bytes(),
            &at.to_be_bytes(),
            row[3].as_bytes(),
            row[4].as_bytes(),
            row[5].as_bytes(),
            row[6].as_bytes(),
        ];
        assert!(key.verify(&parts, &bytes(row[7])), "record {seq}");
        *head = (seq, bytes(row[7]));
    }
    for (workspace, (seq, tag)) in heads {
        let stored = world
            .raw(&format!(
                "SELECT seq, tag FROM audit_heads WHERE workspace_id = {}",
                world.hex(&bytes(&workspace))
            ))
            .await;
        assert_eq!(
            stored,
            [[Some(seq.to_string()), Some(format!("\\x{}", digits(&tag)))]]
        );
    }
    rows.len()
}

async fn tags_chain(world: World) {
    let secret = world.secret(world.new_secret("KEY", "value one")).await;
    world.replace(&world.store, &secret, "value two").await;
    let (job, _) = world.due_job(with_header("sync", "secret://KEY")).await;
    let claimed = world.claim_one().await;
    assert!(world.finish(&claimed, End::Succeeded).await);
    let (store, workspace) = (&world.store, world.workspace);
    let id = execution_id(world.now().await);
    store
        .run_now(workspace, job.id, id, Actor::System)
        .await
        .unwrap();
    store.cancel(workspace, id, Actor::System).await.unwrap();
    store
        .pause_job(workspace, job.id, Actor::System)
        .await
        .unwrap();
    let same = Arc::clone(&claimed.job);
    store
        .resume_job(workspace, job.id, same, 2, Actor::System)
        .await
        .unwrap();
    store
        .delete_job(workspace, job.id, Actor::System)
        .await
        .unwrap();
    store
        .delete_secret(workspace, secret.secret.id, Actor::System, world.owner)
        .await
        .unwrap();
    assert_eq!(verify(&world).await, 12);
    let actions = world.raw("SELECT action FROM audit ORDER BY seq").await;
    let actions: Vec<_> = actions
        .iter()
        .map(|row| row[0].as_deref().unwrap())
        .collect();
    let expected = [
        "workspace.create",
        "token.create",
        "secret.create",
        "secret.replace",
        "job.create",
        "secret.use",
        "execution.start",
        "execution.cancel",
        "job.pause",
        "job.resume",
        "job.delete",
        "secret.delete",
    ];
    assert_eq!(actions, expected);
}

async fn a_use_is_recorded_for_each_claimed_attempt(world: World) {
    let secret = world.secret(world.new_secret("KEY", "value one")).await;
    for number in 0..3 {
        world
            .due_job(with_header(
                &format!("job {number}"),
                "secret://KEY and secret://NONE",
            ))
            .await;
    }
    world.due_job(hourly("without")).await;
    let claimed = world.claim(10).await;
    assert_eq!(claimed.len(), 4);
    let again: Vec<_> = claimed
        .iter()
        .filter(|one| !one.secrets.is_empty())
        .collect();
    assert_eq!(again.len(), 3);
    let retry = End::Retry {
        at: padclock_job::Moment::from_millis(0),
    };
    assert!(world.finish(again[0], retry).await);
    assert_eq!(world.claim_one().await.attempt, 2);
    let uses = world
        .raw("SELECT actor, target, detail FROM audit WHERE action = 'secret.use' ORDER BY seq")
        .await;
    assert_eq!(uses.len(), 4);
    assert!(uses.iter().all(|row| row[0].as_deref() == Some("node n1")));
    let first = uses
        .iter()
        .find(|row| row[1] == Some(again[0].execution.to_string()))
        .unwrap();
    let expected = format!(
        r#"{{"attempt":1,"job":"{}","secrets":[{{"name":"KEY","id":"{}","version":1}}]}}"#,
        again[0].job_id, secret.secret.id
    );
    assert_eq!(first[2].as_deref(), Some(expected.as_str()));
    assert!(uses[3][2].as_deref().unwrap().contains(r#""attempt":2"#));
    verify(&world).await;
}

async fn a_member_is_named_with_token_and_address(world: World) {
    let actor = Actor::Member {
        user: world.owner,
        by: padclock_store::Credential::Token(TokenId::from_bytes([1; 16])),
        from: "192.0.2.7".to_owned(),
    };
    let text = actor.to_string();
    let new = new_job(&world, world.now().await, hourly("sync"));
    world.store.create_job(new, actor).await.unwrap();
    assert_eq!(
        world.raw("SELECT actor FROM audit WHERE seq > 2").await,
        [[Some(text.clone())]]
    );
    assert!(text.starts_with("usr_") && text.contains(" tok_") && text.ends_with(" 192.0.2.7"));
}

async fn a_failed_write_leaves_no_record(world: World) {
    let secret = world.secret(world.new_secret("KEY", "value one")).await;
    let again = world
        .store
        .create_secret(world.new_secret("KEY", "value"), Actor::System, world.owner)
        .await;
    assert!(again.is_err());
    let patch = padclock_api::secret::SecretPatch::default();
    let stale = world
        .store
        .patch_secret(
            world.workspace,
            secret.secret.id,
            patch,
            Some(9),
            Actor::System,
            world.owner,
        )
        .await;
    assert!(stale.is_err());
    assert_eq!(verify(&world).await, 3);
    // A chain that can't grow stops what it would have to report.
    world.raw("DELETE FROM audit_heads").await;
    let refused = world
        .store
        .create_secret(
            world.new_secret("OTHER", "value"),
            Actor::System,
            world.owner,
        )
        .await;
    assert!(
        matches!(refused, Err(StoreError::Damaged(_))),
        "{refused:?}"
    );
    assert_eq!(world.number("SELECT count(*) FROM secrets").await, 1);
    assert_eq!(
        world.number("SELECT count(*) FROM secret_versions").await,
        1
    );
}

async fn nothing_is_written_while_the_chain_is_locked(world: World) {
    let (job, _) = world.due_job(hourly("sync")).await;
    let locked = Store::open(&world.url).await.unwrap();
    let before = world.number("SELECT count(*) FROM audit").await;
    let (workspace, id, system) = (world.workspace, job.id, || Actor::System);
    let execution = execution_id(world.now().await);
    let new = new_job(&world, world.now().await, hourly("new"));
    let same = crate::make::compiled(id, job.created_at, hourly("sync"));
    let edit = padclock_store::JobEdit {
        owner: world.owner,
        job: Arc::clone(&same),
        reschedule: false,
        expected: 1,
    };
    let refused = [
        locked
            .create_secret(world.new_secret("KEY", "value"), system(), world.owner)
            .await
            .err(),
        locked.create_job(new, system()).await.err(),
        locked.edit_job(workspace, id, edit, system()).await.err(),
        locked.pause_job(workspace, id, system()).await.err(),
        locked
            .resume_job(workspace, id, same, 1, system())
            .await
            .err(),
        locked.delete_job(workspace, id, system()).await.err(),
        locked
            .run_now(workspace, id, execution, system())
            .await
            .err(),
        locked.claim(node("n1"), 10, LONG).await.err(),
        locked.ensure_owner_token(token(4)).await.err(),
        reveal(&locked, workspace, 1).await.err(),
    ];
    assert!(
        refused
            .iter()
            .all(|error| *error == Some(StoreError::AuditLocked)),
        "{refused:?}"
    );
    let claimed = world.claim_one().await;
    let late = locked
        .complete(node("n1"), vec![finished(&claimed, End::Succeeded)])
        .await;
    assert_eq!(late.unwrap_err(), StoreError::AuditLocked);
    assert_eq!(world.number("SELECT count(*) FROM audit").await, before);
    assert_eq!(world.number("SELECT count(*) FROM secrets").await, 0);
    assert_eq!(world.number("SELECT count(*) FROM jobs").await, 1);
    assert_eq!(world.number("SELECT count(*) FROM tokens").await, 1);
}

async fn chains_grow_in_parallel(world: World) {
    let (other, _) = world.other_workspace().await;
    let second = world.other_store().await;
    let writes = (0..60).map(|number| {
        let mut new = world.new_secret(&format!("KEY_{number}"), "some-value");
        if number % 3 == 0 {
            new.workspace = other;
        }
        let store = if number % 2 == 0 {
            Arc::clone(&world.store)
        } else {
            Arc::clone(&second)
        };
        let owner = world.owner;
        tokio::spawn(async move { store.create_secret(new, Actor::System, owner).await })
    });
    for written in join_all(writes).await {
        written.unwrap().unwrap();
    }
    assert_eq!(verify(&world).await, 62);
}

async fn reveal(store: &Store, workspace: WorkspaceId, version: u32) -> Result<(), StoreError> {
    let detail = Detail {
        version: Some(version),
        ..Detail::default()
    };
    let action = Action::SecretReveal;
    store
        .record(workspace, &Actor::System, action, "sec_1", detail)
        .await
}

async fn records_that_stand_alone_share_commits(world: World) {
    let (other, _) = world.other_workspace().await;
    let second = world.other_store().await;
    let reveals = (0..600).map(|number| {
        let store = Arc::clone(if number % 2 == 0 {
            &world.store
        } else {
            &second
        });
        let workspace = if number % 3 == 0 {
            other
        } else {
            world.workspace
        };
        tokio::spawn(async move { reveal(&store, workspace, number).await })
    });
    for recorded in join_all(reveals).await {
        recorded.unwrap().unwrap();
    }
    assert_eq!(verify(&world).await, 602);
    let told = world
        .number("SELECT count(DISTINCT detail) FROM audit WHERE action = 'secret.reveal'")
        .await;
    assert_eq!(told, 600);
}

async fn a_broken_chain_stops_its_own_records_only(world: World) {
    let (other, _) = world.other_workspace().await;
    world
        .raw(&format!(
            "DELETE FROM audit_heads WHERE workspace_id = {}",
            world.hex(other.bytes())
        ))
        .await;
    let reveals = (0..20).map(|number| {
        let workspace = if number % 2 == 0 {
            other
        } else {
            world.workspace
        };
        let store = &world.store;
        async move { reveal(store, workspace, number).await }
    });
    for (number, recorded) in join_all(reveals).await.into_iter().enumerate() {
        match recorded {
            Ok(()) => assert_eq!(number % 2, 1),
            Err(error) => assert!(matches!(error, StoreError::Damaged(_)) && number % 2 == 0),
        }
    }
    assert_eq!(verify(&world).await, 12);
}
