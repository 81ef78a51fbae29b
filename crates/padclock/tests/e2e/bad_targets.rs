//! Targets that may not be reached, can't be reached, or behave badly: the attempt ends with its code, the node stays
//! well, and its memory too.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::client::word;
use crate::home::{Engine, Home, on_both_stores};
use crate::server::{Launch, Server};
use crate::target::{ClosedPort, Reply, Target, response};

on_both_stores!(
    refused_addresses_are_not_connected_to,
    a_policy_keeps_a_secret_at_home,
    broken_answers_are_told_apart,
    an_answer_of_ten_gibibytes_is_cut,
    redirects_are_not_followed_unless_asked_for
);

const GIB: u64 = 1 << 30;
/// More than any node here may ever hold.
const MOST_MEMORY_KIB: u64 = 200 * 1024;

/// Runs a request once, with no retries; the execution and its first attempt.
async fn once(server: &Server, name: &str, request: Value) -> (Value, Value) {
    let definition =
        json!({"name": name, "kind": "manual", "retry": {"max_attempts": 1}, "request": request});
    let job = server.client.job(&definition).await;
    let execution = server.client.run(&job).await;
    let attempt = execution["attempts"][0].clone();
    (execution, attempt)
}

async fn fails(server: &Server, name: &str, request: Value, code: &str) -> Value {
    let (execution, attempt) = once(server, name, request).await;
    assert_eq!(
        (word(&execution, "status"), word(&attempt["error"], "code")),
        ("failed", code),
        "{name}: {execution}"
    );
    attempt
}

