//! Headers and `auth`: names, values, what is added, and what is refused.

use padclock_template::RenderError;

use crate::support::{
    basic, bearer, derived_of, env, get, header, header_of, post, problems, render, render_env,
    safe,
};

#[test]
fn values_are_filled_in() {
    let safe = safe("stripe-key", "sk_live_1").with("A", "x y");
    let table = [
        ("Bearer secret://stripe-key", "Bearer sk_live_1"),
        ("{{secret.A}};secret://stripe-key.", "x y;sk_live_1."),
        ("{{secret.A | base64}}", "eCB5"),
        ("{{job_name}}", "daily report"),
        ("", ""),
        ("tab\there", "tab\there"),
        ("{{{{raw}}", "{{raw}}"),
    ];
    for (template, expected) in table {
        let rendered = render(&header("X-Test", template), &safe).unwrap();
        assert_eq!(header_of(&rendered, "X-Test"), expected, "{template}");
    }
}

#[test]
fn only_headers_with_a_secret_are_sensitive() {
    for (template, sensitive) in [
        ("plain", false),
        ("{{now}}", false),
        ("secret://A", true),
        ("{{now | hmac_sha256(secret.A)}}", true),
    ] {
        let rendered = render(&header("X-Test", template), &safe("A", "v")).unwrap();
        assert_eq!(rendered.headers[0].sensitive, sensitive, "{template}");
    }
}

#[test]
fn a_value_that_would_break_the_header_is_refused() {
    for byte in (0u8..=255).filter(|byte| (*byte < 0x20 && *byte != b'\t') || *byte == 0x7f) {
        let value = [b"a", [byte].as_slice(), b"b"].concat();
        let error = render(&header("X-Test", "secret://A"), &safe("A", &value)).unwrap_err();
        assert_eq!(
            error,
            RenderError::HeaderInjection {
                header: "X-Test".to_owned()
            }
        );
        assert_eq!(error.code(), "header_injection");
    }
    for byte in (0x20u8..=255).filter(|byte| *byte != 0x7f).chain([b'\t']) {
        assert!(render(&header("X-Test", "secret://A"), &safe("A", [byte])).is_ok());
    }
}

#[test]
fn a_header_filled_by_a_variable_is_checked_too() {
    let env = env(&[("V", "a\r\nX-Other: b")]);
    let error = render_env(&header("X-Test", "{{env.V}}"), &safe("A", "v"), &env).unwrap_err();
    assert_eq!(error.code(), "header_injection");
}

#[test]
fn a_trailing_line_break_passes_with_trim() {
    let rendered = render(
        &header("X-Test", "{{secret.A | trim}}"),
        &safe("A", "token\n"),
    )
    .unwrap();
    assert_eq!(header_of(&rendered, "X-Test"), "token");
}

#[test]
fn names_are_checked_when_saved() {
    let table = [
        ("", "request.headers bad_header_name"),
        ("X Test", "request.headers.X Test bad_header_name 1"),
        (
            "X-T\u{e9}st",
            "request.headers.X-T\u{e9}st bad_header_name 3",
        ),
        ("X:", "request.headers.X: bad_header_name 1"),
        ("X{{now}}", "request.headers.X{{now}} bad_header_name 1"),
        (":path", "request.headers.:path bad_header_name 0"),
        ("Host", "request.headers.Host forbidden_header"),
        (
            "CONTENT-length",
            "request.headers.CONTENT-length forbidden_header",
        ),
        (
            "Transfer-Encoding",
            "request.headers.Transfer-Encoding forbidden_header",
        ),
        ("connection", "request.headers.connection forbidden_header"),
        ("Keep-Alive", "request.headers.Keep-Alive forbidden_header"),
        (
            "Proxy-Connection",
            "request.headers.Proxy-Connection forbidden_header",
        ),
        (
            "Proxy-Authorization",
            "request.headers.Proxy-Authorization forbidden_header",
        ),
        ("TE", "request.headers.TE forbidden_header"),
        ("Trailer", "request.headers.Trailer forbidden_header"),
        ("Upgrade", "request.headers.Upgrade forbidden_header"),
        ("Expect", "request.headers.Expect forbidden_header"),
    ];
    for (name, expected) in table {
        assert_eq!(problems(&header(name, "v")), [expected]);
    }
}

