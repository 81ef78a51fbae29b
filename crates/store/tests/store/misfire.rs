//! Occurrences that were missed: each is a row, run or not.

use padclock_api::{Execution, Status};
use padclock_job::{Definition, Misfire, Moment, Overlap};
use padclock_store::ExecutionFilter;

use crate::make::hourly;
use crate::world::{World, on_both_engines};

on_both_engines!(
    the_newest_runs_by_default,
    none_runs,
    all_run,
    too_many_to_list_are_counted
);

/// A job of every minute that was last looked at `minutes` ago.
async fn missed(world: &World, definition: Definition, minutes: i64) -> Vec<Execution> {
    let mut definition = definition;
    definition.schedule.every_seconds = Some(60);
    // Half a minute to the next occurrence: the test's own time changes nothing.
    let start = world.now().await.plus_millis(-(minutes * 60_000) - 90_000);
    definition.schedule.start_at = Some(start);
    let job = world.job(definition).await;
    world.due_at(job.id, start.plus_millis(60_000)).await;
    world.claim(200).await;
    let due = world
        .store
        .get_job(world.workspace, job.id)
        .await
        .unwrap()
        .due
        .unwrap();
    assert!(due.run_at > world.now().await);
    world
        .store
        .list_executions(world.workspace, ExecutionFilter::default(), 500)
        .await
        .unwrap()
}

fn of(found: &[Execution], status: Status) -> Vec<Moment> {
    found
        .iter()
        .filter(|one| one.status == status)
        .map(|one| one.scheduled_for)
        .collect()
}

async fn the_newest_runs_by_default(world: World) {
    let found = missed(&world, hourly("sync"), 10).await;
    assert_eq!(found.len(), 11);
    assert_eq!(of(&found, Status::Running), [found[0].scheduled_for]);
    let skipped: Vec<_> = found[1..]
        .iter()
        .map(|one| (one.status, one.reason.as_deref()))
        .collect();
    assert!(
        skipped
            .iter()
            .all(|one| *one == (Status::Skipped, Some("misfire"))),
        "{skipped:?}"
    );
}

async fn none_runs(world: World) {
    let found = missed(
        &world,
        Definition {
            misfire: Misfire::Skip,
            ..hourly("sync")
        },
        10,
    )
    .await;
    // The newest one is half a minute late, which is no misfire.
    assert_eq!(
        (
            of(&found, Status::Running).len(),
            of(&found, Status::Skipped).len()
        ),
        (1, 10)
    );
}

async fn all_run(world: World) {
    let rules = Definition {
        misfire: Misfire::All,
        overlap: Overlap::Allow,
        ..hourly("sync")
    };
    let found = missed(&world, rules, 10).await;
    assert_eq!((of(&found, Status::Running).len(), found.len()), (11, 11));
}

async fn too_many_to_list_are_counted(world: World) {
    let found = missed(&world, hourly("sync"), 300).await;
    assert_eq!(found.len(), 101);
    let told: Vec<_> = found
        .iter()
        .filter_map(|one| one.reason.as_deref())
        .filter(|text| text.contains("200 earlier"))
        .collect();
    assert_eq!(told, ["misfire (and 200 earlier ones)"]);
}
