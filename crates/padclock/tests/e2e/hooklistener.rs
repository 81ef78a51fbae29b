//! The Hooklistener document: its calls as printed, its rules, and what it promises of them.

use serde_json::{Value, json};

use crate::client::word;
use crate::curl::{self, Said};
use crate::home::{Engine, on_both_stores};
use crate::server::{Server, TOKEN};
use crate::target::Target;

on_both_stores!(
    the_printed_calls_work_through_curl,
    what_breaks_a_rule_is_told_by_field,
    a_value_is_decrypted_for_who_may_and_the_record_says_so,
    other_names_and_other_organizations_are_kept_apart
);

const CREATE: &str = r#"curl -X POST https://app.hooklistener.com/api/v1/secrets \
-H "Authorization: Bearer hklst_your_api_key" \
-H "Content-Type: application/json" \
-d '{
"secret": {
"name": "STRIPE_WEBHOOK_SECRET",
"value": "whsec_abc123..."
}
}'"#;
const LIST: &str = r#"curl https://app.hooklistener.com/api/v1/secrets \
-H "Authorization: Bearer hklst_your_api_key""#;
const VALUE: &str = r#"curl https://app.hooklistener.com/api/v1/secrets/<secret-id>/value \
-H "Authorization: Bearer hklst_your_api_key""#;
const UPDATE: &str = r#"curl -X PUT https://app.hooklistener.com/api/v1/secrets/<secret-id> \
-H "Authorization: Bearer hklst_your_api_key" \
-H "Content-Type: application/json" \
-d '{
"secret": {
"value": "whsec_new_value..."
}
}'"#;
const DELETE: &str = r#"curl -X DELETE https://app.hooklistener.com/api/v1/secrets/<secret-id> \
-H "Authorization: Bearer hklst_your_api_key""#;

fn call(server: &Server, line: &str, secret: &str) -> Said {
    let host = format!("http://{}", server.address);
    let changes = [
        ("https://app.hooklistener.com", host.as_str()),
        ("hklst_your_api_key", TOKEN),
        ("<secret-id>", secret),
    ];
    curl::run(server, line, &changes)
}

/// What is known about a secret, in the door's nine fields.
fn check(secret: &Value) {
    let fields: Vec<&String> = secret.as_object().unwrap().keys().collect();
    let expected = [
        "created_at",
        "description",
        "id",
        "inserted_at",
        "last_rotated_at",
        "last_used_at",
        "name",
        "organization_id",
        "updated_at",
    ];
    assert_eq!(fields, expected, "{secret}");
    assert!(
        word(secret, "organization_id").starts_with("ws_"),
        "{secret}"
    );
    assert_eq!(secret["inserted_at"], secret["created_at"]);
}

async fn the_printed_calls_work_through_curl(engine: Engine) {
    let server = Server::new(engine).await;
    server.home.plant("STRIPE", "whsec_abc123...");
    server.home.plant("STRIPE anew", "whsec_new_value...");
    let made = call(&server, CREATE, "").json(201);
    check(&made["data"]);
    assert_eq!(made["data"]["name"], "STRIPE_WEBHOOK_SECRET");
    assert_eq!(made["data"]["last_used_at"], Value::Null);
    assert_eq!(made["data"]["last_rotated_at"], Value::Null);
    let id = word(&made["data"], "id").to_owned();

    let listed = call(&server, LIST, "");
    assert!(!listed.body.contains("whsec"), "no values in lists");
    assert_eq!(listed.json(200), json!({"data": [made["data"]]}));

    let shown = format!("/api/v1/secrets/{id}");
    let shown = server.client.get(&shown).await.expect(200).json();
    assert_eq!(shown, made);

    let value = call(&server, VALUE, &id);
    assert!(
        value.headers.contains("cache-control: no-store"),
        "{}",
        value.headers
    );
    let value = value.json(200);
    let at = word(&value, "decrypted_at").to_owned();
    assert!(at.ends_with('Z') && at.len() == 24, "{value}");
    let expected = json!({"id": id, "name": "STRIPE_WEBHOOK_SECRET", "value": "whsec_abc123...", "decrypted_at": at});
    assert_eq!(value, expected);

    let updated = call(&server, UPDATE, &id).json(200);
    check(&updated["data"]);
    assert!(word(&updated["data"], "last_rotated_at") >= word(&made["data"], "created_at"));
    assert_eq!(
        call(&server, VALUE, &id).json(200)["value"],
        "whsec_new_value..."
    );

    // The secret of a job is the same secret.
    let target = Target::agreeable().await;
    let request =
        json!({"url": target.url("/"), "headers": {"X-Sig": "secret://STRIPE_WEBHOOK_SECRET"}});
    let job = server.client.manual("signed", request).await;
    let execution = server.client.run(&job).await;
    let seen = target.one_of(word(&execution, "id"));
    assert_eq!(seen.header("x-sig"), "whsec_new_value...");
    let path = format!("/api/v1/secrets/{id}");
    crate::client::until("its last use is told", || async {
        let secret = server.client.get(&path).await.json();
        secret["data"]["last_used_at"].is_string().then_some(())
    })
    .await;

    let gone = call(&server, DELETE, &id);
    assert_eq!((gone.status, gone.body.as_str()), (204, ""));
    for line in [VALUE, UPDATE, DELETE] {
        refused(&call(&server, line, &id), 404, &[]);
    }
    assert_eq!(call(&server, LIST, "").json(200), json!({"data": []}));
}

