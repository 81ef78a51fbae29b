//! What a search is given: every text that is kept of a workspace, page by page, and every version of its secrets.

use padclock_api::ExecutionId;
use padclock_store::{Actor, KeptIn};

use crate::make::{hourly, with_header};
use crate::world::{World, on_both_engines};

on_both_engines!(
    every_row_comes_once,
    texts_come_by_column_and_workspace,
    every_version_of_every_secret_comes
);

/// Everything of one kind, by id.
async fn all(world: &World, kept_in: KeptIn) -> Vec<(String, Vec<(&'static str, String)>)> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let (page, next) = world
            .store
            .kept(world.workspace, kept_in, after)
            .await
            .unwrap();
        found.extend(page.into_iter().map(|kept| (kept.id, kept.texts)));
        match next {
            Some(next) => after = Some(next),
            None => return found,
        }
    }
}

async fn every_row_comes_once(world: World) {
    let job = world.job(hourly("busy")).await.id;
    let (workspace, of) = (world.hex(world.workspace.bytes()), world.hex(job.bytes()));
    let ids: Vec<ExecutionId> = (1..46)
        .map(|at| ExecutionId::of_occurrence(job, 1, at))
        .collect();
    let row = |id: &ExecutionId| {
        format!(
            "({workspace}, {}, {of}, 1, 'schedule', 'succeeded', 1, 1, 1, 1, 'busy', '[]')",
            world.hex(id.bytes())
        )
    };
    let rows: Vec<String> = ids.iter().map(row).collect();
    world
        .raw(&format!(
            "INSERT INTO executions (workspace_id, id, job_id, generation, cause, status, scheduled_for, started_at, finished_at,
               attempt_count, job_name, attempts) VALUES {}",
            rows.join(", ")
        ))
        .await;
    let mut expected: Vec<String> = ids.iter().map(ToString::to_string).collect();
    expected.sort();
    let mut found: Vec<String> = all(&world, KeptIn::Executions)
        .await
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    found.sort();
    assert_eq!(found, expected);
    for number in 0..1_001 {
        world
            .store
            .reserve(world.workspace, format!("key {number}"), [1; 32], [2; 16])
            .await
            .unwrap();
    }
    let keys: std::collections::BTreeSet<String> = all(&world, KeptIn::Idempotency)
        .await
        .into_iter()
        .map(|(_, texts)| texts[0].1.clone())
        .collect();
    assert_eq!(keys.len(), 1_001);
}

async fn texts_come_by_column_and_workspace(world: World) {
    let job = world.job(with_header("telling", "a word")).await;
    world.secret(world.new_secret("KEY", "value-1")).await;
    let jobs = all(&world, KeptIn::Jobs).await;
    assert_eq!((jobs.len(), &jobs[0].0), (1, &job.id.to_string()));
    let texts: std::collections::BTreeMap<_, _> = jobs[0].1.iter().cloned().collect();
    assert_eq!(texts["name"], "telling");
    assert!(texts["definition"].contains("a word"));
    let audit = all(&world, KeptIn::Audit).await;
    assert!(
        audit
            .iter()
            .any(|(_, texts)| texts.contains(&("action", "job.create".to_owned()))),
        "{audit:?}"
    );
    assert_eq!(
        all(&world, KeptIn::Secrets).await[0].1[0],
        ("name", "KEY".to_owned())
    );
    assert!(!all(&world, KeptIn::Tokens).await.is_empty());
    let (other, _) = world.other_workspace().await;
    for kept_in in KeptIn::ALL {
        let here = all(&world, *kept_in).await;
        let (there, _) = world.store.kept(other, *kept_in, None).await.unwrap();
        assert!(
            there.iter().all(|kept| here
                .iter()
                .all(|(id, _)| *kept_in == KeptIn::Audit || *id != kept.id)),
            "{kept_in:?}"
        );
    }
}

async fn every_version_of_every_secret_comes(world: World) {
    let first = world.secret(world.new_secret("KEY", "value-1")).await;
    world.replace(&world.store, &first, "value-2").await;
    let gone = world.secret(world.new_secret("GONE", "value-3")).await;
    world
        .store
        .delete_secret(world.workspace, gone.secret.id, Actor::System, world.owner)
        .await
        .unwrap();
    let sealed = world.store.every_version(world.workspace).await.unwrap();
    let opened: Vec<(u32, String)> = sealed
        .iter()
        .map(|one| (one.version, world.open(one)))
        .collect();
    assert_eq!(
        opened,
        [(2, "value-2".to_owned()), (1, "value-1".to_owned())]
    );
    let (other, _) = world.other_workspace().await;
    assert!(world.store.every_version(other).await.unwrap().is_empty());
}
