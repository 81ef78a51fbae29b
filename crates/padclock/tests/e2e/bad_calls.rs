//! Calls that are wrong in themselves: their bodies, their tokens, their ids, their parameters. Each is refused with its
//! documented status, code and field; no refusal repeats a value; and nothing of them is saved.

use serde_json::json;

use crate::client::{Answer, Client};
use crate::home::{Engine, on_both_stores};
use crate::server::Server;

on_both_stores!(
    bodies_that_are_no_json_are_refused,
    ids_that_name_nothing_are_not_found,
    parameters_out_of_range_are_refused,
    nobody_gets_in_without_a_token
);

/// Stands for a value in calls that are refused: no answer may repeat it.
pub const VALUE: &str = "the-submitted-secret-value";

/// Everything that a refused call might have left behind.
pub async fn inventory(client: &Client) -> (usize, usize, usize) {
    (
        client.all("/v1/secrets").await.len(),
        client.all("/v1/jobs").await.len(),
        client.all("/v1/executions").await.len(),
    )
}

pub fn silent(answer: &Answer) {
    assert!(
        !answer.text().contains(VALUE) && !answer.text().contains("submitted"),
        "{}: {}",
        answer.call,
        answer.text()
    );
}

async fn bodies_that_are_no_json_are_refused(engine: Engine) {
    let server = Server::new(engine).await;
    let client = &server.client;
    let before = inventory(client).await;
    let quoted = format!("{{\"name\": \"A\", \"value\": \"{VALUE}\"");
    for broken in [
        String::new(),
        "   ".to_owned(),
        "nonsense".to_owned(),
        quoted.clone(),
        format!("{quoted},}}"),
        format!("{quoted}}} trailing"),
        format!("{quoted}, \"name\": \"B\"}}"),
        format!("[\"{VALUE}\"]"),
        format!("\"{VALUE}\""),
        "null".to_owned(),
    ] {
        for path in ["/v1/secrets", "/v1/jobs"] {
            let answer = client
                .call("POST", path)
                .header("content-type", "application/json")
                .body(broken.clone())
                .send()
                .await;
            silent(&answer.refused(400, "validation_error", None));
        }
    }
    let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
    let body = format!(
        "{{\"name\": \"deep\", \"kind\": \"manual\", \"request\": {{\"url\": \"http://127.0.0.1/\", \"body\": {deep}}}}}"
    );
    let answer = client
        .call("POST", "/v1/jobs")
        .header("content-type", "application/json")
        .body(body)
        .send()
        .await;
    answer.refused(400, "validation_error", Some(("", "too_deep")));
    let endless = "[".repeat(500_000);
    let answer = client
        .call("POST", "/v1/jobs")
        .header("content-type", "application/json")
        .body(endless)
        .send()
        .await;
    answer.refused(400, "validation_error", Some(("", "too_deep")));

    let large = format!(
        "{{\"name\": \"A\", \"value\": \"{}\"}}",
        "x".repeat(1024 * 1024)
    );
    let answer = client
        .call("POST", "/v1/secrets")
        .header("content-type", "application/json")
        .body(large)
        .send()
        .await;
    answer.refused(413, "too_large", None);
    let invalid = [
        b"{\"name\": \"A\", \"value\": \"\xff\xfe-".as_slice(),
        VALUE.as_bytes(),
        b"\"}",
    ]
    .concat();
    let answer = client
        .call("POST", "/v1/secrets")
        .header("content-type", "application/json")
        .body(invalid)
        .send()
        .await;
    silent(&answer.refused(400, "validation_error", None));

    for media in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
    ] {
        let answer = client
            .call("POST", "/v1/secrets")
            .header("content-type", media)
            .body(quoted.clone() + "}")
            .send()
            .await;
        silent(&answer.refused(415, "unsupported_media_type", None));
    }
    for (method, path) in [
        ("PUT", "/v1/secrets"),
        ("PATCH", "/v1/executions"),
        ("DELETE", "/v1/jobs"),
        ("POST", "/healthz"),
    ] {
        let answer =
            client
                .call(method, path)
                .send()
                .await
                .refused(405, "method_not_allowed", None);
        assert!(
            answer.header("allow").contains("GET"),
            "{}: {:?}",
            answer.call,
            answer.headers
        );
    }
    client
        .get("/v1/nothing")
        .await
        .refused(404, "not_found", None);
    client.get("/nothing").await.refused(404, "not_found", None);
    // A method that nobody knows is no series of its own in the metrics.
    client.call("CONJURE", "/nothing").send().await.expect(404);
    let metrics = client.get("/metrics").await.expect(200).text();
    assert!(!metrics.contains("CONJURE"), "{metrics}");
    assert_eq!(inventory(client).await, before);
}

