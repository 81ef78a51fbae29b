//! Values keep their place: whatever is in one, the target gets exactly it, at exactly that place.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::client::word;
use crate::home::{Engine, on_both_stores};
use crate::server::Server;
use crate::target::{Seen, Target};

on_both_stores!(
    awkward_values_arrive_whole_in_every_place,
    a_value_cannot_inject_a_header,
    a_missing_secret_stops_the_request,
    references_outside_headers_follow_the_jobs_setting,
    substituted_text_is_not_read_again
);

/// Quotes, percent signs, separators, non-ASCII; legal in a header but for its last part.
const AWKWARD: &str = "a\"b'c\\d%41&e=f#g?h/i;j+k <l> {{now}} secret://other $x";
const LINES: &str = "first \"line\"\r\nsecond: line\n%0d%0aX-Evil: 1\nünï→код";

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = (*first == b'%')
            .then(|| u8::from_str_radix(std::str::from_utf8(&tail[..2]).unwrap(), 16).unwrap());
        bytes.push(hex.unwrap_or(if *first == b'+' { b' ' } else { *first }));
        rest = if hex.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).unwrap()
}

/// The parameters of a query or a form, decoded.
fn parameters(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

async fn sent(server: &Server, target: &Target, name: &str, request: Value) -> Seen {
    let job = server.client.manual(name, request).await;
    let execution = server.client.run(&job).await;
    assert_eq!(execution["status"], "succeeded", "{name}: {execution}");
    let text = execution.to_string();
    assert!(
        !text.contains("second: line") && !text.contains("e=f#g"),
        "{name}: {text}"
    );
    assert!(
        text.contains("[REDACTED:AWKWARD]") || text.contains("[REDACTED:LINES]"),
        "{name}: {text}"
    );
    target.one_of(word(&execution, "id"))
}

async fn awkward_values_arrive_whole_in_every_place(engine: Engine) {
    let (server, target) = (Server::new(engine).await, Target::agreeable().await);
    server.secret("AWKWARD", AWKWARD).await;
    server.secret("LINES", LINES).await;

    let url = target.url("/in/{{secret.LINES}}/path?x={{secret.AWKWARD}}&fixed=1");
    let seen = sent(
        &server,
        &target,
        "url",
        json!({"url": url, "query": {"y": "{{secret.LINES}}"}}),
    )
    .await;
    let (path, query) = seen.path.split_once('?').unwrap();
    let segments: Vec<String> = path
        .split('/')
        .map(|part| decoded(&part.replace('+', "%2B")))
        .collect();
    assert_eq!(segments, ["", "in", LINES, "path"]);
    let expected = [("x", AWKWARD), ("fixed", "1"), ("y", LINES)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(parameters(query), expected);

    let headers = json!({"X-It": "<{{secret.AWKWARD}}>", "X-Coded": "{{secret.LINES | base64}}"});
    let seen = sent(
        &server,
        &target,
        "header",
        json!({"url": target.url("/"), "headers": headers}),
    )
    .await;
    assert_eq!(seen.header("x-it"), format!("<{AWKWARD}>"));
    assert_eq!(seen.header("x-coded"), STANDARD.encode(LINES));

    let body =
        json!({"deep": [{"it": "-{{secret.LINES}}-"}], "other": "{{secret.AWKWARD}}", "n": 7});
    let seen = sent(
        &server,
        &target,
        "json",
        json!({"url": target.url("/"), "method": "POST", "body": body}),
    )
    .await;
    assert_eq!(seen.header("content-type"), "application/json");
    let got: Value = serde_json::from_slice(&seen.body).unwrap();
    assert_eq!(
        got,
        json!({"deep": [{"it": format!("-{LINES}-")}], "other": AWKWARD, "n": 7})
    );

    let body = r#"{"it": "{{secret.LINES}}", "other": "x{{secret.AWKWARD}}"}"#;
    let request = json!({"url": target.url("/"), "method": "POST", "headers": {"Content-Type": "application/json"}, "body": body});
    let seen = sent(&server, &target, "json text", request).await;
    let got: Value = serde_json::from_slice(&seen.body).unwrap();
    assert_eq!(got, json!({"it": LINES, "other": format!("x{AWKWARD}")}));

    let form = json!({"Content-Type": "application/x-www-form-urlencoded"});
    let body = json!({"it": "{{secret.LINES}}", "other": "{{secret.AWKWARD}}"});
    let seen = sent(
        &server,
        &target,
        "form",
        json!({"url": target.url("/"), "method": "POST", "headers": form, "body": body}),
    )
    .await;
    let expected = [("it", LINES), ("other", AWKWARD)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(parameters(&seen.text()), expected);

    let request = json!({"url": target.url("/"), "method": "PUT", "headers": {"Content-Type": "text/plain"}, "body": "<{{secret.LINES}}|{{secret.AWKWARD}}>"});
    let seen = sent(&server, &target, "text", request).await;
    assert_eq!(seen.text(), format!("<{LINES}|{AWKWARD}>"));

    let request = json!({"url": target.url("/"), "auth": {"basic": {"username": "someone", "password": "{{secret.AWKWARD}}"}}});
    let seen = sent(&server, &target, "basic", request).await;
    assert_eq!(seen.method, "GET");
    assert_eq!(
        seen.header("authorization"),
        format!("Basic {}", STANDARD.encode(format!("someone:{AWKWARD}")))
    );

    let seen = sent(
        &server,
        &target,
        "bearer",
        json!({"url": target.url("/"), "auth": {"bearer": {"token": "{{secret.AWKWARD}}"}}}),
    )
    .await;
    assert_eq!(seen.header("authorization"), format!("Bearer {AWKWARD}"));
}

async fn a_value_cannot_inject_a_header(engine: Engine) {
    let (server, target) = (Server::new(engine).await, Target::agreeable().await);
    for (name, value) in [
        ("CRLF", "harmless\r\nX-Evil: yes"),
        ("LF", "harmless\nX-Evil: yes"),
        ("NUL", "harmless\0not"),
    ] {
        server.secret(name, value).await;
        let headers = json!({"X-Carrier": format!("{{{{secret.{name}}}}}")});
        let job = server
            .client
            .manual(name, json!({"url": target.url("/"), "headers": headers}))
            .await;
        let execution = server.client.run(&job).await;
        let error = &execution["attempts"][0]["error"];
        assert_eq!(
            (word(&execution, "status"), word(error, "code")),
            ("failed", "header_injection"),
            "{execution}"
        );
        assert!(
            word(error, "message").to_lowercase().contains("x-carrier"),
            "{error}"
        );
        assert_eq!(execution["attempt_count"], 1);
    }
    assert_eq!(target.seen().len(), 0);
}

async fn a_missing_secret_stops_the_request(engine: Engine) {
    let (server, target) = (Server::new(engine).await, Target::agreeable().await);
    server.secret("PRESENT", "a-value-that-is-there").await;
    let request = json!({
        "url": target.url("/"), "method": "POST", "headers": {"X-Present": "{{secret.PRESENT}}"},
        "body": {"it": "{{secret.MISSING}}"}
    });
    let job = server.client.manual("missing", request).await;
    let execution = server.client.run(&job).await;
    let error = &execution["attempts"][0]["error"];
    assert_eq!(
        (word(&execution, "status"), word(error, "code")),
        ("failed", "secret_unresolved"),
        "{execution}"
    );
    assert!(word(error, "message").contains("MISSING"), "{error}");
    assert_eq!(
        (&execution["attempt_count"], target.seen().len()),
        (&json!(1), 0)
    );
}

async fn references_outside_headers_follow_the_jobs_setting(engine: Engine) {
    let (server, target) = (Server::new(engine).await, Target::agreeable().await);
    server.secret("path-key", "the/value?of&it").await;
    let request = json!({"url": target.url("/x?k=secret://path-key"), "method": "POST", "body": {"k": "secret://path-key"}});
    let literal = server.client.manual("literal", request.clone()).await;
    let execution = server.client.run(&literal).await;
    let seen = target.one_of(word(&execution, "id"));
    assert_eq!(
        serde_json::from_slice::<Value>(&seen.body).unwrap(),
        json!({"k": "secret://path-key"})
    );
    assert_eq!(execution["secrets"], json!([]));

    let definition = json!({"name": "everywhere", "kind": "manual", "secret_uri_everywhere": true, "request": request});
    let everywhere = server.client.job(&definition).await;
    let execution = server.client.run(&everywhere).await;
    let seen = target.one_of(word(&execution, "id"));
    assert_eq!(
        serde_json::from_slice::<Value>(&seen.body).unwrap(),
        json!({"k": "the/value?of&it"})
    );
    assert_eq!(
        parameters(seen.path.split_once('?').unwrap().1),
        [("k".to_owned(), "the/value?of&it".to_owned())]
    );
    assert_eq!(
        execution["secrets"],
        json!([{"name": "path-key", "version": 1}])
    );
}

async fn substituted_text_is_not_read_again(engine: Engine) {
    let (server, target) = (Server::new(engine).await, Target::agreeable().await);
    server.secret("INNER", "the-inner-value").await;
    server
        .secret("OUTER", "{{secret.INNER}} secret://INNER {{job_name}}")
        .await;
    let headers = json!({"X-Outer": "{{secret.OUTER}}", "X-Braces": "{{{{literal"});
    let job = server
        .client
        .manual("again", json!({"url": target.url("/"), "headers": headers}))
        .await;
    let execution = server.client.run(&job).await;
    let seen = target.one_of(word(&execution, "id"));
    assert_eq!(
        seen.header("x-outer"),
        "{{secret.INNER}} secret://INNER {{job_name}}"
    );
    assert_eq!(seen.header("x-braces"), "{{literal");
    assert_eq!(
        execution["secrets"],
        json!([{"name": "OUTER", "version": 1}])
    );
}
