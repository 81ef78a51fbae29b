//! Plans for jobs with credentials at each place.

use std::collections::BTreeSet;

use padclock_vault::Value as Secret;
use serde_json::{Value, json};

use super::Plan;

fn key() -> String {
    ["sk_", "live_", "a1B2c3D4e5F6g7H8i9J0k1L2"].concat()
}

fn plan(job: &Value) -> Plan {
    Plan::make(job, &mut ["db_password".to_owned()].into_iter().collect())
}

fn moved(plan: &Plan) -> Vec<(&str, &str)> {
    plan.moves
        .iter()
        .map(|one| (one.field.as_str(), one.secret.as_str()))
        .collect()
}

#[test]
fn a_bearer_token_keeps_its_scheme() {
    let job = json!({"name": "a", "request": {"url": "https://API.example.com:8443/x", "method": "GET",
        "headers": {"Authorization": format!("Bearer {}", key()), "Accept": "text/csv"}}});
    let plan = plan(&job);
    assert_eq!(
        moved(&plan),
        [("request.headers.Authorization", "stripe_secret_key")]
    );
    assert_eq!(
        plan.change,
        json!({"request": {"headers": {"Authorization": "Bearer secret://stripe_secret_key"}}})
    );
    assert!(plan.moves[0].value == Secret::new(key()));
    let egress = plan.egress.unwrap();
    assert_eq!(
        (egress.schemes, egress.hosts, egress.ports),
        (
            vec!["https".to_owned()],
            vec!["api.example.com".to_owned()],
            vec![8443]
        )
    );
}

#[test]
fn one_value_becomes_one_secret_and_taken_names_are_left_alone() {
    let job = json!({"name": "a", "request": {"url": format!("https://api.example.com/x?api_key={}&y=1", key()),
        "query": {"api_key": key()}, "body": {"items": [{"db_password": "q9W8e7R6t5"}]}}});
    let plan = plan(&job);
    let names: BTreeSet<&str> = plan.moves.iter().map(|one| one.secret.as_str()).collect();
    assert_eq!(
        names,
        BTreeSet::from(["db_password_2", "stripe_secret_key"])
    );
    assert_eq!(
        plan.change,
        json!({"request": {
            "url": "https://api.example.com/x?api_key={{secret.stripe_secret_key}}&y=1",
            "query": {"api_key": "{{secret.stripe_secret_key}}"},
            "body": {"items": [{"db_password": "{{secret.db_password_2}}"}]},
        }})
    );
}

#[test]
fn what_stands_encoded_is_kept_decoded() {
    let job = json!({"name": "a", "request": {"url": "https://api.example.com/x?token=q9W8e7R6t5%3DZ1x2"}});
    let of_url = plan(&job);
    assert!(of_url.moves[0].value == Secret::new("q9W8e7R6t5=Z1x2"));
    let job = json!({"name": "a", "request": {"url": "https://api.example.com/x", "headers": {"Content-Type": "application/x-www-form-urlencoded"},
        "body": "grant=password&password=q9W8e7R6%21t5&x=1"}});
    let of_form = plan(&job);
    assert!(of_form.moves[0].value == Secret::new("q9W8e7R6!t5"));
    assert_eq!(
        of_form.change,
        json!({"request": {"body": "grant=password&password={{secret.password}}&x=1"}})
    );
}

#[test]
fn a_variable_gives_way_to_the_secret() {
    let job = json!({"name": "a", "env": {"API_TOKEN": "q9W8e7R6t5Y4", "REGION": "eu"}, "request": {
        "url": "https://api.example.com/{{env.REGION}}", "headers": {"X-Key": "{{env.API_TOKEN}}"}, "body": "x {{ env.API_TOKEN | base64 }}"}});
    let plan = plan(&job);
    assert_eq!(moved(&plan), [("env.API_TOKEN", "api_token")]);
    assert_eq!(
        plan.change,
        json!({"env": {"API_TOKEN": null}, "request": {
        "headers": {"X-Key": "{{secret.api_token}}"}, "body": "x {{ secret.api_token | base64 }}"}})
    );
}

#[test]
fn where_no_reference_can_stand_a_person_is_asked() {
    let job = json!({"name": "a", "description": format!("uses {}", key()), "request": {"url": "https://{{env.HOST}}/x",
        "auth": {"basic": {"username": "ops", "password": "tulip"}}}});
    let plan = plan(&job);
    assert_eq!(plan.by_hand, ["description"]);
    assert_eq!(
        plan.change,
        json!({"request": {"auth": {"basic": {"password": "{{secret.password}}"}}}})
    );
    assert!(plan.egress.is_none());
}
