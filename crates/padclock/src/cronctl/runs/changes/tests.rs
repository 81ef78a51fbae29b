//! Each change is told once.

use padclock_api::Execution;

use super::changes;

fn execution(changed: serde_json::Value) -> Execution {
    let mut json = serde_json::json!({
        "id": "exec_01jpc8q0000000000000000009", "job_id": "cj_01jpc8q0000000000000000005", "job_name": "j",
        "status": "queued", "trigger": "manual", "scheduled_for": "2026-03-15T10:00:00.000Z", "started_at": null,
        "finished_at": null, "duration_ms": null, "attempt_count": 0, "attempts": [], "reason": null, "secrets": [],
        "unresolved_secrets": [], "warnings": [], "node": null
    });
    json.as_object_mut()
        .unwrap()
        .extend(changed.as_object().unwrap().clone());
    serde_json::from_value(json).unwrap()
}

fn attempt(number: u32) -> serde_json::Value {
    serde_json::json!({
        "number": number, "status": "failed", "started_at": "2026-03-15T10:00:00.000Z", "duration_ms": 5,
        "request": null, "response": null, "error": {"code": "connect", "message": "refused"}
    })
}

#[test]
fn every_status_in_words() {
    let table = [
        (
            serde_json::json!({}),
            "queued  due 2026-03-15T10:00:00.000Z",
        ),
        (
            serde_json::json!({"status": "running", "started_at": "2026-03-15T10:00:00.000Z"}),
            "running  since 2026-03-15T10:00:00.000Z",
        ),
        (
            serde_json::json!({"status": "waiting", "next_attempt_at": "2026-03-15T10:00:01.000Z"}),
            "waiting  next attempt at 2026-03-15T10:00:01.000Z",
        ),
        (
            serde_json::json!({"status": "succeeded", "duration_ms": 5}),
            "succeeded  after 5 ms",
        ),
        (
            serde_json::json!({"status": "failed", "duration_ms": 5, "reason": "r"}),
            "failed  after 5 ms: r",
        ),
        (
            serde_json::json!({"status": "skipped", "reason": "overlap"}),
            "skipped  overlap",
        ),
        (serde_json::json!({"status": "canceled"}), "canceled"),
        (
            serde_json::json!({"status": "lost", "reason": "its node is gone"}),
            "lost  its node is gone",
        ),
    ];
    for (fields, words) in table {
        assert_eq!(
            changes(None, &execution(fields)),
            [format!("exec_01jpc8q0000000000000000009  {words}")]
        );
    }
}

#[test]
fn nothing_is_told_twice() {
    let looks = [
        (execution(serde_json::json!({"status": "running"})), 1),
        (execution(serde_json::json!({"status": "running"})), 0),
        (
            execution(serde_json::json!({"status": "running", "attempts": [attempt(1)]})),
            1,
        ),
        (
            execution(
                serde_json::json!({"status": "waiting", "attempts": [attempt(1)], "next_attempt_at": "2026-03-15T10:00:01.000Z"}),
            ),
            1,
        ),
        (
            execution(
                serde_json::json!({"status": "waiting", "attempts": [attempt(1), attempt(2)], "next_attempt_at": "2026-03-15T10:00:03.000Z"}),
            ),
            2,
        ),
        (
            execution(
                serde_json::json!({"status": "failed", "attempts": [attempt(1), attempt(2), attempt(3)]}),
            ),
            2,
        ),
    ];
    let mut before = None;
    for (now, lines) in looks {
        assert_eq!(changes(before.as_ref(), &now).len(), lines, "{now:?}");
        before = Some(now);
    }
}