/// Status, a text, and the fields that are told about.
fn refused(said: &Said, status: u16, fields: &[&str]) {
    let json = said.json(status);
    assert!(!word(&json, "error").is_empty(), "{json}");
    if fields.is_empty() {
        assert_eq!(json.as_object().unwrap().len(), 1, "{json}");
        return;
    }
    let errors = json["errors"].as_object().unwrap();
    assert_eq!(errors.keys().collect::<Vec<_>>(), fields, "{json}");
    for messages in errors.values() {
        assert!(messages[0].is_string(), "{json}");
    }
}

fn create(server: &Server, secret: &Value) -> Said {
    let body = json!({"secret": secret}).to_string();
    let line = format!(
        "curl -X POST https://app.hooklistener.com/api/v1/secrets -H 'Authorization: Bearer hklst_your_api_key' \
         -H 'Content-Type: application/json' -d '{body}'"
    );
    call(server, &line, "")
}

async fn what_breaks_a_rule_is_told_by_field(engine: Engine) {
    let server = Server::new(engine).await;
    let value = server.home.plant("VALUE", "value-that-breaks-no-rule");
    for name in [
        "stripe", "1KEY", "_KEY", "KEY-A", "KEY.A", "Key", "ÄKEY", "KEY ", "",
    ] {
        let said = create(&server, &json!({"name": name, "value": value}));
        refused(&said, 422, &["name"]);
        assert!(!said.body.contains(value));
    }
    refused(&create(&server, &json!({"name": "K"})), 422, &["value"]);
    refused(
        &create(&server, &json!({"name": "K", "value": ""})),
        422,
        &["value"],
    );
    let long = json!({"name": "K", "value": "v".repeat(10_001)});
    refused(&create(&server, &long), 422, &["value"]);
    refused(&create(&server, &json!({})), 422, &["name", "value"]);
    refused(&create(&server, &Value::Null), 422, &["secret"]);
    for name in [
        "STRIPE_WEBHOOK_SECRET",
        "API_KEY",
        "DATABASE_URL",
        "K",
        "A1_",
    ] {
        let made = create(
            &server,
            &json!({"name": name, "value": value, "description": "for tests"}),
        );
        assert_eq!(made.json(201)["data"]["description"], "for tests");
        refused(
            &create(&server, &json!({"name": name, "value": value})),
            422,
            &["name"],
        );
    }
    let full = json!({"name": "FULL", "value": "v".repeat(10_000), "extra": 1});
    let made = create(&server, &full).json(201);
    let id = word(&made["data"], "id").to_owned();
    let update = |body: Value| {
        let path = format!("/api/v1/secrets/{id}");
        let client = server.client.clone();
        async move { client.put(&path, &json!({"secret": body})).await }
    };
    let refusal = update(json!({"name": "OTHER", "value": value}))
        .await
        .expect(422);
    assert!(refusal.json()["errors"]["name"].is_array());
    let refusal = update(json!({})).await.expect(422).json();
    assert!(refusal["errors"]["value"].is_array(), "{refusal}");
    let changed = update(json!({"name": "FULL", "value": value, "description": "new"}));
    let changed = changed.await.expect(200).json();
    assert_eq!(changed["data"]["description"], "new");

    let wrong = LIST.replace("hklst_your_api_key", "pck_wrong");
    refused(&call(&server, &wrong, ""), 401, &[]);
    let none = "curl https://app.hooklistener.com/api/v1/secrets";
    refused(&call(&server, none, ""), 401, &[]);
}

