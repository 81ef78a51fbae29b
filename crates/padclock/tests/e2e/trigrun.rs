//! The TrigRun document: its calls as printed, and what it promises of them.

use serde_json::{Value, json};

use crate::client::word;
use crate::curl;
use crate::home::{Engine, on_both_stores};
use crate::server::Server;
use crate::target::Target;

on_both_stores!(
    the_printed_calls_work_through_curl,
    secrets_live_and_die_as_the_document_says
);

const CREATE: &str = r#"curl -X POST https://api.trigrun.com/v1/secrets \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "name": "stripe-key",
    "value": "sk_live_abc123..."
  }'"#;
const CREATE_JOB: &str = r#"curl -X POST https://api.trigrun.com/v1/jobs \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "name": "stripe-sync",
    "kind": "recurring",
    "schedule": { "every_n_minutes": 60 },
    "request": {
      "url": "https://api.stripe.com/v1/charges",
      "method": "GET",
      "headers": {
        "Authorization": "Bearer secret://stripe-key"
      }
    }
  }'"#;
const LIST: &str = r#"curl https://api.trigrun.com/v1/secrets \
  -H "Authorization: Bearer $TOKEN""#;
const DELETE: &str = r#"curl -X DELETE https://api.trigrun.com/v1/secrets/SECRET_ID \
  -H "Authorization: Bearer $TOKEN""#;
const CREATE_AGAIN: &str = r#"curl -X POST https://api.trigrun.com/v1/secrets \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "name": "stripe-key",
    "value": "sk_live_new_value..."
  }'"#;

/// Runs a printed call, host and id put in; the status and the body.
fn curl(server: &Server, call: &str, secret: &str) -> (u16, String) {
    let host = format!("http://{}", server.address);
    let changes = [
        ("https://api.trigrun.com", host.as_str()),
        ("SECRET_ID", secret),
    ];
    let said = curl::run(server, call, &changes);
    (said.status, said.body)
}

/// The document's five fields, with what they mean, and no value anywhere.
fn check_secret(secret: &Value) {
    assert_eq!(secret["name"], "stripe-key");
    assert_eq!(secret["environment"], "workspace");
    assert_eq!(secret["key_version"], "v1");
    assert!(word(secret, "id").starts_with("sec_"), "{secret}");
    let created = word(secret, "created_at");
    let shape: String = created
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000Z");
    assert!(
        secret.get("value").is_none() && !secret.to_string().contains("sk_live"),
        "{secret}"
    );
}

async fn the_printed_calls_work_through_curl(engine: Engine) {
    let server = Server::new(engine).await;
    server.home.plant("stripe-key", "sk_live_abc123...");
    server.home.plant("stripe-key anew", "sk_live_new_value...");
    let (status, body) = curl(&server, CREATE, "");
    assert_eq!(status, 201, "{body}");
    let secret: Value = serde_json::from_str(&body).unwrap();
    check_secret(&secret);

    let (status, body) = curl(&server, CREATE_JOB, "");
    assert_eq!(status, 201, "{body}");
    let job: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        job["request"]["headers"]["Authorization"],
        "Bearer secret://stripe-key"
    );
    assert_eq!(
        (word(&job, "name"), word(&job, "state")),
        ("stripe-sync", "active")
    );
    assert_eq!(job["schedule"], json!({"every_n_minutes": 60}));

    let (status, body) = curl(&server, LIST, "");
    assert_eq!(status, 200, "{body}");
    let list: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    check_secret(&list["items"][0]);
    assert_eq!(list["items"][0]["id"], secret["id"]);

    assert_eq!(
        curl(&server, DELETE, word(&secret, "id")),
        (204, String::new())
    );
    assert_eq!(curl(&server, DELETE, word(&secret, "id")).0, 404);
    let (status, body) = curl(&server, CREATE_AGAIN, "");
    assert_eq!(status, 201, "{body}");
    let again: Value = serde_json::from_str(&body).unwrap();
    check_secret(&again);
    assert_ne!(again["id"], secret["id"]);
    let (status, body) = curl(&server, CREATE_AGAIN, "");
    assert_eq!(status, 409, "{body}");
    assert!(!body.contains("sk_live"), "{body}");
}

