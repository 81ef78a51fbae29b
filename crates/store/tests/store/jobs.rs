//! Jobs and their due rows.

use std::sync::Arc;

use padclock_api::Status;
use padclock_api::job::JobState;
use padclock_job::{Kind, Overlap};
use padclock_store::{Actor, End, ExecutionFilter, JobEdit, StoreError};

use crate::make::{
    HOUR, compiled, elsewhere, execution_id, hourly, new_job, stranger, with_header,
};
use crate::world::{World, on_both_engines};

on_both_engines!(
    who_says_what_a_job_sends_becomes_its_owner,
    a_job_gets_a_due_row,
    jobs_are_listed_in_pages,
    an_edit_of_the_times_supersedes_what_waits,
    an_edit_of_the_rest_keeps_the_due_row,
    a_paused_job_replays_nothing_when_it_goes_on,
    a_job_without_occurrences_left_is_completed,
    a_deleted_job_leaves_its_history,
    another_workspaces_job_is_not_found,
    jobs_that_mention_a_secret_are_found,
);

async fn a_job_gets_a_due_row(world: World) {
    let job = world.job(hourly("sync")).await;
    assert_eq!(
        (job.state, job.generation, job.revision),
        (JobState::Active, 1, 1)
    );
    let due = job.due.unwrap();
    assert_eq!(due.scheduled_for, job.created_at.plus_millis(HOUR));
    let read = world.store.get_job(world.workspace, job.id).await.unwrap();
    assert_eq!(
        (read.due, read.definition, read.owner),
        (Some(due), hourly("sync"), world.owner)
    );

    let mut paused = new_job(&world, world.now().await, hourly("later"));
    paused.paused = true;
    let paused = world.store.create_job(paused, Actor::System).await.unwrap();
    assert_eq!((paused.state, paused.due), (JobState::Paused, None));

    let mut by_hand = hourly("by hand");
    by_hand.kind = Kind::Manual;
    by_hand.schedule.every_seconds = None;
    let by_hand = world.job(by_hand).await;
    assert_eq!((by_hand.state, by_hand.due), (JobState::Active, None));
    assert_eq!(
        world
            .number("SELECT count(*) FROM audit WHERE action = 'job.create'")
            .await,
        3
    );
}

async fn jobs_are_listed_in_pages(world: World) {
    let mut made = Vec::new();
    for number in 0..5 {
        made.push(world.job(hourly(&format!("job {number}"))).await.id);
    }
    let mut seen = Vec::new();
    while let Some(last) = {
        let page = world
            .store
            .list_jobs(world.workspace, seen.last().copied(), 2)
            .await
            .unwrap();
        seen.extend(page.iter().map(|job| job.id));
        page.last().map(|job| job.id)
    } {
        assert_eq!(seen.last(), Some(&last));
    }
    assert_eq!(seen, made);
    assert_eq!(world.store.count_jobs(world.workspace).await.unwrap(), 5);
    assert_eq!(world.store.count_jobs(elsewhere()).await.unwrap(), 0);
}

async fn an_edit_of_the_times_supersedes_what_waits(world: World) {
    let mut definition = hourly("sync");
    definition.overlap = Overlap::QueueOne;
    let (job, _) = world.due_job(definition.clone()).await;
    let running = world.claim_one().await;
    world.due_at(job.id, world.now().await).await;
    assert!(world.claim(10).await.is_empty());
    assert_eq!(
        world
            .number("SELECT count(*) FROM open_executions WHERE status = 'queued'")
            .await,
        1
    );

    definition.schedule.every_seconds = Some(7_200);
    let change = |expected| JobEdit {
        owner: world.owner,
        job: compiled(job.id, job.created_at, definition.clone()),
        reschedule: true,
        expected,
    };
    let stale = world
        .store
        .edit_job(world.workspace, job.id, change(7), Actor::System)
        .await;
    assert_eq!(stale.unwrap_err(), StoreError::Changed);
    let edited = world
        .store
        .edit_job(world.workspace, job.id, change(1), Actor::System)
        .await
        .unwrap();
    assert_eq!((edited.generation, edited.revision), (2, 2));
    assert_eq!(
        edited.due.unwrap().scheduled_for,
        job.created_at.plus_millis(2 * HOUR)
    );
    let filter = ExecutionFilter {
        status: Some(Status::Skipped),
        ..ExecutionFilter::default()
    };
    let dropped = world
        .store
        .list_executions(world.workspace, filter, 10)
        .await
        .unwrap();
    assert_eq!(dropped.len(), 1);
    assert_eq!(dropped[0].reason.as_deref(), Some("superseded"));
    assert!(
        world.finish(&running, End::Succeeded).await,
        "what runs goes on"
    );
}