async fn a_value_is_decrypted_for_who_may_and_the_record_says_so(engine: Engine) {
    let server = Server::new(engine).await;
    let value = server.home.plant("KEY", "value-read-by-who-may");
    let made = create(&server, &json!({"name": "KEY", "value": value})).json(201);
    let id = word(&made["data"], "id").to_owned();
    assert_eq!(call(&server, VALUE, &id).json(200)["value"], value);

    let shut = json!({"name": "SHUT", "value": value, "reveal": "never"});
    let shut = server
        .client
        .post("/v1/secrets", &shut)
        .await
        .expect(201)
        .id();
    refused(&call(&server, VALUE, &shut), 403, &[]);

    let home = &server.home;
    home.sql("UPDATE tokens SET permissions = 'read'").await;
    refused(&call(&server, VALUE, &id), 403, &[]);
    home.sql("UPDATE tokens SET permissions = 'secrets:reveal'")
        .await;
    assert_eq!(call(&server, VALUE, &id).json(200)["value"], value);
    home.sql("UPDATE tokens SET permissions = NULL").await;
    home.sql("UPDATE members SET role = 'editor'").await;
    refused(&call(&server, VALUE, &id), 403, &[]);
    home.sql("UPDATE members SET grants = 'secrets:reveal'")
        .await;
    assert_eq!(call(&server, VALUE, &id).json(200)["value"], value);
    home.sql("UPDATE members SET role = 'viewer'").await;
    refused(&call(&server, VALUE, &id), 403, &[]);

    let recorded = "SELECT detail FROM audit WHERE action = 'secret.reveal' ORDER BY seq";
    let records = home.sql(recorded).await;
    let refusals: Vec<bool> = records.iter().map(|one| one.contains("refused")).collect();
    assert_eq!(refusals, [false, true, true, false, true, false, true]);
    assert!(
        records.iter().all(|one| !one.contains(value)),
        "{records:?}"
    );
    assert!(records[0].contains("\"KEY\"") && records[0].contains("\"version\":1"));
}

async fn other_names_and_other_organizations_are_kept_apart(engine: Engine) {
    let server = Server::new(engine).await;
    let value = server.home.plant("KEY", "value-of-the-organization");
    create(&server, &json!({"name": "KEY", "value": value})).json(201);
    let lower = server.client.secret("stripe-key", value).await;
    let own = json!({"name": "OWN", "value": value, "scope": "user"});
    let own = server
        .client
        .post("/v1/secrets", &own)
        .await
        .expect(201)
        .id();
    let listed = call(&server, LIST, "").json(200);
    let names = listed["data"].as_array().unwrap().iter();
    assert_eq!(
        names.map(|one| word(one, "name")).collect::<Vec<_>>(),
        ["KEY"]
    );
    server
        .client
        .get(&format!("/api/v1/secrets/{lower}"))
        .await
        .expect(200);
    server
        .client
        .get(&format!("/api/v1/secrets/{own}"))
        .await
        .expect(404);

    let me = server.client.get("/v1/whoami").await.json();
    let organization = word(&me["workspace"], "id");
    for (header, status) in [
        (organization, 200),
        ("default", 200),
        ("ws_other", 404),
        ("", 404),
    ] {
        let answer = server
            .client
            .call("GET", "/api/v1/secrets")
            .header("x-organization-id", header)
            .send()
            .await
            .expect(status);
        assert_eq!(answer.json()["error"].is_string(), status == 404);
    }
}