async fn refused_addresses_are_not_connected_to(engine: Engine) {
    let home = Arc::new(Home::new(engine).await);
    let target = Target::agreeable().await;
    let server = Launch::of(&home).without_egress().start().await;
    server.secret("KEY", "a-value-that-goes-nowhere").await;
    let port = target.address.port();
    let loopback = [
        format!("http://127.0.0.1:{port}/"),
        format!("http://localhost:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
    ];
    for url in loopback {
        let headers = json!({"X-Key": "{{secret.KEY}}"});
        let attempt = fails(
            &server,
            &url,
            json!({"url": url, "headers": headers}),
            "egress_address_refused",
        )
        .await;
        assert!(
            word(&attempt["error"], "message").contains("egress"),
            "it names the setting: {attempt}"
        );
    }
    drop(server);
    let server = Launch::of(&home).start().await;
    for url in [
        "http://169.254.169.254/latest/meta-data/",
        "http://0.0.0.0:80/",
        "http://[fe80::1]/",
        "http://224.0.0.1/",
        "http://10.0.0.1/",
        "http://[::ffff:169.254.169.254]/",
    ] {
        fails(&server, url, json!({"url": url}), "egress_address_refused").await;
    }
    assert_eq!(target.seen().len(), 0);
    let (execution, _) = once(&server, "allowed", json!({"url": target.url("/")})).await;
    assert_eq!(execution["status"], "succeeded");
}

async fn a_policy_keeps_a_secret_at_home(engine: Engine) {
    let (server, target) = (Server::new(engine).await, Target::agreeable().await);
    let value = server.home.plant("BOUND", "a-value-bound-to-a-host");
    let egress = json!({"hosts": ["api.example.com"], "schemes": ["https"]});
    server
        .client
        .post(
            "/v1/secrets",
            &json!({"name": "BOUND", "value": value, "egress": egress}),
        )
        .await
        .expect(201);
    let attempt = fails(
        &server,
        "bound",
        json!({"url": target.url("/"), "headers": {"X-Key": "{{secret.BOUND}}"}}),
        "egress_refused",
    )
    .await;
    let message = word(&attempt["error"], "message");
    assert!(
        message.contains("BOUND") && message.contains("127.0.0.1"),
        "{message}"
    );
    assert_eq!(
        (target.seen().len(), &attempt["request"]),
        (0, &Value::Null)
    );
}

async fn broken_answers_are_told_apart(engine: Engine) {
    let target = Target::new(|seen| match seen.path.as_str() {
        "/gzip" => Reply::response(200, "Content-Encoding: gzip\r\n", b"this was never gzip"),
        "/cut-gzip" => Reply::response(
            200,
            "Content-Encoding: gzip\r\n",
            &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 75],
        ),
        "/unknown" => Reply::response(200, "Content-Encoding: rot13\r\n", b"guvf"),
        "/early" => {
            Reply::Close(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this".to_vec())
        }
        "/at-once" => Reply::Close(Vec::new()),
        "/nonsense" => Reply::Close(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
        "/hang" => Reply::Hang(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this".to_vec()),
        "/silent" => Reply::Hang(Vec::new()),
        "/endless" => Reply::Flood {
            head: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(),
            piece: b"1\r\nx\r\n".to_vec(),
            total: u64::MAX,
        },
        "/headers" => Reply::Close(
            [
                b"HTTP/1.1 200 OK\r\n".as_slice(),
                "X-Long: y\r\n".repeat(20_000).as_bytes(),
                b"\r\n",
            ]
            .concat(),
        ),
        "/teapot" => Reply::response(418, "", b"short and stout"),
        _ => Reply::ok("fine"),
    })
    .await;
    let server = Server::new(engine).await;
    // Short for those that never end, long for those that must.
    let ask = |path: &str| json!({"url": target.url(path), "timeout_seconds": if ["/hang", "/silent", "/endless"].contains(&path) { 1 } else { 60 }});
    for path in ["/gzip", "/cut-gzip", "/unknown"] {
        let (execution, attempt) = once(&server, path, ask(path)).await;
        let answer = &attempt["response"];
        assert_eq!(
            (word(&execution, "status"), &answer["body"]),
            ("succeeded", &Value::Null),
            "{path}: {execution}"
        );
        assert!(!word(answer, "note").is_empty(), "{answer}");
    }
    let table = [
        ("/early", "connection_closed"),
        ("/at-once", "connection_closed"),
        ("/nonsense", "protocol"),
        ("/hang", "timeout"),
        ("/silent", "timeout"),
        ("/headers", "response_headers_too_large"),
        ("/teapot", "status"),
    ];
    for (path, code) in table {
        let attempt = fails(&server, path, ask(path), code).await;
        assert!(!word(&attempt["error"], "message").is_empty());
    }
    let attempt = fails(&server, "kept", ask("/hang"), "timeout").await;
    assert_eq!(
        (
            word(&attempt["response"], "body"),
            &attempt["response"]["truncated"]
        ),
        ("only this", &json!(true)),
        "what came is kept"
    );
    let (execution, attempt) = once(&server, "/endless", ask("/endless")).await;
    let ended = ["succeeded", "failed"].contains(&word(&execution, "status"));
    assert!(
        ended && attempt["response"]["truncated"] == true,
        "{attempt:.500}"
    );
    let closed = ClosedPort::new();
    fails(
        &server,
        "closed port",
        json!({"url": format!("http://{}/", closed.address)}),
        "connect",
    )
    .await;
    fails(
        &server,
        "no such name",
        json!({"url": "http://nothing.invalid/"}),
        "dns",
    )
    .await;
    let (execution, _) = once(&server, "after all", ask("/fine")).await;
    assert_eq!(execution["status"], "succeeded");
}

async fn an_answer_of_ten_gibibytes_is_cut(engine: Engine) {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", 10 * GIB);
    let target = Target::new(move |_| Reply::Flood {
        head: head.clone().into(),
        piece: vec![b'z'; 256 * 1024],
        total: 10 * GIB,
    })
    .await;
    let server = Server::new(engine).await;
    server.secret("KEY", "a-value-to-be-looked-for").await;
    let request = json!({"url": target.url("/"), "headers": {"X-Key": "{{secret.KEY}}"}, "timeout_seconds": 60});
    let (execution, attempt) = once(&server, "ten gibibytes", request).await;
    assert_eq!(execution["status"], "succeeded", "{execution:.500}");
    let answer = &attempt["response"];
    assert_eq!(answer["truncated"], true);
    assert!(word(answer, "body").len() <= 70 * 1024);
    assert!(target.flooded().await < GIB, "the connection was dropped");
    let peak = server.memory_kib("VmHWM:");
    assert!(peak < MOST_MEMORY_KIB, "{peak} KiB");
}

async fn redirects_are_not_followed_unless_asked_for(engine: Engine) {
    let elsewhere = Target::agreeable().await;
    let to = elsewhere.url("/landing");
    let target = Target::new(move |seen| match seen.path.as_str() {
        "/away" => Reply::response(302, &format!("Location: {to}\r\n"), b""),
        "/metadata" => Reply::response(307, "Location: http://169.254.169.254/latest/\r\n", b""),
        "/round" => Reply::Bytes(response(302, "Location: /round\r\n", b"")),
        _ => Reply::ok("here"),
    })
    .await;
    let server = Server::new(engine).await;
    server.secret("KEY", "a-value-for-one-origin").await;
    let ask = |path: &str, follow: bool| json!({"url": target.url(path), "follow_redirects": follow, "headers": {"X-Key": "{{secret.KEY}}", "X-Plain": "1"}});
    let attempt = fails(&server, "not followed", ask("/away", false), "status").await;
    assert_eq!(
        (&attempt["response"]["status"], elsewhere.seen().len()),
        (&json!(302), 0)
    );
    let (execution, _) = once(&server, "followed", ask("/away", true)).await;
    assert_eq!(execution["status"], "succeeded", "{execution}");
    let seen = &elsewhere.seen()[0];
    assert_eq!(
        (
            seen.header("x-key"),
            seen.header("authorization"),
            seen.header("referer")
        ),
        Default::default(),
        "nothing secret follows"
    );
    fails(
        &server,
        "to the metadata",
        ask("/metadata", true),
        "egress_address_refused",
    )
    .await;
    let (execution, _) = once(&server, "in a circle", ask("/round", true)).await;
    assert_eq!(execution["status"], "failed");
}
