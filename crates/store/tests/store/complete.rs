//! Batches of ends: one transaction, each entry accepted or late.

use padclock_api::{Status, UsedSecret};
use padclock_job::{Definition, Moment, Overlap};
use padclock_store::{Actor, Claimed, End, Finished, Refused, SecretUse};

use crate::make::{finished, hourly, node};
use crate::world::{World, on_both_engines};

on_both_engines!(
    a_batch_may_hold_every_end,
    what_was_used_is_kept,
    an_empty_batch_is_nothing,
    what_is_handed_back_before_it_began_has_not_started,
    what_is_handed_back_after_an_attempt_waits_for_the_next,
    an_end_that_is_told_twice_is_accepted_twice,
    what_every_attempt_used_is_kept,
    what_was_used_is_kept_by_an_end_without_an_attempt,
    a_refusal_is_audited_once,
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

async fn what_is_handed_back_before_it_began_has_not_started(world: World) {
    world.due_job(hourly("sync")).await;
    let claimed = world.claim_one().await;
    let at = world.now().await.plus_millis(60_000);
    assert!(world.finish(&claimed, End::HandBack { at }).await);
    let found = world
        .store
        .get_execution(world.workspace, claimed.execution)
        .await
        .unwrap();
    assert_eq!((found.status, found.started_at), (Status::Queued, None));
}

async fn what_is_handed_back_after_an_attempt_waits_for_the_next(world: World) {
    let (job, _) = world.due_job(hourly("sync")).await;
    let first = world.claim_one().await;
    let retry = End::Retry {
        at: Moment::from_millis(0),
    };
    assert!(world.finish(&first, retry).await);
    let second = world.claim_one().await;
    let at = world.now().await.plus_millis(60_000);
    assert!(world.finish(&second, End::HandBack { at }).await);
    // A pause drops what has not begun, and this has.
    world
        .store
        .pause_job(world.workspace, job.id, Actor::System)
        .await
        .unwrap();
    let found = world
        .store
        .get_execution(world.workspace, first.execution)
        .await
        .unwrap();
    assert_eq!(
        (found.status, found.started_at, found.attempt_count),
        (Status::Waiting, Some(first.started_at), 1)
    );
    world.raw("UPDATE open_executions SET wake_at = 0").await;
    let again = world.claim_one().await;
    assert_eq!((again.attempt, again.started_at), (2, first.started_at));
}

async fn late_results(world: &World) -> i64 {
    world
        .number("SELECT count(*) FROM audit WHERE action = 'execution.late_result'")
        .await
}

async fn an_end_that_is_told_twice_is_accepted_twice(world: World) {
    let later = world.now().await.plus_millis(60_000);
    let failed = End::Failed {
        reason: "status".to_owned(),
    };
    let ends = [
        End::Succeeded,
        failed.clone(),
        End::Canceled,
        End::Retry { at: later },
        End::HandBack { at: later },
    ];
    for end in ends {
        world.due_job(hourly("sync")).await;
        let claimed = world.claim_one().await;
        assert!(world.finish(&claimed, end.clone()).await);
        assert!(
            world.finish(&claimed, end.clone()).await,
            "{end:?}: the answer may have been lost on its way"
        );
        let found = world
            .store
            .get_execution(world.workspace, claimed.execution)
            .await
            .unwrap();
        assert!(found.attempts.unwrap().len() <= 1, "{end:?}");
    }
    assert_eq!(late_results(&world).await, 0);

    // Another end, or another node's, is no repetition.
    world.due_job(hourly("sync")).await;
    let claimed = world.claim_one().await;
    assert!(world.finish(&claimed, End::Succeeded).await);
    assert!(!world.finish(&claimed, failed).await);
    let elsewhere = vec![finished(&claimed, End::Succeeded)];
    let answer = world.store.complete(node("n2"), elsewhere).await.unwrap();
    assert_eq!(answer, [false]);
    assert_eq!(late_results(&world).await, 2);
}

/// An attempt that used this version of a secret, missed this name, and said something.
fn used(claimed: &Claimed, end: End, version: u32, missed: &str) -> Finished {
    Finished {
        secrets: Some(format!(
            r#"[{{"name":"EVER","version":1}},{{"name":"KEY","version":{version}}}]"#
        )),
        unresolved: Some(format!(r#"["{missed}"]"#)),
        warnings: Some(r#"["mind the gap"]"#.to_owned()),
        ..finished(claimed, end)
    }
}

const AT_ONCE: End = End::Retry {
    at: Moment::from_millis(0),
};

async fn complete_one(world: &World, one: Finished) {
    let accepted = world.store.complete(node("n1"), vec![one]).await.unwrap();
    assert_eq!(accepted, [true]);
}

async fn kept(world: &World, claimed: &Claimed, versions: &[u32], missed: &[&str]) -> Status {
    let found = world
        .store
        .get_execution(world.workspace, claimed.execution)
        .await
        .unwrap();
    let mut expected = vec![UsedSecret {
        name: "EVER".to_owned(),
        version: 1,
    }];
    expected.extend(versions.iter().map(|&version| UsedSecret {
        name: "KEY".to_owned(),
        version,
    }));
    assert_eq!(found.secrets, expected);
    assert_eq!(found.unresolved_secrets, missed);
    assert_eq!(found.warnings, ["mind the gap"]);
    found.status
}

async fn what_every_attempt_used_is_kept(world: World) {
    world.due_job(hourly("sync")).await;
    let first = world.claim_one().await;
    complete_one(&world, used(&first, AT_ONCE, 10, "B")).await;
    assert_eq!(kept(&world, &first, &[10], &["B"]).await, Status::Waiting);
    let second = world.claim_one().await;
    complete_one(&world, used(&second, AT_ONCE, 9, "A")).await;
    assert_eq!(
        kept(&world, &first, &[9, 10], &["A", "B"]).await,
        Status::Waiting
    );
    let third = world.claim_one().await;
    complete_one(&world, used(&third, End::Succeeded, 10, "B")).await;
    let status = kept(&world, &first, &[9, 10], &["A", "B"]).await;
    assert_eq!(status, Status::Succeeded);

    // A last attempt that used nothing, or says so with an empty list, takes nothing away.
    for nothing in [None, Some("[]".to_owned())] {
        world.due_job(hourly("sync")).await;
        let first = world.claim_one().await;
        complete_one(&world, used(&first, AT_ONCE, 10, "B")).await;
        let last = Finished {
            secrets: nothing.clone(),
            unresolved: nothing.clone(),
            warnings: nothing,
            ..finished(&world.claim_one().await, End::Succeeded)
        };
        complete_one(&world, last).await;
        kept(&world, &first, &[10], &["B"]).await;
    }
}

async fn what_was_used_is_kept_by_an_end_without_an_attempt(world: World) {
    // Ended while it waited.
    world.due_job(hourly("sync")).await;
    let first = world.claim_one().await;
    complete_one(&world, used(&first, AT_ONCE, 2, "B")).await;
    world
        .store
        .cancel(world.workspace, first.execution, Actor::System)
        .await
        .unwrap();
    assert_eq!(kept(&world, &first, &[2], &["B"]).await, Status::Canceled);
    // Ended by a claim, its node gone.
    world.due_job(hourly("sync")).await;
    let second = world.claim_one().await;
    complete_one(&world, used(&second, AT_ONCE, 2, "B")).await;
    while !world.claim(10).await.is_empty() {
        world.store.take_over().await.unwrap();
    }
    assert_eq!(kept(&world, &second, &[2], &["B"]).await, Status::Lost);
}

fn refused_secret(name: &str) -> SecretUse {
    SecretUse {
        name: name.to_owned(),
        id: Some("sec_1".to_owned()),
        version: Some(2),
    }
}

async fn a_refusal_is_audited_once(world: World) {
    world.due_job(hourly("sync")).await;
    let claimed = world.claim_one().await;
    let refused = Finished {
        refused: Some(Refused {
            secrets: ["KEY", "OTHER"].map(refused_secret).to_vec(),
            host: "evil.example".to_owned(),
        }),
        ..finished(
            &claimed,
            End::Failed {
                reason: "egress_refused".to_owned(),
            },
        )
    };
    complete_one(&world, refused.clone()).await;
    complete_one(&world, refused).await;
    let told = world
        .raw("SELECT actor, target, detail FROM audit WHERE action = 'secret.refused'")
        .await;
    let detail = format!(
        r#"{{"attempt":1,"job":"{}","secrets":[{{"name":"KEY","id":"sec_1","version":2}},{{"name":"OTHER","id":"sec_1","version":2}}],"host":"evil.example"}}"#,
        claimed.job_id
    );
    let expected = ["node n1".to_owned(), claimed.execution.to_string(), detail];
    assert_eq!(told, [expected.map(Some)]);
}
