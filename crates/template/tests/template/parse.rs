//! The parser on single texts: what is a reference, what is not, and where it says that something is wrong.

use padclock_template::{RefSyntax, Syntax, Template, Variable};

fn parse(text: &str) -> Result<Template, (&'static str, usize)> {
    Template::parse(text, Syntax { secret_uri: true }).map_err(|error| (error.code, error.position))
}

fn names(text: &str) -> Vec<String> {
    parse(text)
        .unwrap()
        .references()
        .map(|reference| reference.name.clone())
        .collect()
}

#[test]
fn braces_name_secrets() {
    let table: &[(&str, &[&str])] = &[
        ("", &[]),
        ("plain", &[]),
        ("{{secret.A}}", &["A"]),
        ("{{ secret.A }}", &["A"]),
        ("{{\tsecret.A|base64\n}}", &["A"]),
        ("x{{secret.a-b.c_9}}y{{secret.B}}", &["a-b.c_9", "B"]),
        ("{{secret.A | hmac_sha256( secret.K )}}", &["A", "K"]),
        (
            "{{now | hmac_sha256(secret.K) | hmac_sha256(secret.L)}}",
            &["K", "L"],
        ),
        ("{{{{secret.A}}", &[]),
        ("{{{{{{secret.A}}", &["A"]),
        ("{{secret.A}}}}", &["A"]),
        ("}}{{secret.A}}", &["A"]),
        ("{ {secret.A} }", &[]),
    ];
    for (text, expected) in table {
        assert_eq!(names(text), *expected, "{text}");
        assert_eq!(parse(text).unwrap().to_string(), *text);
    }
}

#[test]
fn secret_uri_takes_the_longest_name_that_does_not_end_in_a_dot() {
    let table: &[(&str, &[&str])] = &[
        ("Bearer secret://stripe-key", &["stripe-key"]),
        ("secret://a.b_c-9/x", &["a.b_c-9"]),
        ("secret://a.", &["a"]),
        ("secret://a...", &["a"]),
        ("secret://a.b.", &["a.b"]),
        ("see secret://a, secret://b; secret://c", &["a", "b", "c"]),
        ("secret://asecret://b", &["asecret"]),
        ("secret://", &[]),
        ("secret://...", &[]),
        ("secret:// a", &[]),
        ("secret://\u{e9}", &[]),
        ("SECRET://a", &[]),
        ("secret://secret://a", &["secret"]),
        ("secret://a{{secret.B}}secret://c", &["a", "B", "c"]),
        ("{{{{secret://a}}", &["a"]),
    ];
    for (text, expected) in table {
        assert_eq!(names(text), *expected, "{text}");
        assert_eq!(parse(text).unwrap().to_string(), *text);
    }
}

#[test]
fn a_uri_name_longer_than_any_secret_is_text() {
    assert!(names(&format!("secret://{}", "a".repeat(129))).is_empty());
    assert_eq!(names(&format!("secret://{}", "a".repeat(128))).len(), 1);
}

#[test]
fn the_uri_counts_only_where_it_should() {
    let template =
        Template::parse("secret://a {{secret.b}}", Syntax { secret_uri: false }).unwrap();
    let found: Vec<_> = template.references().collect();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].name.as_str(), found[0].syntax),
        ("b", RefSyntax::Braces)
    );
    assert_eq!(template.to_string(), "secret://a {{secret.b}}");
}

#[test]
fn syntaxes_are_told_apart() {
    let template = parse("secret://a{{secret.a}}").unwrap();
    let syntaxes: Vec<_> = template
        .references()
        .map(|reference| reference.syntax)
        .collect();
    assert_eq!(syntaxes, [RefSyntax::Uri, RefSyntax::Braces]);
}

#[test]
fn every_variable_is_known() {
    for (name, variable) in Variable::ALL {
        let template = parse(&format!("a{{{{ {name} | trim }}}}b")).unwrap();
        for (_, other) in Variable::ALL {
            assert_eq!(template.uses(other), other == variable, "{name}");
        }
        assert_eq!(variable.name(), name);
    }
}

