//! Bodies: JSON as a value, JSON as text by position, forms, text.

use serde_json::{Value as Json, json};

use crate::support::{
    Safe, body_of, bytes, compile_with, derived_of, env, list, post, problems, render, safe, vars,
};

fn rendered(content_type: &str, body: Json, safe: &Safe) -> String {
    body_of(&render(&post(content_type, body), safe).unwrap())
}

#[test]
fn json_values_are_filled_in_their_leaves() {
    let safe = safe("A", "q\"\\\n\u{1}é").with("B", "b");
    let body = json!({
        "plain": [1, -2.5, true, null, "x\"y"],
        "leaf": "{{secret.A}}",
        "both": "<{{secret.A}}|{{secret.B}}>",
        "deep": [{"k\"ey": ["{{secret.B}}"]}],
        "literal": "{{{{secret.A}}",
        "number": "{{now_unix}}",
    });
    let parsed: Json = serde_json::from_str(&rendered("", body, &safe)).unwrap();
    assert_eq!(
        parsed,
        json!({
            "plain": [1, -2.5, true, null, "x\"y"],
            "leaf": "q\"\\\n\u{1}é",
            "both": "<q\"\\\n\u{1}é|b>",
            "deep": [{"k\"ey": ["b"]}],
            "literal": "{{secret.A}}",
            "number": "1773068400",
        })
    );
}

#[test]
fn json_scalars_at_the_top_are_json() {
    for (body, expected) in [
        (json!(true), "true"),
        (json!(3), "3"),
        (json!([]), "[]"),
        (json!({}), "{}"),
    ] {
        assert_eq!(rendered("", body, &Safe::default()), expected);
    }
    assert!(
        render(&post("", Json::Null), &Safe::default())
            .unwrap()
            .body
            .is_none()
    );
}

#[test]
fn a_value_that_is_no_text_is_refused_in_json() {
    let safe = safe("A", b"\xff\xfe");
    for (content_type, body) in [
        ("", json!({"a": "{{secret.A}}"})),
        ("application/json", "{\"a\":\"{{secret.A}}\"}".into()),
    ] {
        let error = render(&post(content_type, body), &safe).unwrap_err();
        assert_eq!(error.code(), "json_invalid");
        assert!(error.to_string().contains("secret.A"));
    }
}

