//! Secrets that are wrong in themselves are refused by field and code, no refusal repeats the value, and none is saved.

use serde_json::{Value, json};

use crate::bad_calls::{VALUE, inventory, silent};
use crate::home::{Engine, on_both_stores};
use crate::server::Server;

on_both_stores!(secrets_that_are_wrong_are_refused);

async fn secrets_that_are_wrong_are_refused(engine: Engine) {
    let server = Server::new(engine).await;
    let client = &server.client;
    server
        .secret("TAKEN", server.home.plant("refused", VALUE))
        .await;
    let before = inventory(client).await;
    let long_name = "N".repeat(129);
    let long_value = VALUE.repeat(3_000);
    let table: Vec<(Value, &str, &str)> = vec![
        (json!({"value": VALUE}), "name", "missing_field"),
        (json!({"name": "A"}), "value", "missing_field"),
        (
            json!({"name": "A", "value": VALUE, "colour": "red"}),
            "colour",
            "unknown_field",
        ),
        (
            json!({"name": "A", "value": [VALUE]}),
            "value",
            "wrong_type",
        ),
        (
            json!({"name": "A", "value": 12_345_678}),
            "value",
            "wrong_type",
        ),
        (
            json!({"name": "A", "value": {"k": VALUE}}),
            "value",
            "wrong_type",
        ),
        (json!({"name": 7, "value": VALUE}), "name", "wrong_type"),
        (json!({"name": "", "value": VALUE}), "name", "bad_name"),
        (
            json!({"name": "two words", "value": VALUE}),
            "name",
            "bad_name",
        ),
        (json!({"name": "dot.", "value": VALUE}), "name", "bad_name"),
        (json!({"name": "ünï", "value": VALUE}), "name", "bad_name"),
        (json!({"name": "a/b", "value": VALUE}), "name", "bad_name"),
        (json!({"name": "a\nb", "value": VALUE}), "name", "bad_name"),
        (
            json!({"name": long_name, "value": VALUE}),
            "name",
            "bad_name",
        ),
        (
            json!({"name": "A", "value": long_value}),
            "value",
            "value_too_long",
        ),
        (
            json!({"name": "A", "value": ""}),
            "value",
            "value_too_short",
        ),
        (
            json!({"name": "A", "value": "", "unmaskable": true}),
            "value",
            "value_too_short",
        ),
        (
            json!({"name": "A", "value": "abc"}),
            "value",
            "value_too_short",
        ),
        (
            json!({"name": "A", "value": VALUE, "environment": "no such/one"}),
            "environment",
            "bad_name",
        ),
        (
            json!({"name": "A", "value": VALUE, "scope": "galaxy"}),
            "scope",
            "unknown_word",
        ),
        (
            json!({"name": "A", "value": VALUE, "ttl": 0}),
            "ttl",
            "out_of_range",
        ),
        (
            json!({"name": "A", "value": VALUE, "ttl": -1}),
            "ttl",
            "out_of_range",
        ),
        (
            json!({"name": "A", "value": VALUE, "rotate_every_days": 0}),
            "rotate_every_days",
            "out_of_range",
        ),
        (
            json!({"name": "A", "value": VALUE, "description": "bell \u{7}"}),
            "description",
            "control_character",
        ),
        (
            json!({"name": "A", "value": VALUE, "egress": {"schemes": ["gopher"]}}),
            "egress.schemes",
            "bad_policy",
        ),
        (
            json!({"name": "A", "value": VALUE, "egress": {"planets": ["mars"]}}),
            "egress.planets",
            "unknown_field",
        ),
    ];
    for (body, field, code) in table {
        let answer = client.post("/v1/secrets", &body).await;
        let what = format!("{body:.200}");
        assert_eq!(answer.status, 400, "{what}: {}", answer.text());
        let details = answer.json()["error"]["details"].clone();
        let found =
            details.as_array().unwrap().iter().any(|one| {
                one["field"].as_str().unwrap().starts_with(field) && one["code"] == code
            });
        assert!(found, "{what}: no {field}/{code} in {details}");
        silent(&answer.refused(400, "validation_error", None));
    }
    let duplicate = client
        .post(
            "/v1/secrets",
            &json!({"name": "TAKEN", "value": format!("{VALUE}-2")}),
        )
        .await;
    silent(&duplicate.refused(409, "conflict", None));
    assert_eq!(inventory(client).await, before);

    let short = client
        .post(
            "/v1/secrets",
            &json!({"name": "SHORT", "value": "abc", "unmaskable": true}),
        )
        .await
        .expect(201)
        .json();
    assert!(
        short["unmaskable"] == true && !short["warnings"].as_array().unwrap().is_empty(),
        "{short}"
    );
    let soft = client
        .post("/v1/secrets", &json!({"name": "SOFT", "value": "abcd12"}))
        .await
        .expect(201)
        .json();
    assert!(!soft["warnings"].as_array().unwrap().is_empty(), "{soft}");
}
