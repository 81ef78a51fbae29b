//! Requests and templates that are wrong are refused when their job is saved, a template with the place in its text.

use serde_json::{Value, json};

use crate::bad_definitions::{URL, all_refused};
use crate::home::{Engine, on_both_stores};
use crate::server::Server;

on_both_stores!(requests_that_are_wrong_are_refused);

fn asking(request: Value) -> Value {
    json!({"name": "j", "kind": "manual", "request": request})
}

fn header(name: &str, value: &str) -> Value {
    asking(json!({"url": URL, "headers": {name: value}}))
}

type Table = Vec<(Value, &'static str, &'static str)>;

fn urls() -> Table {
    let url = |url: &str| asking(json!({"url": url}));
    let long = format!("http://127.0.0.1/{}", "a".repeat(8 * 1024));
    vec![
        (asking(json!({})), "request.url", "missing_field"),
        (url(""), "request.url", "bad_url"),
        (url("ftp://hunter2.example/"), "request.url", "bad_url"),
        (url("file:///etc/passwd"), "request.url", "bad_url"),
        (url("javascript:alert(1)"), "request.url", "bad_url"),
        (url("//hunter2.example/"), "request.url", "bad_url"),
        (
            url("http://user:hunter2@example.com/"),
            "request.url",
            "bad_url",
        ),
        (url("http://exa mple.com/"), "request.url", "bad_url"),
        (url("http://example.com:99999/"), "request.url", "bad_url"),
        (
            url("http://{{secret.HOST}}/"),
            "request.url",
            "secret_in_origin",
        ),
        (
            url("http://a.{{secret.HOST}}.example/"),
            "request.url",
            "secret_in_origin",
        ),
        (
            url("http://example.com:{{secret.PORT}}/"),
            "request.url",
            "secret_in_origin",
        ),
        (url("{{secret.URL}}"), "request.url", "secret_in_origin"),
        (url(&long), "request.url", "too_large"),
    ]
}

fn requests() -> Table {
    vec![
        (
            asking(json!({"url": URL, "method": "BREW"})),
            "request.method",
            "bad_method",
        ),
        (
            asking(json!({"url": URL, "colour": "red"})),
            "request.colour",
            "unknown_field",
        ),
        (
            asking(json!({"url": URL, "timeout_seconds": 0})),
            "request.timeout_seconds",
            "out_of_range",
        ),
        (
            asking(json!({"url": URL, "timeout_seconds": 301})),
            "request.timeout_seconds",
            "out_of_range",
        ),
        (
            asking(json!({"url": URL, "success_statuses": [99]})),
            "request.success_statuses",
            "out_of_range",
        ),
        (
            asking(json!({"url": URL, "auth": {"digest": {}}})),
            "request.auth",
            "unknown_word",
        ),
    ]
}

fn headers() -> Table {
    vec![
        (
            header("X-Bad", "hunter2\r\nX-Evil: 1"),
            "request.headers",
            "bad_header_value",
        ),
        (
            header("X-Bad", "hunter2\u{0}"),
            "request.headers",
            "bad_header_value",
        ),
        (
            header("X-Bad", "hunter2\u{1b}[31m"),
            "request.headers",
            "bad_header_value",
        ),
        (header("X Bad", "v"), "request.headers", "bad_header_name"),
        (
            header("X-Bad\r\n", "v"),
            "request.headers",
            "bad_header_name",
        ),
        (header("", "v"), "request.headers", "bad_header_name"),
        (
            header("{{secret.NAME}}", "v"),
            "request.headers",
            "bad_header_name",
        ),
        (
            header("Host", "elsewhere"),
            "request.headers",
            "forbidden_header",
        ),
        (
            header("Content-Length", "5"),
            "request.headers",
            "forbidden_header",
        ),
        (
            header("Transfer-Encoding", "chunked"),
            "request.headers",
            "forbidden_header",
        ),
        (
            header("Connection", "close"),
            "request.headers",
            "forbidden_header",
        ),
        (
            asking(json!({"url": URL, "headers": {"X-A": "1", "x-a": "2"}})),
            "request.headers",
            "duplicate_header",
        ),
        (
            header("X-Large", &"v".repeat(33 * 1024)),
            "request.headers",
            "too_large",
        ),
    ]
}

fn templates() -> Table {
    let many = "{{now}}".repeat(1_001);
    vec![
        (header("X-Many", &many), "request", "too_many_segments"),
        (
            header("X-V", "{{nothing}}"),
            "request.headers.X-V",
            "unknown_variable",
        ),
        (
            header("X-V", "{{secret.A | reverse}}"),
            "request.headers.X-V",
            "bad_filter",
        ),
        (
            header("X-V", "{{secret.A | hmac_sha256(B)}}"),
            "request.headers.X-V",
            "bad_filter",
        ),
        (
            header("X-V", "{{secret.}}"),
            "request.headers.X-V",
            "bad_name",
        ),
        (
            header("X-V", "{{secret.A"),
            "request.headers.X-V",
            "unclosed",
        ),
        (
            asking(
                json!({"url": URL, "auth": {"basic": {"username": "a:b", "password": "hunter2"}}}),
            ),
            "request.auth",
            "bad_username",
        ),
    ]
}

async fn requests_that_are_wrong_are_refused(engine: Engine) {
    let server = Server::new(engine).await;
    for table in [urls(), requests(), headers(), templates()] {
        all_refused(&server, table).await;
    }
    let answer = server
        .client
        .post("/v1/jobs", &header("X-V", "abc {{secret.A}} {{nothing}}"))
        .await;
    let detail =
        answer.refused(400, "validation_error", None).json()["error"]["details"][0].clone();
    assert_eq!(
        (&detail["field"], &detail["position"]),
        (&json!("request.headers.X-V"), &json!(19)),
        "{detail}"
    );
    let several =
        asking(json!({"url": "ftp://x/", "timeout_seconds": 0, "headers": {"X-V": "{{nothing}}"}}));
    let answer =
        server
            .client
            .post("/v1/jobs", &several)
            .await
            .refused(400, "validation_error", None);
    assert!(
        answer.json()["error"]["details"].as_array().unwrap().len() >= 3,
        "{}",
        answer.text()
    );
}