async fn ids_that_name_nothing_are_not_found(engine: Engine) {
    let server = Server::new(engine).await;
    let client = &server.client;
    let secret = server.secret("A", "some-value-of-it").await;
    let job = client
        .manual("a job", json!({"url": "http://127.0.0.1:1/"}))
        .await;
    let swapped = |id: &str, prefix: &str| format!("{prefix}_{}", id.split_once('_').unwrap().1);
    let unknown = "0".repeat(25) + "1";
    for (prefix, path, others) in [
        ("sec", "/v1/secrets", [job.clone(), swapped(&job, "sec")]),
        ("cj", "/v1/jobs", [secret.clone(), swapped(&secret, "cj")]),
        (
            "exec",
            "/v1/executions",
            [job.clone(), swapped(&job, "exec")],
        ),
    ] {
        let malformed = [
            "nonsense".to_owned(),
            format!("{prefix}_"),
            format!("{prefix}_{}", "u".repeat(26)),
            "%00".to_owned(),
            "x".repeat(300),
        ];
        for id in malformed
            .into_iter()
            .chain([format!("{prefix}_{unknown}")])
            .chain(others)
        {
            client
                .get(&format!("{path}/{id}"))
                .await
                .refused(404, "not_found", None);
        }
    }
    let id = format!("cj_{unknown}");
    client
        .delete(&format!("/v1/jobs/{id}"))
        .await
        .refused(404, "not_found", None);
    client
        .patch(&format!("/v1/jobs/{id}"), &json!({"name": "x"}))
        .await
        .refused(404, "not_found", None);
    for action in ["run-now", "pause", "resume"] {
        client
            .call("POST", &format!("/v1/jobs/{id}/{action}"))
            .send()
            .await
            .refused(404, "not_found", None);
    }
    client
        .get(&format!("/v1/jobs/{id}/next"))
        .await
        .refused(404, "not_found", None);
    client
        .delete(&format!("/v1/secrets/sec_{unknown}"))
        .await
        .refused(404, "not_found", None);
    client
        .put(
            &format!("/v1/secrets/sec_{unknown}"),
            &json!({"value": VALUE}),
        )
        .await
        .refused(404, "not_found", None);
    for action in ["replay", "cancel"] {
        client
            .call("POST", &format!("/v1/executions/exec_{unknown}/{action}"))
            .send()
            .await
            .refused(404, "not_found", None);
    }
    assert_eq!(client.all("/v1/jobs").await.len(), 1);
}

async fn parameters_out_of_range_are_refused(engine: Engine) {
    let server = Server::new(engine).await;
    let client = &server.client;
    let job = client
        .manual("a job", json!({"url": "http://127.0.0.1:1/"}))
        .await;
    for list in ["/v1/secrets", "/v1/jobs", "/v1/executions"] {
        for limit in ["0", "101"] {
            let answer = client.get(&format!("{list}?limit={limit}")).await;
            answer.refused(400, "validation_error", Some(("limit", "out_of_range")));
        }
        for query in [
            "limit=-1",
            "limit=many",
            "limit=",
            "colour=red",
            "limit=5&limit=6",
        ] {
            client
                .get(&format!("{list}?{query}"))
                .await
                .refused(400, "validation_error", None);
        }
        for cursor in ["nonsense", "cj_", "%FF", "ws_00000000000000000000000001"] {
            let answer = client.get(&format!("{list}?cursor={cursor}")).await;
            assert_eq!(
                answer.json()["error"]["code"],
                "validation_error",
                "{}: {}",
                answer.call,
                answer.text()
            );
        }
    }
    for query in [
        "status=asleep",
        "trigger=chance",
        "job_id=nonsense",
        "from=yesterday",
        "to=2026-13-01T00:00:00Z",
    ] {
        client
            .get(&format!("/v1/executions?{query}"))
            .await
            .refused(400, "validation_error", None);
    }
    for n in ["0", "101", "x"] {
        client
            .get(&format!("/v1/jobs/{job}/next?n={n}"))
            .await
            .refused(400, "validation_error", None);
    }
    let keys = ["", "has space", &"k".repeat(256)];
    for key in keys {
        let call = client
            .call("POST", "/v1/secrets")
            .header("idempotency-key", key)
            .json(&json!({"name": "A", "value": VALUE}));
        call.send().await.refused(
            400,
            "validation_error",
            Some(("Idempotency-Key", "bad_key")),
        );
    }
    assert!(client.all("/v1/secrets").await.is_empty());
}

async fn nobody_gets_in_without_a_token(engine: Engine) {
    let server = Server::new(engine).await;
    let nobody = server.client.with_token(None);
    let paths = [
        "/v1/whoami",
        "/v1/secrets",
        "/v1/jobs",
        "/v1/executions",
        "/v1/jobs/x",
        "/v1/secrets/x",
    ];
    for path in paths {
        let answer = nobody.get(path).await.refused(401, "unauthorized", None);
        assert!(
            answer.header("www-authenticate").starts_with("Bearer"),
            "{:?}",
            answer.headers
        );
    }
    let answer = nobody
        .post("/v1/secrets", &json!({"name": "A", "value": VALUE}))
        .await;
    silent(&answer.refused(401, "unauthorized", None));
    for scheme in ["Basic bWU6cHc=", "Bearer", "Bearer ", "Token abc"] {
        let answer = nobody
            .call("GET", "/v1/jobs")
            .header("authorization", scheme)
            .send()
            .await;
        answer.refused(401, "unauthorized", None);
    }
    for open in ["/healthz", "/readyz", "/metrics", "/openapi.json"] {
        nobody.get(open).await.expect(200);
    }
    let guess = "pck_guess-of-a-token-000000";
    let wrong = server.client.with_token(Some(guess));
    let mut answers = Vec::new();
    for _ in 0..80 {
        let answer = wrong.get("/v1/whoami").await;
        assert!(!answer.text().contains(guess));
        answers.push((
            answer.status,
            answer.header("www-authenticate"),
            answer.header("retry-after"),
        ));
    }
    assert!(
        answers[0].0 == 401 && answers[0].1.starts_with("Bearer"),
        "{:?}",
        answers[0]
    );
    let last = answers.last().unwrap();
    assert!(
        last.0 == 429 && (1..=61).contains(&last.2.parse::<u64>().unwrap()),
        "{last:?}"
    );
    assert!(!server.home.logged().contains(guess));
}