#[test]
fn json_text_is_filled_by_position() {
    let safe = safe("A", "q\"\\\n")
        .with("N", " -12.5e3 ")
        .with("S", "\"x\\u0041\"")
        .with("T", "true");
    let table = [
        (r#"{"a":"{{secret.A}}"}"#, r#"{"a":"q\"\\\n"}"#),
        (
            r#"{"a": "x {{secret.A}} y", "b": 1}"#,
            r#"{"a": "x q\"\\\n y", "b": 1}"#,
        ),
        (r#"{"a":{{secret.N}}}"#, r#"{"a":-12.5e3}"#),
        (r#"{"a":{"b":{{secret.N}}}}"#, r#"{"a":{"b":-12.5e3}}"#),
        (
            r#"[{{secret.S}},{{secret.T}},{{now_unix}}]"#,
            r#"["x\u0041",true,1773068400]"#,
        ),
        (r#""\\{{secret.T}}\"{{secret.T}}""#, r#""\\true\"true""#),
        ("{{secret.T}}", "true"),
        (r#"{"{{{{a}}": "{{secret.T}}"}"#, r#"{"{{a}}": "true"}"#),
    ];
    for (template, expected) in table {
        let body = rendered("application/json; charset=utf-8", template.into(), &safe);
        assert_eq!(body, expected, "{template}");
        assert!(serde_json::from_str::<Json>(&body).is_ok(), "{template}");
    }
}

#[test]
fn in_place_of_a_json_value_only_a_scalar_goes() {
    let good: &[&[u8]] = &[
        b"0",
        b"-1",
        b"1.5E-3",
        b"true",
        b"false",
        b"null",
        b"\"\"",
        b"\"a\\n\\u00e9\"",
        b"\"\\ud83d\\ude00\"",
        "\"é\"".as_bytes(),
        b" 1\n",
    ];
    let bad: &[&[u8]] = &[
        b"",
        b" ",
        b"abc",
        b"1,2",
        b"1 2",
        b"01",
        b"+1",
        b".5",
        b"1.",
        b"1e999",
        b"NaN",
        b"True",
        b"[]",
        b"{}",
        b"1}",
        b"\"",
        b"\"a",
        b"\"a\"b\"",
        b"\"a\",\"b\"",
        b"\"\\x\"",
        b"\"\\u12\"",
        b"\"\\ud83d\"",
        b"\"\\ude00\"",
        b"\"\n\"",
        b"\"\\\"",
        b"\"\xff\"",
        b"\"a\":1",
        b"nul",
        b"-",
        b"\xc2\xa01",
    ];
    let spec = post("application/vnd.x+json", "{\"a\":{{secret.A}}}".into());
    for value in good {
        let body = body_of(&render(&spec, &safe("A", value)).unwrap());
        let parsed: Json = serde_json::from_str(&body).unwrap();
        assert_eq!(parsed["a"], serde_json::from_slice::<Json>(value).unwrap());
    }
    for value in bad {
        let error = render(&spec, &safe("A", value)).expect_err(&String::from_utf8_lossy(value));
        assert_eq!(error.code(), "json_invalid");
    }
}

#[test]
fn json_text_is_checked_when_saved() {
    let deep = format!("{}\"{{{{now}}}}\"{}", "[".repeat(65), "]".repeat(65));
    let table = [
        (r#"{"a":{{now_unix}}"#, "request.body bad_json 17"),
        (r#"{"a":1{{now_unix}}}"#, "request.body bad_json 6"),
        (
            r#"{"a":{{now_unix}}{{attempt}}}"#,
            "request.body bad_json 17",
        ),
        (r#"{"a":"x"{{now_unix}}}"#, "request.body bad_json 8"),
        (r#"{{{now_unix}}:1}"#, "request.body unknown_variable 2"),
        (r#"{ {{now_unix}}:1}"#, "request.body bad_json 2"),
        (r#"{"{{secret.A}}":1}"#, "request.body template_in_name 2"),
        (r#"{"a{{now}}b" : 1}"#, "request.body template_in_name 3"),
        (r#"["\{{now}}"]"#, "request.body bad_json 3"),
        (r#"["\u00{{now}}"]"#, "request.body bad_json 6"),
        (r#"["\ud83d{{now}}\ude00"]"#, "request.body bad_json 8"),
        (r#"'{{attempt}}'"#, "request.body bad_json 0"),
        (r#"{"at":{{now}}}"#, "request.body bad_json 6"),
        (r#"[ {{random_uuid}}]"#, "request.body bad_json 2"),
        ("{{now_unix}}}", "request.body bad_json 12"),
        (&deep, "request.body too_deep 64"),
    ];
    for (template, expected) in table {
        assert_eq!(
            problems(&post("application/json", template.into()))[0],
            expected,
            "{template}"
        );
    }
}

#[test]
fn json_text_without_references_is_sent_as_it_stands() {
    for text in ["", "not json", "{\"a\":1}\n{\"a\":2}", "{{{{"] {
        assert_eq!(
            rendered("application/json", text.into(), &Safe::default()),
            text.replace("{{{{", "{{")
        );
    }
}

#[test]
fn content_types_decide_about_text() {
    let safe = safe("A", "\"&");
    let table = [
        ("application/json", "\"{{secret.A}}\"", "\"\\\"&\""),
        ("APPLICATION/JSON ; x=y", "\"{{secret.A}}\"", "\"\\\"&\""),
        ("application/ld+json", "\"{{secret.A}}\"", "\"\\\"&\""),
        ("text/json", "\"{{secret.A}}\"", "\"\\\"&\""),
        (
            "application/x-www-form-urlencoded",
            "a={{secret.A}}",
            "a=%22%26",
        ),
        (
            "Application/X-WWW-Form-Urlencoded; charset=utf-8",
            "a={{secret.A}}",
            "a=%22%26",
        ),
        ("application/jsonp", "{{secret.A}}", "\"&"),
        ("text/plain", "{{secret.A}}", "\"&"),
        ("", "{{secret.A}}", "\"&"),
    ];
    for (content_type, template, expected) in table {
        assert_eq!(
            rendered(content_type, template.into(), &safe),
            expected,
            "{content_type}"
        );
    }
}

#[test]
fn a_content_type_that_varies_is_refused_with_a_body_that_does() {
    let spec = post("{{env.TYPE}}", "{{secret.A}}".into());
    assert_eq!(
        problems(&spec),
        ["request.headers.Content-Type bad_content_type"]
    );
    let spec = post("{{env.TYPE}}", "fixed".into());
    let env = env(&[("TYPE", "text/css")]);
    let request = compile_with(&spec, false).unwrap();
    assert!(request.render(&vars(&env), &Safe::default()).is_ok());
}

#[test]
fn forms_are_made_of_objects_and_texts() {
    const FORM: &str = "application/x-www-form-urlencoded";
    let safe = safe("A", "a&b=c +%\u{e9}");
    let body = json!({"k&": "{{secret.A}}", "n": 5, "t": true, "z": null, "l": "x y&"});
    let encoded = rendered(FORM, body, &safe);
    assert_eq!(
        encoded,
        "k%26=a%26b%3Dc%20%2B%25%C3%A9&l=x%20y%26&n=5&t=true&z="
    );
    assert_eq!(
        rendered(FORM, "a=1+2&b={{secret.A}}&c=%20".into(), &safe),
        "a=1+2&b=a%26b%3Dc%20%2B%25%C3%A9&c=%20"
    );
    assert_eq!(
        problems(&post(FORM, json!({"a": [1]}))),
        ["request.body.a bad_body"]
    );
    assert_eq!(
        problems(&post(FORM, json!({"{{secret.A}}": 1}))),
        ["request.body.{{secret.A}} template_in_name 0"]
    );
    assert_eq!(problems(&post(FORM, json!([1]))), ["request.body bad_body"]);
    assert_eq!(problems(&post(FORM, json!(1))), ["request.body bad_body"]);
}

#[test]
fn text_is_byte_for_byte() {
    let all: Vec<u8> = (0..=255).collect();
    let rendered = render(
        &post("text/plain", "<{{secret.A}}>".into()),
        &safe("A", &all),
    )
    .unwrap();
    assert_eq!(
        bytes(rendered.body.as_ref().unwrap()),
        [b"<", all.as_slice(), b">"].concat()
    );
    assert!(rendered.derived.is_empty());
}

#[test]
fn problems_name_the_leaf() {
    let body = json!({"a": [{"b": "x{{nope}}"}], "c{{secret.X}}": 1, "d": "{{now"});
    assert_eq!(
        problems(&post("", body)),
        [
            "request.body.a.0.b unknown_variable 3",
            "request.body.c{{secret.X}} template_in_name 1",
            "request.body.d unclosed 0"
        ]
    );
}

#[test]
fn nesting_is_limited() {
    let nested = |depth: usize| (0..depth).fold(json!("x"), |inner, _| json!([inner]));
    assert!(compile_with(&post("", nested(64)), false).is_ok());
    let problems = compile_with(&post("", nested(65)), false).unwrap_err();
    assert!(problems[0].message.contains("64"));
    assert_eq!(list(problems), ["request.body too_deep"]);
}

#[test]
fn json_escapes_are_derived() {
    let rendered = render(
        &post("", json!({"a": "{{secret.A}}", "b": "{{secret.B}}"})),
        &safe("A", "a\"b").with("B", "b"),
    )
    .unwrap();
    assert_eq!(derived_of(&rendered), ["A=a\\\"b"]);
    let rendered = render(
        &post("text/json", "{{secret.A}}".into()),
        &safe("A", " 17 "),
    )
    .unwrap();
    assert_eq!(derived_of(&rendered), ["A=17"]);
}

#[test]
fn values_are_never_scanned_again() {
    let safe = safe("A", "{{secret.B}} secret://B {{{{ {{now}}").with("B", "inner");
    let literal = "{{secret.B}} secret://B {{{{ {{now}}";
    assert_eq!(rendered("", "{{secret.A}}".into(), &safe), literal);
    let env = env(&[("V", literal)]);
    let request = compile_with(&post("", "{{env.V}}".into()), true).unwrap();
    assert_eq!(
        body_of(&request.render(&vars(&env), &safe).unwrap()),
        literal
    );
}