#[test]
fn env_keys_are_listed() {
    let template = parse("{{env.HOST}}/{{env.a-b.c}}/{{now}}").unwrap();
    assert_eq!(template.env_keys().collect::<Vec<_>>(), ["HOST", "a-b.c"]);
}

#[test]
fn errors_have_code_and_position() {
    let long = format!("{{{{secret.{}}}}}", "a".repeat(129));
    let table: &[(&str, &str, usize)] = &[
        ("{{", "unclosed", 0),
        ("ab{{secret.A", "unclosed", 2),
        ("ab{{secret.A}", "unclosed", 2),
        ("{{secret.A {{secret.B}}", "unclosed", 0),
        ("{{{{{{", "unclosed", 4),
        ("{{}}", "unknown_variable", 2),
        ("{{  }}", "unknown_variable", 4),
        ("{{nope}}", "unknown_variable", 2),
        ("é{{ Now }}", "unknown_variable", 5),
        ("{{secret}}", "unknown_variable", 2),
        ("{{SECRET.A}}", "unknown_variable", 2),
        ("{{now ()}}", "unknown_variable", 2),
        ("{{{now}}}", "unknown_variable", 2),
        ("{{$secret:x.y}}", "unknown_variable", 2),
        ("{{secret.}}", "bad_name", 9),
        ("{{secret.A.}}", "bad_name", 10),
        ("{{secret.A B}}", "bad_name", 10),
        ("{{secret.A/B}}", "bad_name", 10),
        ("{{secret.\u{e9}}}", "bad_name", 9),
        ("{{env.}}", "bad_name", 6),
        ("{{ env.A=B }}", "bad_name", 8),
        (&long, "bad_name", 9),
        ("{{now|}}", "bad_filter", 6),
        ("{{now| |hex}}", "bad_filter", 7),
        ("{{now | nope}}", "bad_filter", 8),
        ("{{now | BASE64}}", "bad_filter", 8),
        ("{{now | base64()}}", "bad_filter", 15),
        ("{{now | hex(secret.A)}}", "bad_filter", 12),
        ("{{now | hmac_sha256}}", "bad_filter", 19),
        ("{{now | hmac_sha256()}}", "bad_filter", 20),
        ("{{now | hmac_sha256( )}}", "bad_filter", 21),
        ("{{now | hmac_sha256(secret.A}}", "bad_filter", 19),
        ("{{now | hmac_sha256(secret.A) x}}", "bad_filter", 19),
        (
            "{{now | hmac_sha256(secret.A, secret.B)}}",
            "bad_filter",
            28,
        ),
        ("{{now | hmac_sha256(now)}}", "bad_filter", 20),
        ("{{now | hmac_sha256('k')}}", "bad_filter", 20),
        ("{{now | hmac_sha256(env.K)}}", "bad_filter", 20),
        ("{{now | hmac_sha256(secret.)}}", "bad_name", 27),
        ("{{now | hmac_sha256(secret.a b)}}", "bad_name", 28),
    ];
    for (text, code, position) in table {
        assert_eq!(parse(text).unwrap_err(), (*code, *position), "{text}");
    }
}

#[test]
fn errors_do_not_quote_the_text() {
    for text in [
        "{{hunter2-hunter2}}",
        "{{now | hunter2-hunter2}}",
        "{{secret.hunter2 hunter2}}",
        "{{hunter2",
    ] {
        let error = Template::parse(text, Syntax::default()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
}

#[test]
fn many_errors_and_many_marks_cost_no_more_than_a_scan() {
    for text in [
        "{{ ".repeat(300_000),
        "secret:// ".repeat(100_000),
        "{{x}}".repeat(200_000),
        "{{{{".repeat(200_000),
    ] {
        let template = Template::parse(&text, Syntax { secret_uri: true });
        assert_eq!(template.is_ok(), text.starts_with("secret"));
    }
}