fn two_headers(target: &Target) -> Value {
    json!({
        "name": "stripe-sync", "kind": "recurring", "schedule": {"every_n_minutes": 60},
        "request": {
            "url": target.url("/v1/charges"), "method": "GET",
            "headers": {"Authorization": "Bearer secret://api-token", "X-Webhook-Secret": "secret://webhook-hmac"}
        }
    })
}

async fn secrets_live_and_die_as_the_document_says(engine: Engine) {
    let server = Server::new(engine).await;
    let (client, target) = (&server.client, Target::agreeable().await);
    let first = server.secret("api-token", "first-value-of-the-token").await;
    server
        .secret("webhook-hmac", "whsec_Zm9yIHRoZSB3ZWJob29r")
        .await;
    let job = client.job(&two_headers(&target)).await;

    let execution = client.run(&job).await;
    assert_eq!(execution["status"], "succeeded", "{execution}");
    let seen = target.one_of(word(&execution, "id"));
    assert_eq!(
        seen.header("authorization"),
        "Bearer first-value-of-the-token"
    );
    assert_eq!(
        seen.header("x-webhook-secret"),
        "whsec_Zm9yIHRoZSB3ZWJob29r"
    );
    let used = json!([{"name": "api-token", "version": 1}, {"name": "webhook-hmac", "version": 1}]);
    assert_eq!(execution["secrets"], used);
    assert_eq!(execution["unresolved_secrets"], json!([]));
    let sent = &execution["attempts"][0]["request"]["headers"];
    assert_eq!(
        sent["authorization"], "Bearer [REDACTED:api-token]",
        "{sent}"
    );
    assert_eq!(
        sent["x-webhook-secret"], "[REDACTED:webhook-hmac]",
        "{sent}"
    );

    // Deleted and created anew: the next execution has the new value.
    client
        .delete(&format!("/v1/secrets/{first}"))
        .await
        .expect(204);
    let second = server
        .secret("api-token", "second-value-of-the-token")
        .await;
    let execution = client.run(&job).await;
    assert_eq!(
        target
            .one_of(word(&execution, "id"))
            .header("authorization"),
        "Bearer second-value-of-the-token"
    );

    // Deleted and not there: the literal text goes out, and the execution says so.
    client
        .delete(&format!("/v1/secrets/{second}"))
        .await
        .expect(204);
    let execution = client.run(&job).await;
    assert_eq!(execution["status"], "succeeded", "{execution}");
    let seen = target.one_of(word(&execution, "id"));
    assert_eq!(seen.header("authorization"), "Bearer secret://api-token");
    assert_eq!(
        seen.header("x-webhook-secret"),
        "whsec_Zm9yIHRoZSB3ZWJob29r"
    );
    assert_eq!(execution["unresolved_secrets"], json!(["api-token"]));
    let warnings = execution["warnings"].as_array().unwrap();
    assert!(
        warnings
            .iter()
            .any(|warning| warning.as_str().unwrap().contains("api-token")),
        "{warnings:?}"
    );

    // Unless the job would rather fail, and then nothing is sent.
    client
        .patch(
            &format!("/v1/jobs/{job}"),
            &json!({"on_unresolved": "fail"}),
        )
        .await
        .expect(200);
    let execution = client.run(&job).await;
    assert_eq!(
        (word(&execution, "status"), word(&execution, "reason")),
        ("failed", "secret_unresolved")
    );
    assert_eq!(target.seen_of(word(&execution, "id")).len(), 0);
    assert_eq!(
        execution["attempts"].as_array().unwrap().len(),
        1,
        "no retry: {execution}"
    );
    let error = &execution["attempts"][0]["error"];
    assert_eq!(error["code"], "secret_unresolved");
    assert!(word(error, "message").contains("api-token"), "{error}");
}
