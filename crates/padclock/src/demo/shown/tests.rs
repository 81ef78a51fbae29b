//! An execution on the screen: brief, within the width, and unable to steer a terminal.

use serde_json::json;

use super::*;

fn sample(body: &str) -> Execution {
    serde_json::from_value(json!({
        "id": "exec_01k5test00000000000000000a", "job_id": "cj_01k5test00000000000000000a", "job_name": "demo-sync",
        "status": "succeeded", "trigger": "schedule", "scheduled_for": "2026-03-15T10:00:00.000Z",
        "started_at": null, "finished_at": null, "duration_ms": 4, "attempt_count": 1, "reason": null,
        "secrets": [], "unresolved_secrets": [], "warnings": [], "node": "demo",
        "attempts": [{
            "number": 1, "status": "succeeded", "started_at": "2026-03-15T10:00:00.000Z", "duration_ms": 4, "error": null,
            "request": { "method": "POST", "url": "http://127.0.0.1:1/echo?key=[REDACTED:k]", "body": "{\"key\":\"[REDACTED:k]\"}",
                "headers": { "Authorization": "Bearer [REDACTED:k]", "Content-Type": "application/json" } },
            "response": { "status": 200, "headers": { "x-echo": "[REDACTED:k]", "date": "today" }, "body": body, "body_bytes": 9, "truncated": false },
        }],
    }))
    .unwrap()
}

#[test]
fn request_and_response_line_by_line() {
    let text = execution(
        &sample("base64    [REDACTED:k]\nhex       [REDACTED:k]\n"),
        Style::PLAIN,
    );
    let expected = "\
exec_01k5test00000000000000000a succeeded, HTTP 200, 4 ms
  > POST http://127.0.0.1:1/echo?key=[REDACTED:k]
  > Authorization: Bearer [REDACTED:k]
  > {\"key\":\"[REDACTED:k]\"}
  < x-echo: [REDACTED:k]
  < base64    [REDACTED:k]
  < hex       [REDACTED:k]";
    assert_eq!(text, expected);
}

#[test]
fn long_lines_are_cut_and_control_characters_shown() {
    let text = execution(
        &sample(&format!("\u{1b}[2J{}", "é".repeat(200))),
        Style::PLAIN,
    );
    assert!(
        text.lines().all(|line| line.chars().count() <= WIDTH),
        "{text}"
    );
    assert!(text.contains("< ·[2Jé") && text.ends_with('…'), "{text}");
}

#[test]
fn an_error_stands_at_the_end() {
    let mut failed = sample("x");
    let attempt = &mut failed.attempts.as_mut().unwrap()[0];
    attempt.response = None;
    attempt.error = Some(padclock_api::AttemptError {
        code: "connect".to_owned(),
        message: "nothing listens there".to_owned(),
    });
    assert!(execution(&failed, Style::PLAIN).ends_with("\n  nothing listens there"));
}
