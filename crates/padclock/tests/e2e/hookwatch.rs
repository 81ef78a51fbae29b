//! The HookWatch document: its calls, its tables, and what it promises of them.

use serde_json::{Value, json};

use crate::client::word;
use crate::curl::{self, Said};
use crate::home::{Engine, on_both_stores};
use crate::server::{Server, TOKEN};
use crate::target::Target;

on_both_stores!(
    the_documents_calls_work_through_curl,
    every_error_of_the_table_is_answered,
    lists_have_their_total_and_go_on_by_offset,
    a_teams_key_is_the_workspaces,
    a_key_resolves_for_its_owner_alone_and_fails_when_it_is_gone
);

const PATH: &str = "/v1/cron-secrets";

/// A call as the document's tables describe it.
fn call(server: &Server, method: &str, rest: &str, body: Option<&str>) -> Said {
    call_as(server, TOKEN, method, rest, body)
}

fn call_as(server: &Server, token: &str, method: &str, rest: &str, body: Option<&str>) -> Said {
    let mut line = format!(
        "curl -X {method} 'https://api.hookwatch.dev/v1/cron-secrets{rest}' -H 'Authorization: Bearer {token}'"
    );
    if let Some(body) = body {
        line.push_str(&format!(" -H 'Content-Type: application/json' -d '{body}'"));
    }
    let host = format!("http://{}", server.address);
    curl::run(server, &line, &[("https://api.hookwatch.dev", &host)])
}

/// The six fields of "The Secret Object", and no other.
fn check(secret: &Value, key: &str) {
    let fields: Vec<&String> = secret.as_object().unwrap().keys().collect();
    let expected = [
        "created_at",
        "id",
        "key",
        "team_id",
        "updated_at",
        "user_id",
    ];
    assert_eq!(fields, expected, "{secret}");
    assert_eq!(secret["key"], key);
    assert!(word(secret, "id").starts_with("sec_"), "{secret}");
    for time in ["created_at", "updated_at"] {
        let text = word(secret, time);
        assert!(text.ends_with('Z') && text.contains('T'), "{secret}");
    }
}

async fn the_documents_calls_work_through_curl(engine: Engine) {
    let server = Server::new(engine).await;
    server.home.plant("API_TOKEN", "tok_first_4711_value");
    server.home.plant("API_TOKEN anew", "tok_second_4712_value");
    let body = r#"{"key": "API_TOKEN", "value": "tok_first_4711_value"}"#;
    let made = call(&server, "POST", "", Some(body)).json(201);
    check(&made, "API_TOKEN");
    let me = server.client.get("/v1/whoami").await.json();
    assert_eq!(made["user_id"], me["user"]["id"]);
    assert_eq!(made["team_id"], Value::Null);

    let listed = call(&server, "GET", "", None).json(200);
    assert_eq!(listed["data"], json!([made]));
    assert_eq!(
        (&listed["total"], &listed["limit"], &listed["offset"]),
        (&json!(1), &json!(20), &json!(0))
    );

    let path = format!("/{}", word(&made, "id"));
    let body = r#"{"value": "tok_second_4712_value"}"#;
    let changed = call(&server, "PUT", &path, Some(body)).json(200);
    check(&changed, "API_TOKEN");
    assert_eq!(changed["id"], made["id"]);
    assert_eq!(changed["created_at"], made["created_at"]);
    assert!(word(&changed, "updated_at") >= word(&made, "updated_at"));

    let gone = call(&server, "DELETE", &path, None);
    assert_eq!((gone.status, gone.body.as_str()), (204, ""));
    let listed = call(&server, "GET", "", None).json(200);
    assert_eq!((&listed["data"], &listed["total"]), (&json!([]), &json!(0)));
    assert!(!server.home.logged().contains("tok_"));
}

/// Status, code, and a message that says something, in the document's shape.
fn refused(said: &Said, status: u16, code: &str) {
    let json = said.json(status);
    let error = json["error"].as_object().unwrap();
    assert_eq!(error.keys().collect::<Vec<_>>(), ["code", "message"]);
    assert_eq!(error["code"], code, "{json}");
    assert!(!word(&json["error"], "message").is_empty(), "{json}");
    assert_eq!(json.as_object().unwrap().len(), 1, "{json}");
}

