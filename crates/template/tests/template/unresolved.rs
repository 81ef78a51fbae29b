//! What happens to references that can't be resolved, in each syntax and place.

use padclock_template::RenderError;
use serde_json::json;

use crate::support::{
    Safe, basic, bearer, body_of, compile_with, env, get, header, header_of, post, render, safe,
    url_of, vars,
};

#[test]
fn braces_fail_the_attempt_everywhere() {
    let specs = [
        get("https://h.example/{{secret.GONE}}"),
        get("https://h.example/?a={{secret.GONE}}"),
        header("X", "{{secret.GONE}}"),
        header("X", "{{now | hmac_sha256(secret.GONE)}}"),
        post("", "{{secret.GONE}}".into()),
        post("", json!({"a": "{{secret.GONE | base64}}"})),
        post("text/json", "{{secret.GONE}}".into()),
        basic("u", "{{secret.GONE}}"),
        bearer("{{secret.GONE}}"),
    ];
    for spec in specs {
        let error = render(&spec, &safe("OTHER", "v")).unwrap_err();
        assert_eq!(
            error,
            RenderError::Unresolved {
                name: "GONE".to_owned()
            }
        );
        assert_eq!(error.code(), "secret_unresolved");
        assert!(error.to_string().contains("GONE"));
    }
}

#[test]
fn unreadable_is_always_an_error() {
    let safe = Safe {
        unreadable: vec!["A".to_owned()],
        ..Safe::default()
    };
    for template in [
        "secret://A",
        "{{secret.A}}",
        "{{now | hmac_sha256(secret.A)}}",
    ] {
        let error = render(&header("X", template), &safe).unwrap_err();
        assert_eq!(
            error,
            RenderError::Unreadable {
                name: "A".to_owned()
            }
        );
        assert_eq!(error.code(), "secret_unreadable");
    }
}

#[test]
fn an_unresolved_uri_is_sent_as_it_stands_and_reported() {
    let safe = safe("here", "v");
    let mut spec = header("X", "a secret://gone. secret://here secret://gone2");
    spec.headers
        .insert("Y".to_owned(), "secret://gone2".to_owned());
    let rendered = render(&spec, &safe).unwrap();
    assert_eq!(
        header_of(&rendered, "X"),
        "a secret://gone. v secret://gone2"
    );
    assert_eq!(rendered.unresolved, ["gone", "gone2"]);
    assert!(rendered.derived.is_empty());
}

#[test]
fn outside_headers_the_uri_counts_only_when_the_job_says_so() {
    let safe = safe("k", "v/");
    let mut spec = post("", json!({"a": "secret://k"}));
    spec.url = "https://h.example/secret://k?a=secret://k".to_owned();
    let plain = compile_with(&spec, false).unwrap();
    assert!(plain.references().is_empty());
    let env = env(&[]);
    let rendered = plain.render(&vars(&env), &safe).unwrap();
    assert_eq!(body_of(&rendered), r#"{"a":"secret://k"}"#);
    assert_eq!(
        url_of(&rendered),
        "https://h.example/secret://k?a=secret://k"
    );
    let rendered = compile_with(&spec, true)
        .unwrap()
        .render(&vars(&env), &safe)
        .unwrap();
    assert_eq!(body_of(&rendered), r#"{"a":"v/"}"#);
    assert_eq!(url_of(&rendered), "https://h.example/v%2F?a=v%2F");
    assert!(rendered.unresolved.is_empty());
}

#[test]
fn an_unresolved_uri_keeps_its_place_too() {
    let mut spec = post("", json!({"a": "secret://gone"}));
    spec.url = "https://h.example/secret://gone?a=secret://gone".to_owned();
    let env = env(&[]);
    let rendered = compile_with(&spec, true)
        .unwrap()
        .render(&vars(&env), &Safe::default())
        .unwrap();
    assert_eq!(
        url_of(&rendered),
        "https://h.example/secret%3A%2F%2Fgone?a=secret%3A%2F%2Fgone"
    );
    assert_eq!(body_of(&rendered), r#"{"a":"secret://gone"}"#);
    assert_eq!(rendered.unresolved, ["gone"]);
}

#[test]
fn a_missing_env_is_an_error_and_found_when_saved() {
    let mut spec = header("X", "a{{env.GONE}}");
    spec.url = "https://{{env.HOST}}/".to_owned();
    let request = compile_with(&spec, false).unwrap();
    let env = env(&[("HOST", "h.example")]);
    let problems = request.check_env(&env);
    assert_eq!(
        crate::support::list(problems),
        ["request.headers.X unknown_variable 1"]
    );
    let error = request.render(&vars(&env), &Safe::default()).unwrap_err();
    assert_eq!(
        error,
        RenderError::MissingEnv {
            name: "GONE".to_owned()
        }
    );
    assert_eq!(error.code(), "unknown_variable");
}

#[test]
fn an_origin_that_the_env_can_not_make_is_found_when_saved() {
    let table: &[(&str, &str, &[&str])] = &[
        ("{{env.B}}/a", "https://h.example", &[]),
        ("{{env.B}}/a", "h.example", &["request.url bad_url 0"]),
        ("https://{{env.B}}/a", "a@b", &["request.url bad_url 0"]),
        ("https://{{env.B}}.{{workspace}}.example/a", "", &[]),
        ("https://h.example/{{env.B}}", "a@b", &[]),
    ];
    for (url, base, expected) in table {
        let problems = compile_with(&get(url), false)
            .unwrap()
            .check_env(&env(&[("B", base)]));
        assert_eq!(crate::support::list(problems), *expected, "{url} {base}");
    }
}

#[test]
fn debug_shows_no_literal_text() {
    let mut spec = header("X", "hunter2");
    spec.body = Some(json!({"a": "hunter2"}));
    assert!(!format!("{:?}", compile_with(&spec, false).unwrap()).contains("hunter2"));
}

#[test]
fn errors_never_hold_a_value() {
    let safe = safe("A", b"hunter2\r\n\xff");
    for spec in [
        header("X", "secret://A"),
        post("", json!({"a": "{{secret.A}}"})),
        post("text/json", "{{secret.A}}".into()),
        basic("{{secret.A}}", "x"),
        bearer("{{secret.A}}"),
    ] {
        let error = render(&spec, &safe).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
    let rendered = render(&post("", "{{secret.A}}{{secret.A | hex}}".into()), &safe).unwrap();
    assert!(!format!("{rendered:?}").contains("hunter2"));
}
