//! The request as a whole when it is saved: defaults, unknown fields, all problems at once, what it uses.

use padclock_template::{
    AuthSpec, CompileOptions, RefSyntax, Request, RequestSpec, SecretRef, Variable,
};
use padclock_vault::Place;
use serde_json::json;

use crate::support::{compile, compile_with, env, get, problems, vars};

fn read(json: serde_json::Value) -> Result<RequestSpec, serde_json::Error> {
    serde_json::from_value(json)
}

#[test]
fn everything_but_the_url_has_a_default() {
    let spec = read(json!({"url": "https://example.com/"})).unwrap();
    assert_eq!(spec, RequestSpec::get("https://example.com/"));
    assert_eq!(
        serde_json::to_value(&spec).unwrap(),
        json!({
            "url": "https://example.com/", "method": "GET", "headers": {}, "query": {},
            "timeout_seconds": 30, "success_statuses": [200, 201, 202, 204], "follow_redirects": false,
        })
    );
}

#[test]
fn the_wire_shape_reads_back() {
    let full = json!({
        "url": "https://example.com/", "method": "POST", "headers": {"A": "b"}, "query": {"c": "d"}, "body": {"e": [1]},
        "auth": {"basic": {"username": "u", "password": "p"}}, "timeout_seconds": 5, "success_statuses": [200], "follow_redirects": true,
    });
    assert_eq!(
        serde_json::to_value(read(full.clone()).unwrap()).unwrap(),
        full
    );
    let bearer = read(json!({"url": "x", "auth": {"bearer": {"token": "t"}}})).unwrap();
    assert_eq!(
        bearer.auth,
        Some(AuthSpec::Bearer {
            token: "t".to_owned()
        })
    );
}

#[test]
fn unknown_fields_are_refused_by_name() {
    for (json, name) in [
        (json!({"url": "x", "uri": "y"}), "uri"),
        (json!({"url": "x", "auth": {"digest": {}}}), "digest"),
        (
            json!({"url": "x", "auth": {"bearer": {"token": "t", "realm": "r"}}}),
            "realm",
        ),
    ] {
        assert!(read(json).unwrap_err().to_string().contains(name));
    }
}

#[test]
fn a_seed_job_compiles_as_it_stands() {
    let spec = read(json!({
        "url": "https://api.stripe.com/v1/charges", "method": "GET", "headers": {"Authorization": "Bearer secret://stripe-key"},
    }));
    let reference = SecretRef {
        syntax: RefSyntax::Uri,
        name: "stripe-key".to_owned(),
    };
    assert_eq!(
        compile(&spec.unwrap()).unwrap().references(),
        [(reference, Place::Header)]
    );
}

#[test]
fn all_problems_are_collected() {
    let spec = RequestSpec {
        url: "https://user@example.com/{{a}}{{b}}".to_owned(),
        method: "FETCH".to_owned(),
        headers: env(&[("Host", "x"), ("X", "{{c}}")]),
        query: env(&[("q", "{{d")]),
        body: Some(json!({"k": "{{e}}"})),
        auth: Some(AuthSpec::Bearer {
            token: "{{f}}".to_owned(),
        }),
        timeout_seconds: 0,
        success_statuses: vec![99],
        follow_redirects: false,
        sign_with: None,
    };
    assert_eq!(
        problems(&spec),
        [
            "request.url unknown_variable 27",
            "request.url unknown_variable 32",
            "request.url bad_url 0",
            "request.query.q unclosed 0",
            "request.method bad_method",
            "request.headers.Host forbidden_header",
            "request.headers.X unknown_variable 2",
            "request.auth.bearer.token unknown_variable 2",
            "request.body.k unknown_variable 2",
            "request.timeout_seconds out_of_range",
            "request.success_statuses out_of_range",
        ]
    );
}

#[test]
fn the_field_prefix_is_the_callers() {
    let options = |field| CompileOptions {
        secret_uri_everywhere: false,
        field,
    };
    assert_eq!(
        Request::compile(&get("x"), options("steps.2")).unwrap_err()[0].field,
        "steps.2.url"
    );
    assert_eq!(
        Request::compile(&get("x"), options("")).unwrap_err()[0].field,
        "url"
    );
}

#[test]
fn methods_are_checked_and_written_in_capitals() {
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let mut spec = get("https://example.com/");
        spec.method = method.to_ascii_lowercase();
        assert_eq!(compile(&spec).unwrap().method(), method);
    }
    for method in ["", "TRACE", "CONNECT", "GET ", "{{now}}"] {
        let mut spec = get("https://example.com/");
        spec.method = method.to_owned();
        assert_eq!(problems(&spec), ["request.method bad_method"]);
    }
}

#[test]
fn time_out_and_statuses_have_ranges() {
    let with = |seconds, statuses: &[u16]| RequestSpec {
        timeout_seconds: seconds,
        success_statuses: statuses.to_vec(),
        follow_redirects: true,
        ..get("https://example.com/")
    };
    for (seconds, statuses) in [(1, [100].as_slice()), (300, &[599, 200])] {
        let request = compile(&with(seconds, statuses)).unwrap();
        assert_eq!(
            (request.timeout_seconds(), request.success_statuses()),
            (seconds, statuses)
        );
        assert!(request.follow_redirects());
    }
    assert_eq!(
        problems(&with(301, &[200])),
        ["request.timeout_seconds out_of_range"]
    );
    assert_eq!(
        problems(&with(30, &[])),
        ["request.success_statuses required"]
    );
    assert_eq!(
        problems(&with(30, &[200, 600])),
        ["request.success_statuses out_of_range"]
    );
}

#[test]
fn references_come_with_their_places() {
    let spec = RequestSpec {
        url: "https://{{env.H}}/{{secret.A}}?{{secret.B}}".to_owned(),
        headers: env(&[
            ("X", "secret://C {{secret.A}} secret://C"),
            ("Y", "secret://C"),
        ]),
        query: env(&[("q", "{{secret.D}}{{secret.B}}")]),
        body: Some(json!(["{{secret.A | hmac_sha256(secret.K)}}"])),
        auth: Some(AuthSpec::Basic {
            username: "u".to_owned(),
            password: "secret://N{{secret.P}}{{last_run}}".to_owned(),
        }),
        ..get("")
    };
    let shown = |everywhere| {
        let request = compile_with(&spec, everywhere).unwrap();
        let show = |(secret, place): (SecretRef, Place)| format!("{} {place:?}", secret.name);
        request
            .references()
            .into_iter()
            .map(show)
            .collect::<Vec<_>>()
    };
    let expected = [
        "A Url", "A Header", "A Body", "B Query", "D Query", "K Body", "P Auth", "C Header",
    ];
    assert_eq!(shown(false), expected);
    assert_eq!(shown(true), [expected.as_slice(), &["N Auth"]].concat());
}

#[test]
fn what_is_rendered_is_among_the_references() {
    let request = compile(&get("https://example.com/{{last_run}}")).unwrap();
    assert!(request.uses_last_run() && !request.uses(Variable::Now));
    assert!(
        !compile(&get("https://example.com/"))
            .unwrap()
            .uses_last_run()
    );
    assert!(request.target(&vars(&env(&[]))).is_ok());
}
