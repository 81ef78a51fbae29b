//! Every overlap rule, decided in the claiming transaction.

use padclock_api::{ExecutionId, JobId, Status};
use padclock_job::{Definition, Misfire, Moment, Overlap};
use padclock_store::{Claimed, End, ExecutionFilter, Revocation};

use crate::make::{LONG, held, hourly};
use crate::world::{World, on_both_engines};

on_both_engines!(
    skip_leaves_a_row,
    queue_one_holds_one,
    queue_all_holds_up_to_its_limit,
    an_end_wakes_one_for_each_place,
    allow_runs_beside_up_to_its_limit,
    cancel_previous_stops_what_runs,
    cancel_previous_stops_what_waits,
    cancel_previous_runs_only_the_newest_of_several,
    what_waits_for_a_retry_is_still_open,
    more_than_there_is_room_for_is_queued,
);

struct Line {
    world: World,
    job: JobId,
    first: Moment,
}

impl Line {
    async fn new(world: World, definition: Definition) -> Self {
        let (job, first) = world.due_job(definition).await;
        Self {
            world,
            job: job.id,
            first,
        }
    }

    fn id(&self, number: i64) -> ExecutionId {
        ExecutionId::of_occurrence(self.job, 1, self.first.plus_millis(number).millis())
    }

    /// Lets the occurrence of this number come due and claims what there is.
    async fn due(&self, number: i64) -> Vec<Claimed> {
        self.world
            .due_at(self.job, self.first.plus_millis(number))
            .await;
        self.world.claim(10).await
    }

    async fn status(&self, number: i64) -> (Status, Option<String>) {
        let found = self
            .world
            .store
            .get_execution(self.world.workspace, self.id(number))
            .await
            .unwrap();
        (found.status, found.reason)
    }
}

fn reason(text: &str) -> Option<String> {
    Some(text.to_owned())
}

async fn skip_leaves_a_row(world: World) {
    let line = Line::new(world, hourly("sync")).await;
    let running = line.due(0).await;
    assert!(line.due(1).await.is_empty());
    assert_eq!(line.status(1).await, (Status::Skipped, reason("overlap")));
    assert!(line.world.finish(&running[0], End::Succeeded).await);
    assert_eq!(line.due(2).await.len(), 1);
}

async fn queue_one_holds_one(world: World) {
    let line = Line::new(
        world,
        Definition {
            overlap: Overlap::QueueOne,
            ..hourly("sync")
        },
    )
    .await;
    let running = line.due(0).await;
    assert!(line.due(1).await.is_empty());
    assert!(line.due(2).await.is_empty());
    assert_eq!(line.status(1).await, (Status::Queued, None));
    assert_eq!(line.status(2).await, (Status::Skipped, reason("overlap")));
    assert!(line.world.finish(&running[0], End::Succeeded).await);
    let next = line.world.claim_one().await;
    assert_eq!((next.execution, next.attempt), (line.id(1), 1));
}

async fn queue_all_holds_up_to_its_limit(world: World) {
    let rules = Definition {
        overlap: Overlap::QueueAll,
        queue_limit: 2,
        ..hourly("sync")
    };
    let line = Line::new(world, rules).await;
    let mut running = line.due(0).await;
    for number in 1..=3 {
        assert!(line.due(number).await.is_empty());
    }
    assert_eq!(
        line.status(3).await,
        (Status::Skipped, reason("queue_full"))
    );
    for number in 1..=2 {
        assert_eq!(line.status(number).await.0, Status::Queued);
        assert!(line.world.claim(10).await.is_empty());
        assert!(line.world.finish(&running[0], End::Succeeded).await);
        running = vec![line.world.claim_one().await];
        assert_eq!(running[0].execution, line.id(number), "the oldest first");
    }
}

async fn an_end_wakes_one_for_each_place(world: World) {
    let rules = Definition {
        overlap: Overlap::QueueAll,
        max_concurrent: Some(2),
        ..hourly("sync")
    };
    let line = Line::new(world, rules).await;
    let mut running = line.due(0).await;
    running.extend(line.due(1).await);
    assert_eq!(running.len(), 2);
    for number in 2..=5 {
        assert!(line.due(number).await.is_empty());
    }
    let done = running
        .iter()
        .map(|one| crate::make::finished(one, End::Succeeded))
        .collect();
    line.world
        .store
        .complete(crate::make::node("n1"), done)
        .await
        .unwrap();
    let next = line.world.claim(10).await;
    assert_eq!(
        next.iter().map(|one| one.execution).collect::<Vec<_>>(),
        [line.id(2), line.id(3)]
    );
    // Two ends, one after the other, before anyone claims.
    for one in &next {
        assert!(line.world.finish(one, End::Succeeded).await);
    }
    assert_eq!(line.world.claim(10).await.len(), 2);
}