#[test]
fn literal_values_are_checked_when_saved() {
    for (value, position) in [
        ("a\nb", 1),
        ("\0", 0),
        ("{{now}}\r\nX: y", 7),
        ("a\u{7f}", 1),
    ] {
        assert_eq!(
            problems(&header("X-Test", value)),
            [format!(
                "request.headers.X-Test bad_header_value {position}"
            )]
        );
    }
}

#[test]
fn names_that_differ_in_case_only_are_refused() {
    let mut spec = header("X-Test", "a");
    spec.headers.insert("x-test".to_owned(), "b".to_owned());
    assert_eq!(problems(&spec), ["request.headers.x-test duplicate_header"]);
}

#[test]
fn basic_auth_is_rfc_7617() {
    let rendered = render(&basic("Aladdin", "{{secret.P}}"), &safe("P", "open sesame")).unwrap();
    assert_eq!(
        header_of(&rendered, "Authorization"),
        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    );
    assert_eq!(derived_of(&rendered), ["P=QWxhZGRpbjpvcGVuIHNlc2FtZQ=="]);
    assert!(rendered.headers[0].sensitive);
}

#[test]
fn basic_auth_with_a_secret_user_is_derived_under_its_name() {
    let rendered = render(&basic("{{secret.U}}", ""), &safe("U", "sk_1")).unwrap();
    assert_eq!(derived_of(&rendered), ["U=c2tfMTo="]);
    let rendered = render(&basic("u", "p"), &safe("U", "sk_1")).unwrap();
    assert!(derived_of(&rendered).is_empty());
}

#[test]
fn basic_auth_refuses_what_would_change_the_pair() {
    for (username, password, part) in [
        ("a:b", "p", "username"),
        ("a\nb", "p", "username"),
        ("a", "p\n", "password"),
        ("a", "\0", "password"),
    ] {
        let safe = safe("U", username).with("P", password);
        let error = render(&basic("{{secret.U}}", "{{secret.P}}"), &safe).unwrap_err();
        assert_eq!(error.code(), "auth_invalid");
        assert!(error.to_string().contains(part));
    }
    let rendered = render(&basic("u", "{{secret.P}}"), &safe("P", "a:b:c")).unwrap();
    assert_eq!(header_of(&rendered, "Authorization"), "Basic dTphOmI6Yw==");
}

#[test]
fn bearer_is_written_and_checked() {
    let rendered = render(&bearer("{{secret.T}}"), &safe("T", "abc")).unwrap();
    assert_eq!(header_of(&rendered, "Authorization"), "Bearer abc");
    assert!(rendered.headers[0].sensitive);
    let error = render(&bearer("{{secret.T}}"), &safe("T", "abc\n")).unwrap_err();
    assert_eq!(
        error,
        RenderError::HeaderInjection {
            header: "Authorization".to_owned()
        }
    );
}

#[test]
fn auth_problems_are_found_when_saved() {
    assert_eq!(
        problems(&basic("a:b", "p")),
        ["request.auth.basic.username bad_username"]
    );
    assert_eq!(
        problems(&basic("", "p")),
        ["request.auth.basic.username required"]
    );
    assert_eq!(
        problems(&basic("u", "p\r")),
        ["request.auth.basic.password bad_header_value 1"]
    );
    assert_eq!(
        problems(&basic("u", "{{nope}}")),
        ["request.auth.basic.password unknown_variable 2"]
    );
    assert_eq!(
        problems(&bearer("")),
        ["request.auth.bearer.token required"]
    );
    assert_eq!(
        problems(&bearer("a{{now")),
        ["request.auth.bearer.token unclosed 1"]
    );
    let mut both = bearer("t");
    both.headers
        .insert("authorization".to_owned(), "x".to_owned());
    assert_eq!(problems(&both), ["request.auth conflict"]);
}

#[test]
fn a_content_type_is_added_to_json_only() {
    let names = |content_type: &str, body: serde_json::Value| {
        let rendered = render(&post(content_type, body), &safe("A", "v")).unwrap();
        rendered
            .headers
            .into_iter()
            .map(|header| header.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(names("", serde_json::json!({"a": 1})), ["Content-Type"]);
    assert_eq!(
        names("application/json", serde_json::json!([1])),
        ["Content-Type"]
    );
    assert!(names("", "text".into()).is_empty());
    assert!(
        render(&get("https://example.com/"), &safe("A", "v"))
            .unwrap()
            .headers
            .is_empty()
    );
}