async fn who_says_what_a_job_sends_becomes_its_owner(world: World) {
    let mut own = world.new_secret("KEY", "the-owners-own");
    own.owner = Some(world.owner);
    world.secret(own).await;
    let (job, _) = world.due_job(with_header("sync", "{{secret.KEY}}")).await;
    let claimed = world.claim_one().await;
    assert_eq!(claimed.secrets.len(), 1);
    assert!(world.finish(&claimed, End::Succeeded).await);
    let change = JobEdit {
        owner: stranger(),
        job: compiled(
            job.id,
            job.created_at,
            with_header("sync", "x {{secret.KEY}}"),
        ),
        reschedule: false,
        expected: 1,
    };
    let edited = world
        .store
        .edit_job(world.workspace, job.id, change, Actor::System)
        .await
        .unwrap();
    assert_eq!(edited.owner, stranger());
    world
        .due_at(job.id, world.now().await.plus_millis(-1))
        .await;
    let claimed = world.claim(10).await;
    assert!(
        claimed[0].secrets.is_empty(),
        "the first owner's secret is out of reach"
    );
    let told = world
        .raw("SELECT detail FROM audit WHERE action = 'job.update'")
        .await;
    let owner = format!(r#""owner":"{}""#, stranger());
    assert!(told[0][0].as_ref().unwrap().contains(&owner), "{told:?}");
}

async fn an_edit_of_the_rest_keeps_the_due_row(world: World) {
    let job = world.job(hourly("sync")).await;
    let change = JobEdit {
        owner: world.owner,
        job: compiled(job.id, job.created_at, hourly("renamed")),
        reschedule: false,
        expected: 1,
    };
    let edited = world
        .store
        .edit_job(world.workspace, job.id, change, Actor::System)
        .await
        .unwrap();
    assert_eq!(
        (edited.generation, edited.revision, edited.due),
        (1, 2, job.due)
    );
    assert_eq!(edited.definition.name, "renamed");
    world.due_at(job.id, world.now().await).await;
    assert_eq!(world.claim_one().await.job.definition().name, "renamed");
}

async fn a_paused_job_replays_nothing_when_it_goes_on(world: World) {
    let mut definition = hourly("sync");
    definition.overlap = Overlap::QueueOne;
    let (job, _) = world.due_job(definition.clone()).await;
    world.claim_one().await;
    world.due_at(job.id, world.now().await).await;
    world.claim(10).await;
    let paused = world
        .store
        .pause_job(world.workspace, job.id, Actor::System)
        .await
        .unwrap();
    assert_eq!(
        (paused.state, paused.due, paused.revision),
        (JobState::Paused, None, 2)
    );
    assert_eq!(
        world.number("SELECT count(*) FROM open_executions").await,
        1
    );
    let again = world
        .store
        .pause_job(world.workspace, job.id, Actor::System)
        .await
        .unwrap();
    assert_eq!(again.revision, 2);

    let same = compiled(job.id, job.created_at, definition);
    let now = world.now().await;
    let resumed = world
        .store
        .resume_job(world.workspace, job.id, Arc::clone(&same), 1, Actor::System)
        .await;
    assert_eq!(
        resumed.unwrap_err(),
        StoreError::Changed,
        "compiled of what it was"
    );
    let resumed = world
        .store
        .resume_job(world.workspace, job.id, same, 2, Actor::System)
        .await
        .unwrap();
    assert_eq!(
        (resumed.state, resumed.generation, resumed.revision),
        (JobState::Active, 2, 3)
    );
    assert!(resumed.due.unwrap().run_at > now);
    assert!(world.claim(10).await.is_empty());
    world.due_at(job.id, world.now().await).await;
    world.raw("DELETE FROM open_executions").await;
    assert_eq!(
        world.claim_one().await.job_id,
        job.id,
        "the due row bears the new revision"
    );
}

async fn a_job_without_occurrences_left_is_completed(world: World) {
    let mut once = hourly("once");
    once.kind = Kind::OneTime;
    once.schedule.every_seconds = None;
    once.schedule.run_at = Some(world.now().await.plus_millis(HOUR));
    let at = once.schedule.run_at.unwrap();
    let job = world.job(once).await;
    let now = world.now().await.millis();
    world
        .raw(&format!("UPDATE due SET run_at = {}", now - 1_000))
        .await;
    let claimed = world.claim_one().await;
    assert_eq!((claimed.scheduled_for, claimed.next_due), (at, None));
    let after = world.store.get_job(world.workspace, job.id).await.unwrap();
    assert_eq!((after.state, after.due), (JobState::Completed, None));
    assert!(world.finish(&claimed, End::Succeeded).await);
    let change = JobEdit {
        owner: world.owner,
        job: compiled(job.id, job.created_at, hourly("again")),
        reschedule: true,
        expected: after.revision,
    };
    let again = world
        .store
        .edit_job(world.workspace, job.id, change, Actor::System)
        .await
        .unwrap();
    assert_eq!(again.state, JobState::Active);
    assert!(again.due.is_some());
}

async fn a_deleted_job_leaves_its_history(world: World) {
    let (job, _) = world.due_job(hourly("sync")).await;
    let done = world.claim_one().await;
    assert!(world.finish(&done, End::Succeeded).await);
    let mut ids = Vec::new();
    for _ in 0..2 {
        let id = execution_id(world.now().await);
        world
            .store
            .run_now(world.workspace, job.id, id, Actor::System)
            .await
            .unwrap();
        ids.push(id);
        if ids.len() == 1 {
            world.claim_one().await;
        }
    }
    world
        .store
        .delete_job(world.workspace, job.id, Actor::System)
        .await
        .unwrap();
    assert_eq!(
        world
            .store
            .get_job(world.workspace, job.id)
            .await
            .unwrap_err(),
        StoreError::NotFound
    );
    assert_eq!(world.number("SELECT count(*) FROM due").await, 0);
    let get = |id| world.store.get_execution(world.workspace, id);
    let queued = get(ids[1]).await.unwrap();
    assert_eq!(
        (queued.status, queued.reason.as_deref()),
        (Status::Canceled, Some("job_deleted"))
    );
    assert_eq!(get(ids[0]).await.unwrap().status, Status::Running);
    assert_eq!(get(done.execution).await.unwrap().status, Status::Succeeded);
    // The node that ran it is gone: the next claim ends it.
    world.store.take_over().await.unwrap();
    assert!(world.claim(10).await.is_empty());
    assert_eq!(get(ids[0]).await.unwrap().status, Status::Canceled);
}

async fn another_workspaces_job_is_not_found(world: World) {
    let job = world.job(hourly("sync")).await;
    let (other, _) = world.other_workspace().await;
    let same = compiled(job.id, job.created_at, hourly("sync"));
    let store = &world.store;
    assert_eq!(
        store.get_job(other, job.id).await.unwrap_err(),
        StoreError::NotFound
    );
    let change = JobEdit {
        owner: world.owner,
        job: same.clone(),
        reschedule: true,
        expected: 1,
    };
    assert_eq!(
        store
            .edit_job(other, job.id, change, Actor::System)
            .await
            .unwrap_err(),
        StoreError::NotFound
    );
    assert_eq!(
        store
            .pause_job(other, job.id, Actor::System)
            .await
            .unwrap_err(),
        StoreError::NotFound
    );
    assert_eq!(
        store
            .resume_job(other, job.id, same, 1, Actor::System)
            .await
            .unwrap_err(),
        StoreError::NotFound
    );
    assert_eq!(
        store
            .delete_job(other, job.id, Actor::System)
            .await
            .unwrap_err(),
        StoreError::NotFound
    );
    let id = execution_id(world.now().await);
    assert_eq!(
        store
            .run_now(other, job.id, id, Actor::System)
            .await
            .unwrap_err(),
        StoreError::NotFound
    );
    assert!(store.list_jobs(other, None, 10).await.unwrap().is_empty());
    assert_eq!(world.number("SELECT count(*) FROM audit").await, 3);
}

async fn jobs_that_mention_a_secret_are_found(world: World) {
    let mut named = Vec::new();
    for header in [
        "secret://MY_KEY",
        "Bearer {{secret.MY_KEY}}",
        "secret://MY_KEY.2",
    ] {
        named.push(world.job(with_header("sync", header)).await.id);
    }
    world.job(with_header("sync", "secret://MYxKEY")).await;
    world.job(with_header("100% ! sure", "nothing")).await;
    let found = async |name: &str| {
        let rows = world.store.jobs_mentioning(world.workspace, name).await;
        rows.unwrap().iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(found("MY_KEY").await, named);
    assert_eq!(found("MY_KEY.2").await, named[2..]);
    assert!(found("MY%KEY").await.is_empty());
    assert_eq!(found("% ! sure").await.len(), 1);
    let elsewhere = world.store.jobs_mentioning(elsewhere(), "MY_KEY").await;
    assert!(elsewhere.unwrap().is_empty());
}
