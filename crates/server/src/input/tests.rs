//! What callers are told of bodies that do not fit, and that no value is quoted.

use padclock_api::secret::{SecretCreate, SecretPatch};
use padclock_job::Definition;

use super::*;

fn told<T: DeserializeOwned>(json: &str) -> (String, String, String) {
    let parsed = objects_only(json.as_bytes()).and_then(|()| parse::<T>(json.as_bytes()));
    let Err(failure) = parsed else {
        panic!("{json} was taken")
    };
    let body = failure.body("r");
    let one = &body.details[0];
    (
        one.field.clone(),
        one.code.clone(),
        format!("{} | {}", body.message, one.message),
    )
}

#[test]
fn each_kind_of_misfit_names_its_field() {
    let table = [
        ("", "", "missing_body"),
        ("  ", "", "missing_body"),
        ("{", "", "bad_json"),
        ("{]", "", "bad_json"),
        ("{} {}", "name", "missing_field"),
        (
            r#"{"name": "n", "value": "hunter2hunter2"} {}"#,
            "",
            "bad_json",
        ),
        (
            r#"{"name": "n", "value": "hunter2hunter2"} x"#,
            "",
            "bad_json",
        ),
        (r#"{"value": "hunter2hunter2"}"#, "name", "missing_field"),
        (r#"{"name": "n"}"#, "value", "missing_field"),
        (
            r#"{"name": "n", "value": "hunter2hunter2", "valeu": 1}"#,
            "valeu",
            "unknown_field",
        ),
        (
            r#"{"name": "n", "name": "m", "value": "hunter2hunter2"}"#,
            "name",
            "duplicate_field",
        ),
        (
            r#"{"name": 7, "value": "hunter2hunter2"}"#,
            "name",
            "wrong_type",
        ),
        (
            r#"{"name": "n", "value": 271828182845}"#,
            "value",
            "wrong_type",
        ),
        (
            r#"{"name": "n", "value": ["hunter2hunter2"]}"#,
            "value",
            "wrong_type",
        ),
        (
            r#"{"name": "n", "value": {"hunter2hunter2": 1}}"#,
            "value",
            "wrong_type",
        ),
        (
            r#"{"name": "n", "value": "v", "scope": "hunter2hunter2"}"#,
            "scope",
            "unknown_word",
        ),
        (
            r#"{"name": "n", "value": "v", "ttl": "hunter2hunter2"}"#,
            "ttl",
            "wrong_type",
        ),
        (
            r#"{"name": "n", "value": "v", "ttl": -1}"#,
            "ttl",
            "out_of_range",
        ),
        (
            r#"{"name": "n", "value": "v", "egress": {"host": []}}"#,
            "egress.host",
            "unknown_field",
        ),
        (r#"["n", "hunter2hunter2"]"#, "", "wrong_type"),
        (r#""hunter2hunter2""#, "", "wrong_type"),
        (
            r#"{"name": "n", "value": "v", "egress": ["hunter2hunter2"]}"#,
            "egress",
            "wrong_type",
        ),
    ];
    for (json, field, code) in table {
        let (told_field, told_code, said) = told::<SecretCreate>(json);
        assert_eq!(
            (told_field.as_str(), told_code.as_str()),
            (field, code),
            "{json}: {said}"
        );
        assert!(
            !said.contains("hunter2") && !said.contains("271828"),
            "{said}"
        );
    }
}

#[test]
fn jobs_say_where_within() {
    let job = |schedule: &str| {
        format!(
            r#"{{"name": "n", "kind": "recurring", "schedule": {schedule}, "request": {{"url": "http://a/"}}}}"#
        )
    };
    assert_eq!(
        told::<Definition>(&job(r#"{"every_n_minutes": "5"}"#)).0,
        "schedule.every_n_minutes"
    );
    assert_eq!(
        told::<Definition>(&job(r#"{"every": 5}"#)).0,
        "schedule.every"
    );
    assert_eq!(told::<Definition>(&job("[5]")).0, "schedule");
    let (field, code, said) = told::<Definition>(r#"{"name": "n", "kind": "sometimes"}"#);
    assert_eq!((field.as_str(), code.as_str()), ("kind", "unknown_word"));
    assert!(
        said.contains("recurring") && !said.contains("sometimes"),
        "{said}"
    );
}

#[test]
fn depth_is_limited() {
    let deep = format!("{}{}", "[".repeat(MAX_DEPTH + 1), "]".repeat(MAX_DEPTH + 1));
    let told = parse::<serde_json::Value>(deep.as_bytes())
        .unwrap_err()
        .body("r");
    assert_eq!(told.details[0].code, "too_deep");
    let fine = format!("{}{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
    assert!(parse::<serde_json::Value>(fine.as_bytes()).is_ok());
}

#[test]
fn null_and_absence_differ_in_a_patch() {
    let patch: SecretPatch = parse(br#"{"description": null}"#).unwrap_or_default();
    assert_eq!(patch.description, Some(None));
    assert_eq!(patch.rotate_every_days, None);
}