async fn every_error_of_the_table_is_answered(engine: Engine) {
    let server = Server::new(engine).await;
    let value = server.home.plant("K", "value-of-a-refused-key");
    for body in [
        json!({"value": value}),
        json!({"key": "KEY"}),
        json!({"key": "", "value": value}),
        json!({"key": "KEY", "value": ""}),
        json!({"key": "not a key", "value": value}),
        json!({"key": 7, "value": value}),
        json!({"key": "KEY", "value": 7}),
        json!({"key": null, "value": null}),
        json!({"key": "KEY", "value": "v".repeat(65_537)}),
        json!([]),
    ] {
        let said = call(&server, "POST", "", Some(&body.to_string()));
        refused(&said, 400, "bad_request");
        assert!(!said.body.contains(value));
    }
    refused(
        &call(&server, "POST", "", Some("{not json")),
        400,
        "bad_request",
    );

    let body = json!({"key": "KEY", "value": value}).to_string();
    let made = call(&server, "POST", "", Some(&body)).json(201);
    refused(&call(&server, "POST", "", Some(&body)), 409, "conflict");

    let path = format!("/{}", word(&made, "id"));
    for body in [
        json!({}),
        json!({"key": "OTHER"}),
        json!({"key": "OTHER", "value": value}),
        json!({"key": "KEY", "value": value}),
        json!({"key": null, "value": value}),
        json!({"value": ""}),
    ] {
        let said = call(&server, "PUT", &path, Some(&body.to_string()));
        refused(&said, 400, "bad_request");
    }
    let body = json!({"value": value}).to_string();
    let missing = format!("/sec_{}", "0".repeat(26));
    for path in [missing.as_str(), "/no-id"] {
        refused(&call(&server, "PUT", path, Some(&body)), 404, "not_found");
        refused(&call(&server, "DELETE", path, None), 404, "not_found");
    }
    for token in ["pck_wrong-token-altogether", "", "a b"] {
        refused(
            &call_as(&server, token, "GET", "", None),
            401,
            "unauthorized",
        );
        let said = call_as(&server, token, "POST", "", Some(&body));
        refused(&said, 401, "unauthorized");
        let said = call_as(&server, token, "DELETE", &path, None);
        refused(&said, 401, "unauthorized");
    }
    // A value that nothing could mask is ill-formed here as well.
    let body = r#"{"key": "SHORT", "value": "ab"}"#;
    let said = call(&server, "POST", "", Some(body));
    refused(&said, 400, "bad_request");
    // Fields that the document does not name are passed by.
    let body = r#"{"key": "SHORT", "value": "abcdefgh", "note": "x"}"#;
    call(&server, "POST", "?dry=1", Some(body)).json(201);
    // Also a method that is not there is answered in the door's own shape.
    let said = call(&server, "PATCH", "", None);
    refused(&said, 405, "method_not_allowed");

    // Not theirs: another member's.
    server
        .home
        .sql(
            "UPDATE secrets SET owner_id = CAST('0123456789abcdef' AS BLOB)"
                .replace(
                    "CAST('0123456789abcdef' AS BLOB)",
                    if engine == Engine::Sqlite {
                        "CAST('0123456789abcdef' AS BLOB)"
                    } else {
                        "'0123456789abcdef'::bytea"
                    },
                )
                .as_str(),
        )
        .await;
    let body = json!({"value": value}).to_string();
    refused(&call(&server, "PUT", &path, Some(&body)), 404, "not_found");
    refused(&call(&server, "DELETE", &path, None), 404, "not_found");
    assert_eq!(call(&server, "GET", "", None).json(200)["total"], 0);
}

async fn lists_have_their_total_and_go_on_by_offset(engine: Engine) {
    let server = Server::new(engine).await;
    for number in 0..23 {
        let value = server
            .home
            .plant("K", &format!("value-number-{number}-of-many"))
            .to_owned();
        let body = json!({"key": format!("KEY_{number}"), "value": value});
        server.client.post(PATH, &body).await.expect(201);
    }
    let page = |rest: &'static str| {
        let listed = call(&server, "GET", rest, None).json(200);
        let keys = listed["data"].as_array().unwrap().iter();
        let keys: Vec<String> = keys.map(|one| word(one, "key").to_owned()).collect();
        (keys, listed)
    };
    let (keys, listed) = page("");
    assert_eq!((keys.len(), &listed["total"]), (20, &json!(23)));
    let (rest, listed) = page("?offset=20");
    assert_eq!(rest, ["KEY_20", "KEY_21", "KEY_22"]);
    assert_eq!(
        (&listed["offset"], &listed["total"]),
        (&json!(20), &json!(23))
    );
    let (keys, listed) = page("?limit=2&offset=1");
    assert_eq!(keys, ["KEY_1", "KEY_2"]);
    assert_eq!(listed["limit"], 2);
    assert_eq!(page("?limit=1000").1["limit"], 100);
    assert!(page("?offset=99").0.is_empty());
    refused(&call(&server, "GET", "?limit=x", None), 400, "bad_request");
}

