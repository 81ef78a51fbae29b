//! Which definitions are warned about, and which are not.

use crate::testing::{compiled, cron_job, every};
use crate::{Definition, Dst, Overlap};

fn codes(definition: Definition) -> Vec<String> {
    compiled(definition, "2026-01-01T00:00:00Z")
        .warnings()
        .into_iter()
        .map(|warning| warning.code)
        .collect()
}

fn request(url: &str, header: &str) -> Definition {
    let mut definition = every(3_600);
    let spec = definition.request.as_mut().unwrap();
    spec.url = url.to_owned();
    spec.headers
        .insert("Authorization".to_owned(), header.to_owned());
    definition
}

#[test]
fn a_secret_over_plain_http() {
    let secret = "Bearer secret://token";
    for (url, header, warned) in [
        ("http://example.com/x", secret, true),
        ("HTTP://example.com", secret, true),
        ("http://example.com:8080/?a=1", secret, true),
        ("http://127.evil.com/", secret, true),
        ("http://localhost.evil.com/", secret, true),
        ("http://10.0.0.1/", secret, true),
        ("https://example.com/x", secret, false),
        ("http://example.com/x", "Bearer plain", false),
        ("http://localhost:7000/x", secret, false),
        ("http://api.localhost/x", secret, false),
        ("http://127.0.0.1/x", secret, false),
        ("http://127.3.2.1:80/x", secret, false),
        ("http://[::1]:80/x", secret, false),
    ] {
        assert_eq!(
            codes(request(url, header)).contains(&"plain_http".to_owned()),
            warned,
            "{url} {header}"
        );
    }
}

#[test]
fn a_token_over_plain_http() {
    for (url, warned) in [
        ("http://auth.example.com/token", true),
        ("https://auth.example.com/token", false),
        ("http://127.0.0.1:8080/token", false),
    ] {
        let mut definition = every(3_600);
        let auth = serde_json::json!({"oauth2_client_credentials": {
            "token_url": url, "client_id": "client", "client_secret": "{{secret.KEY}}",
        }});
        definition.request.as_mut().unwrap().auth = serde_json::from_value(auth).unwrap();
        assert_eq!(codes(definition) == ["plain_http"], warned, "{url}");
    }
}

#[test]
fn a_secret_in_the_url() {
    assert_eq!(
        codes(request("https://example.com/{{secret.KEY}}/x", "a")),
        ["secret_in_url"]
    );
    assert_eq!(
        codes(request("https://example.com/?key={{secret.KEY}}", "a")),
        ["secret_in_url"]
    );
    assert_eq!(
        codes(request(
            "https://example.com/{{job_name}}",
            "{{secret.KEY}}"
        )),
        Vec::<String>::new()
    );
}

#[test]
fn a_time_out_longer_than_the_interval() {
    assert_eq!(codes(every(29)), ["longer_than_interval"]);
    assert_eq!(codes(every(30)), Vec::<String>::new());
    assert_eq!(
        codes(cron_job("*/10 * * * * *", "UTC")),
        ["longer_than_interval"]
    );
    assert_eq!(
        codes(Definition {
            overlap: Overlap::Allow,
            ..every(1)
        }),
        Vec::<String>::new()
    );
}

#[test]
fn two_day_fields_match_either() {
    assert_eq!(codes(cron_job("0 0 13 * FRI", "UTC")), ["either_day"]);
    assert_eq!(codes(cron_job("0 0 13 * *", "UTC")), Vec::<String>::new());
    assert_eq!(codes(cron_job("0 0 ? * FRI", "UTC")), Vec::<String>::new());
}

#[test]
fn a_zone_that_does_nothing() {
    let utc = |zone: &str| {
        let mut definition = cron_job("0 0 * * *", zone);
        definition.schedule.dst = Some(Dst::Utc);
        codes(definition)
    };
    assert_eq!(utc("Europe/Berlin"), ["zone_without_effect"]);
    assert_eq!(utc("UTC"), Vec::<String>::new());
}

#[test]
fn each_warning_names_field_and_remedy() {
    let mut definition = request("http://example.com/{{secret.KEY}}", "secret://token");
    definition.schedule.every_seconds = Some(5);
    let warnings = compiled(definition, "2026-01-01T00:00:00Z").warnings();
    let fields: Vec<_> = warnings
        .iter()
        .map(|warning| warning.field.as_str())
        .collect();
    assert_eq!(
        fields,
        ["request.url", "request.url", "request.timeout_seconds"]
    );
    assert!(
        warnings
            .iter()
            .all(|warning| warning.message.contains("; "))
    );
}
