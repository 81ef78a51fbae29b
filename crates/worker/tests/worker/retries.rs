//! Which failures are tried again, and when.

use padclock_job::Moment;
use padclock_worker::{End, FailureKind, Worker};

use crate::support::source::OneShot;
use crate::support::target::{Reply, Target, response};
use crate::support::{Case, NOW, Values, code, message};

async fn answered(status: u16, headers: &str) -> padclock_worker::Completion {
    let target = Target::fixed(response(status, headers, b"")).await;
    Case::get(target.url("/")).run().await
}

fn at(end: &End) -> Moment {
    match end {
        End::Retry { at } => *at,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn statuses_decide() {
    for status in [200, 201, 202, 204] {
        assert_eq!(answered(status, "").await.end, End::Succeeded, "{status}");
    }
    for status in [203, 206, 301, 304, 400, 401, 403, 404, 409, 410, 422] {
        let done = answered(status, "").await;
        assert_eq!(
            done.end,
            End::Failed {
                reason: "status".to_owned()
            },
            "{status}"
        );
        assert!(message(&done).contains(&status.to_string()));
    }
    for status in [408, 425, 429, 500, 502, 503, 504, 599] {
        let done = answered(status, "").await;
        assert_eq!(code(&done), "status");
        let wait = at(&done.end).millis() - NOW.millis();
        assert!((900..=60_000).contains(&wait), "{status}: {wait} ms");
        assert_eq!(done.attempt.response.unwrap().status, status);
    }
}

#[tokio::test]
async fn a_job_chooses_what_counts_as_success() {
    let target = Target::fixed(response(418, "", b"")).await;
    let mut case = Case::get(target.url("/"));
    case.request.success_statuses = vec![418];
    assert_eq!(case.run().await.end, End::Succeeded);
}

#[tokio::test]
async fn retry_after_is_honoured() {
    let seconds = answered(503, "Retry-After: 120\r\n").await;
    let wait = at(&seconds.end).millis() - NOW.millis();
    assert!((120_000..150_000).contains(&wait), "{wait}");
    let date = answered(429, "Retry-After: Mon, 09 Mar 2026 16:00:00 GMT\r\n").await;
    assert_eq!(at(&date.end).millis(), 1_773_072_000_000);
    let senseless = answered(503, "Retry-After: soon\r\n").await;
    assert!(at(&senseless.end).millis() - NOW.millis() < 60_000);
}

#[tokio::test]
async fn no_retry_is_put_past_the_next_occurrence_or_the_last_attempt() {
    let target = Target::fixed(response(503, "Retry-After: 120\r\n", b"")).await;
    let mut case = Case::get(target.url("/"));
    case.next_due = Some(NOW.plus_seconds(60));
    assert_eq!(
        case.run().await.end,
        End::Failed {
            reason: "status".to_owned()
        }
    );
    let target = Target::fixed(response(503, "", b"")).await;
    let mut case = Case::get(target.url("/"));
    case.attempt = 3;
    assert_eq!(
        case.run().await.end,
        End::Failed {
            reason: "status".to_owned()
        }
    );
}

#[tokio::test]
async fn a_bad_status_counts_even_when_the_body_breaks() {
    let broken = b"HTTP/1.1 404 Gone\r\nContent-Length: 100\r\n\r\nhalf".to_vec();
    let target = Target::new(move |_| Reply::Close(broken.clone())).await;
    let done = Case::get(target.url("/")).run().await;
    assert_eq!(code(&done), "status");
}

#[tokio::test]
async fn what_happens_is_counted() {
    let target = Target::new(|seen| match seen.path.as_str() {
        "/good" => Reply::ok(""),
        _ => Reply::response(500, "", b""),
    })
    .await;
    let (good, bad) = (
        Case::get(target.url("/good")),
        Case::get(target.url("/bad")),
    );
    let worker = Worker::new(
        std::sync::Arc::new(Values(good.values.clone())),
        good.settings.clone(),
    )
    .unwrap();
    OneShot::perform(&worker, vec![good.lease(1), bad.lease(2), good.lease(3)]).await;
    let counted = worker.counters().read();
    assert_eq!(
        (counted.started, counted.succeeded, counted.retried),
        (3, 2, 1)
    );
    assert_eq!(counted.failed_by(FailureKind::Status), 1);
    assert_eq!((counted.in_flight, counted.waiting), (0, 0));
}