async fn a_teams_key_is_the_workspaces(engine: Engine) {
    let server = Server::new(engine).await;
    let me = server.client.get("/v1/whoami").await.json();
    let team = word(&me["workspace"], "id").to_owned();
    let value = server.home.plant("TEAM", "value-of-the-whole-team");
    let body = json!({"key": "TEAM_KEY", "value": value, "team_id": team}).to_string();
    let made = call(&server, "POST", "", Some(&body)).json(201);
    check(&made, "TEAM_KEY");
    assert_eq!(made["team_id"], team.as_str());
    refused(&call(&server, "POST", "", Some(&body)), 409, "conflict");
    let native = format!("/v1/secrets/{}", word(&made, "id"));
    let native = server.client.get(&native).await.expect(200).json();
    assert_eq!(
        (word(&native, "scope"), word(&native, "environment")),
        ("workspace", "workspace")
    );
    let foreign = json!({"key": "X", "value": value, "team_id": "ws_elsewhere"}).to_string();
    refused(&call(&server, "POST", "", Some(&foreign)), 404, "not_found");

    // A viewer may not write the team's, and is told what the table says; their own they may.
    server.home.sql("UPDATE members SET role = 'viewer'").await;
    let path = format!("/{}", word(&made, "id"));
    let new = json!({"value": value}).to_string();
    refused(&call(&server, "PUT", &path, Some(&new)), 404, "not_found");
    refused(&call(&server, "DELETE", &path, None), 404, "not_found");
    let own = json!({"key": "TEAM_KEY", "value": value}).to_string();
    call(&server, "POST", "", Some(&own)).json(201);
    assert_eq!(call(&server, "GET", "", None).json(200)["total"], 2);
}

async fn a_key_resolves_for_its_owner_alone_and_fails_when_it_is_gone(engine: Engine) {
    let server = Server::new(engine).await;
    let (client, target) = (&server.client, Target::agreeable().await);
    let value = server.home.plant("KEY", "value-in-a-jobs-body");
    let body = json!({"key": "KEY", "value": value}).to_string();
    let made = call(&server, "POST", "", Some(&body)).json(201);
    let request =
        json!({"url": target.url("/"), "method": "POST", "body": {"token": "{{secret.KEY}}"}});
    let job = client.manual("daily-report", request.clone()).await;
    let execution = client.run(&job).await;
    assert_eq!(execution["status"], "succeeded", "{execution}");
    let seen = target.one_of(word(&execution, "id"));
    let sent: Value = serde_json::from_slice(&seen.body).unwrap();
    assert_eq!(sent, json!({"token": value}));

    // Another member's job of the same text.
    let others = client.manual("another member's", request).await;
    let owner = if engine == Engine::Sqlite {
        "CAST('0123456789abcdef' AS BLOB)"
    } else {
        "'0123456789abcdef'::bytea"
    };
    server
        .home
        .sql(&format!(
            "UPDATE jobs SET owner_id = {owner}, revision = revision + 1 WHERE name <> 'daily-report'"
        ))
        .await;
    for (job, gone) in [(&others, false), (&job, true)] {
        if gone {
            let path = format!("/{}", word(&made, "id"));
            assert_eq!(call(&server, "DELETE", &path, None).status, 204);
        }
        let execution = client.run(job).await;
        assert_eq!(
            (word(&execution, "status"), word(&execution, "reason")),
            ("failed", "secret_unresolved"),
            "{execution}"
        );
        assert_eq!(target.seen_of(word(&execution, "id")).len(), 0);
        let error = &execution["attempts"][0]["error"];
        assert!(word(error, "message").contains("KEY"), "{error}");
    }
}