async fn allow_runs_beside_up_to_its_limit(world: World) {
    let rules = Definition {
        overlap: Overlap::Allow,
        max_concurrent: Some(2),
        queue_limit: 1,
        ..hourly("sync")
    };
    let line = Line::new(world, rules).await;
    let running = line.due(0).await;
    assert_eq!((running.len(), line.due(1).await.len()), (1, 1));
    assert!(line.due(2).await.is_empty());
    assert!(line.due(3).await.is_empty());
    assert_eq!(line.status(2).await.0, Status::Queued);
    assert_eq!(
        line.status(3).await,
        (Status::Skipped, reason("queue_full"))
    );
    assert!(line.world.finish(&running[0], End::Succeeded).await);
    assert_eq!(line.world.claim_one().await.execution, line.id(2));
}

async fn cancel_previous_stops_what_runs(world: World) {
    let line = Line::new(
        world,
        Definition {
            overlap: Overlap::CancelPrevious,
            ..hourly("sync")
        },
    )
    .await;
    let old = line.due(0).await.remove(0);
    let new = line.due(1).await;
    assert_eq!(
        new.iter().map(|one| one.execution).collect::<Vec<_>>(),
        [line.id(1)]
    );
    let told = line
        .world
        .store
        .renew(vec![held(&old), held(&new[0])], LONG)
        .await
        .unwrap();
    assert_eq!(told, [(held(&old), Revocation::Cancel)]);
    assert!(line.world.finish(&old, End::Canceled).await);
    assert!(line.world.finish(&new[0], End::Succeeded).await);
    // A node that is asked to stop and dies instead: the next claim ends it.
    let old = line.due(2).await.remove(0);
    line.due(3).await;
    let id = line.world.hex(old.execution.bytes());
    line.world
        .raw(&format!(
            "UPDATE open_executions SET wake_at = 0 WHERE id = {id}"
        ))
        .await;
    assert!(line.world.claim(10).await.is_empty());
    assert_eq!(line.status(2).await, (Status::Canceled, reason("canceled")));
}

async fn cancel_previous_stops_what_waits(world: World) {
    let line = Line::new(
        world,
        Definition {
            overlap: Overlap::CancelPrevious,
            ..hourly("sync")
        },
    )
    .await;
    let old = line.due(0).await.remove(0);
    // Its next attempt and the next occurrence come due at once: only the newer one runs.
    assert!(
        line.world
            .finish(
                &old,
                End::Retry {
                    at: Moment::from_millis(0)
                }
            )
            .await
    );
    let new = line.due(1).await;
    assert_eq!(
        new.iter().map(|one| one.execution).collect::<Vec<_>>(),
        [line.id(1)]
    );
    assert_eq!(line.status(0).await, (Status::Canceled, reason("overlap")));
    assert_eq!(line.status(1).await.0, Status::Running);

    // A dead node's, too.
    line.world.store.take_over().await.unwrap();
    let newest = line.due(2).await;
    assert_eq!(
        newest.iter().map(|one| one.execution).collect::<Vec<_>>(),
        [line.id(2)]
    );
    assert!(line.world.claim(10).await.is_empty());
    assert_eq!(line.status(1).await.0, Status::Canceled);
    assert_eq!(line.status(2).await.0, Status::Running);
}

async fn cancel_previous_runs_only_the_newest_of_several(world: World) {
    let mut rules = Definition {
        overlap: Overlap::CancelPrevious,
        misfire: Misfire::All,
        ..hourly("sync")
    };
    rules.schedule.every_seconds = Some(60);
    let start = world.now().await.plus_millis(-330_000);
    rules.schedule.start_at = Some(start);
    let job = world.job(rules).await;
    world.due_at(job.id, start).await;
    let claimed = world.claim_one().await;
    assert_eq!(claimed.scheduled_for, start.plus_millis(300_000));
    let all = world
        .store
        .list_executions(world.workspace, ExecutionFilter::default(), 100)
        .await
        .unwrap();
    assert_eq!(all.len(), 6);
    assert!(
        all[1..]
            .iter()
            .all(|one| one.status == Status::Skipped && one.reason == reason("overlap")),
        "{all:?}"
    );
}

async fn what_waits_for_a_retry_is_still_open(world: World) {
    let line = Line::new(world, hourly("sync")).await;
    let running = line.due(0).await;
    let later = line.world.now().await.plus_millis(60_000);
    assert!(
        line.world
            .finish(&running[0], End::Retry { at: later })
            .await
    );
    assert!(line.due(1).await.is_empty());
    assert_eq!(line.status(1).await, (Status::Skipped, reason("overlap")));
}

async fn more_than_there_is_room_for_is_queued(world: World) {
    let mut rules = Definition {
        overlap: Overlap::Allow,
        misfire: Misfire::All,
        ..hourly("sync")
    };
    rules.schedule.every_seconds = Some(60);
    let start = world.now().await.plus_millis(-330_000);
    rules.schedule.start_at = Some(start);
    let job = world.job(rules).await;
    world.due_at(job.id, start).await;
    let mut seen = Vec::new();
    for expected in [2, 2, 2, 0] {
        let claimed = world.claim(2).await;
        assert_eq!(claimed.len(), expected);
        seen.extend(claimed.iter().map(|one| one.scheduled_for));
    }
    let all: Vec<_> = (0..6)
        .map(|number| start.plus_millis(number * 60_000))
        .collect();
    seen.sort();
    assert_eq!(seen, all);
}
