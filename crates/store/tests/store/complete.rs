//! Batches of ends: one transaction, each entry accepted or late.

use padclock_api::{Status, UsedSecret};
use padclock_job::{Definition, Moment, Overlap};
use padclock_store::{End, Finished};

use crate::make::{finished, hourly, node};
use crate::world::{World, on_both_engines};

on_both_engines!(
    a_batch_may_hold_every_end,
    what_was_used_is_kept,
    an_empty_batch_is_nothing
);

async fn a_batch_may_hold_every_end(world: World) {
    for number in 0..6 {
        world
            .due_job(Definition {
                overlap: Overlap::QueueAll,
                ..hourly(&format!("job {number}"))
            })
            .await;
    }
    let claimed = world.claim(10).await;
    let ends = [
        End::Succeeded,
        End::Failed {
            reason: "status".to_owned(),
        },
        End::Canceled,
        End::Retry {
            at: Moment::from_millis(0),
        },
        End::HandBack {
            at: Moment::from_millis(0),
        },
        End::Succeeded,
    ];
    let mut batch: Vec<Finished> = claimed
        .iter()
        .zip(ends)
        .map(|(one, end)| finished(one, end))
        .collect();
    batch[5].fence = 9;
    let accepted = world.store.complete(node("n1"), batch).await.unwrap();
    assert_eq!(accepted, [true, true, true, true, true, false]);
    let mut seen = Vec::new();
    for one in &claimed {
        let found = world
            .store
            .get_execution(world.workspace, one.execution)
            .await
            .unwrap();
        seen.push((found.status, found.reason, found.attempts.unwrap().len()));
    }
    let expected = [
        (Status::Succeeded, None, 1),
        (Status::Failed, Some("status".to_owned()), 1),
        (Status::Canceled, Some("canceled".to_owned()), 1),
        (Status::Waiting, None, 1),
        (Status::Queued, None, 0),
        (Status::Running, None, 0),
    ];
    assert_eq!(seen, expected);
    assert_eq!(
        world
            .number("SELECT count(*) FROM audit WHERE action = 'execution.late_result'")
            .await,
        1
    );
}

async fn what_was_used_is_kept(world: World) {
    world.due_job(hourly("sync")).await;
    let claimed = world.claim_one().await;
    let mut done = finished(&claimed, End::Succeeded);
    done.secrets = Some(r#"[{"name":"KEY","version":3}]"#.to_owned());
    done.unresolved = Some(r#"["OTHER"]"#.to_owned());
    done.warnings = Some(r#"["mind the gap"]"#.to_owned());
    done.job_name = "as it was called".to_owned();
    assert_eq!(
        world.store.complete(node("n2"), vec![done]).await.unwrap(),
        [true]
    );
    let found = world
        .store
        .get_execution(world.workspace, claimed.execution)
        .await
        .unwrap();
    assert_eq!(
        found.secrets,
        [UsedSecret {
            name: "KEY".to_owned(),
            version: 3
        }]
    );
    assert_eq!(found.unresolved_secrets, ["OTHER"]);
    assert_eq!(found.warnings, ["mind the gap"]);
    assert_eq!(found.job_name, "as it was called");
    assert!(found.finished_at.unwrap() >= found.started_at.unwrap());
}

async fn an_empty_batch_is_nothing(world: World) {
    assert!(
        world
            .store
            .complete(node("n1"), Vec::new())
            .await
            .unwrap()
            .is_empty()
    );
}
