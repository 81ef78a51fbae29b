//! URLs: what stands where, what is refused when saved and when rendered, and the target known before any secret is opened.

use padclock_template::{RenderError, RequestSpec, TargetUrl};

use crate::support::{
    compile, derived_of, env, get, problems, render, render_env, safe, url_of, vars,
};

fn with_query(url: &str, query: &[(&str, &str)]) -> RequestSpec {
    let mut spec = get(url);
    spec.query = env(query);
    spec
}

#[test]
fn fixed_urls_are_normalised_once() {
    let table = [
        ("https://example.com", "https://example.com/"),
        ("https://EXAMPLE.com:443/A", "https://example.com/A"),
        ("HTTP://example.com:80", "http://example.com/"),
        ("http://example.com:8080/", "http://example.com:8080/"),
        ("https://example.com?a=1", "https://example.com/?a=1"),
        ("https://example.com#part", "https://example.com/"),
        ("https://example.com/a?b#part", "https://example.com/a?b"),
        ("https://example.com./a", "https://example.com/a"),
        (
            "https://b\u{fc}cher.example/\u{fc}?\u{fc}='",
            "https://xn--bcher-kva.example/%C3%BC?%C3%BC=%27",
        ),
        ("https://[::1]:8443/x", "https://[::1]:8443/x"),
        ("https://0x7f.1/", "https://127.0.0.1/"),
        (
            "https://example.com/a%2Fb/%zz%4",
            "https://example.com/a%2Fb/%25zz%254",
        ),
        (
            "https://example.com/a;b=c,d:e@f//g",
            "https://example.com/a;b=c,d:e@f//g",
        ),
        (
            "https://example.com/{x}/<y>",
            "https://example.com/%7Bx%7D/%3Cy%3E",
        ),
        (
            "https://example.com/{{{{x}}",
            "https://example.com/%7B%7Bx%7D%7D",
        ),
        (
            "https://example.com/?a=/b?c&d",
            "https://example.com/?a=/b?c&d",
        ),
        ("https://example.com/a://b", "https://example.com/a://b"),
    ];
    for (url, expected) in table {
        assert_eq!(
            url_of(&render(&get(url), &safe("A", "v")).unwrap()),
            expected,
            "{url}"
        );
    }
}

#[test]
fn values_are_encoded_for_path_and_query() {
    let table = [
        (
            "https://h.example/{{secret.A}}",
            "a/b",
            "https://h.example/a%2Fb",
        ),
        (
            "https://h.example/{{secret.A}}",
            "a?b#c",
            "https://h.example/a%3Fb%23c",
        ),
        (
            "https://h.example/x{{secret.A}}y/z",
            "../..",
            "https://h.example/x..%2F..y/z",
        ),
        (
            "https://h.example/{{secret.A}}/z",
            "..\\",
            "https://h.example/..%5C/z",
        ),
        (
            "https://h.example/{{secret.A}}",
            "%2e%2E",
            "https://h.example/%252e%252E",
        ),
        (
            "https://h.example/%{{secret.A}}",
            "2F",
            "https://h.example/%252F",
        ),
        (
            "https://h.example/%2{{secret.A}}",
            "F",
            "https://h.example/%252F",
        ),
        (
            "https://h.example/?k={{secret.A}}&l=1",
            "a&b=c d+e",
            "https://h.example/?k=a%26b%3Dc%20d%2Be&l=1",
        ),
        (
            "https://h.example/?{{secret.A}}",
            "a=b",
            "https://h.example/?a%3Db",
        ),
        (
            "https://h.example?k={{secret.A}}",
            "#",
            "https://h.example/?k=%23",
        ),
        (
            "https://h.example/{{secret.A}}",
            "\r\n\0\u{e9}",
            "https://h.example/%0D%0A%00%C3%A9",
        ),
        (
            "https://h.example/{{secret.A}}/b",
            "",
            "https://h.example//b",
        ),
    ];
    for (url, value, expected) in table {
        let rendered = render(&get(url), &safe("A", value)).unwrap();
        assert_eq!(url_of(&rendered), expected);
    }
}

#[test]
fn the_query_map_is_appended() {
    let spec = with_query(
        "https://h.example/p?x=1",
        &[
            ("a b", "{{secret.A}}"),
            ("c", "d&e=%20+"),
            ("t", "{{now_unix}}"),
        ],
    );
    let rendered = render(&spec, &safe("A", "v=&w")).unwrap();
    assert_eq!(
        url_of(&rendered),
        "https://h.example/p?x=1&a%20b=v%3D%26w&c=d%26e%3D%2520%2B&t=1773068400"
    );
    let rendered = render(
        &with_query("https://h.example", &[("c", "")]),
        &safe("A", "v"),
    )
    .unwrap();
    assert_eq!(url_of(&rendered), "https://h.example/?c=");
}

#[test]
fn encoded_forms_are_derived() {
    let rendered = render(
        &get("https://h.example/{{secret.A}}?a={{secret.A}}&b={{secret.A | base64}}"),
        &safe("A", "a/b"),
    )
    .unwrap();
    assert_eq!(derived_of(&rendered), ["A=a%2Fb", "A=YS9i"]);
    let rendered = render(
        &get("https://h.example/{{secret.A | base64}}"),
        &safe("A", "f"),
    )
    .unwrap();
    assert_eq!(derived_of(&rendered), ["A=Zg==", "A=Zg%3D%3D"]);
}

#[test]
fn dot_segments_are_refused() {
    let table = [
        ("https://h.example/{{secret.A}}", "."),
        ("https://h.example/{{secret.A}}", ".."),
        ("https://h.example/x/{{secret.A}}/y", ".."),
        ("https://h.example/.{{secret.A}}/y", "."),
        ("https://h.example/.{{secret.A}}/y", ""),
        ("https://h.example/%2e{{secret.A}}?q", "."),
        ("https://h.example/%2E{{secret.A}}.", ""),
        ("https://h.example/{{secret.A}}{{secret.A}}", "."),
    ];
    for (url, value) in table {
        assert_eq!(
            render(&get(url), &safe("A", value)).unwrap_err(),
            RenderError::UrlDotSegment,
            "{url} {value}"
        );
    }
    for value in ["...", "..a", "a.", ". "] {
        assert!(render(&get("https://h.example/{{secret.A}}/"), &safe("A", value)).is_ok());
    }
    assert!(render(&get("https://h.example/?a={{secret.A}}"), &safe("A", "..")).is_ok());
}

#[test]
fn variables_may_make_the_origin() {
    let table = [
        ("{{env.V}}", "https://example.com", "https://example.com/"),
        (
            "{{env.V}}/a",
            "https://example.com/",
            "https://example.com/a",
        ),
        (
            "{{env.V}}/a?b=c",
            "https://example.com/v2/",
            "https://example.com/v2/a?b=c",
        ),
        (
            "{{env.V}}?b=c",
            "HTTPS://EXAMPLE.com:444",
            "https://example.com:444/?b=c",
        ),
        (
            "https://{{env.V}}/a",
            "example.com",
            "https://example.com/a",
        ),
        (
            "https://{{env.V}}.example.com:8443/",
            "eu",
            "https://eu.example.com:8443/",
        ),
        (
            "https://example.com:{{env.V}}/",
            "99",
            "https://example.com:99/",
        ),
        ("{{env.V}}://example.com/", "http", "http://example.com/"),
        (
            "{{env.V}}:8080/a://b",
            "http://h.example",
            "http://h.example:8080/a://b",
        ),
        (
            "https://example.com/{{env.V}}/x",
            "a/b",
            "https://example.com/a%2Fb/x",
        ),
    ];
    for (url, value, expected) in table {
        let env = env(&[("V", value)]);
        assert_eq!(
            url_of(&render_env(&get(url), &safe("A", "v"), &env).unwrap()),
            expected,
            "{url}"
        );
    }
}

#[test]
fn an_origin_made_of_variables_is_checked() {
    let table = [
        ("{{env.V}}", ""),
        ("{{env.V}}", "example.com"),
        ("{{env.V}}", "ftp://example.com"),
        ("{{env.V}}", "https:example.com"),
        ("{{env.V}}", "https://"),
        ("{{env.V}}", "https://user:pass@example.com"),
        ("{{env.V}}", "https://example.com?a=b"),
        ("{{env.V}}", "https://example.com#a"),
        ("{{env.V}}", "https://example.com\\@evil.example"),
        ("{{env.V}}", "https://exa mple.com"),
        ("{{env.V}}", "https://exa\nmple.com"),
        ("{{env.V}}", "https://example.com:99999"),
        ("{{env.V}}", "https://example.com:0"),
        ("https://{{env.V}}/", "user@example.com"),
        ("https://{{env.V}}/", ""),
        ("https://example.com:{{env.V}}/", "80@evil.example"),
        ("https://example.com{{env.V}}/", "?x="),
    ];
    for (url, value) in table {
        let env = env(&[("V", value)]);
        let request = compile(&get(url)).unwrap();
        let error = request.render(&vars(&env), &safe("A", "v")).unwrap_err();
        assert_eq!(error.code(), "url_invalid", "{url} {value}");
        assert_eq!(request.target(&vars(&env)).unwrap_err(), error);
    }
}

#[test]
fn what_a_url_cannot_hold_is_refused_when_saved() {
    let table = [
        ("", "request.url bad_url 0"),
        ("example.com/a", "request.url bad_url 0"),
        ("/a", "request.url bad_url 0"),
        ("//example.com/a", "request.url bad_url 0"),
        ("ftp://example.com/", "request.url bad_url 0"),
        ("javascript:alert(1)", "request.url bad_url 0"),
        ("https:example.com/", "request.url bad_url 0"),
        ("https:///a", "request.url bad_url 0"),
        ("https://?a", "request.url bad_url 0"),
        ("https://user:pw@example.com/", "request.url bad_url 0"),
        ("https://example.com:0/", "request.url bad_url 0"),
        ("https://example.com:70000/", "request.url bad_url 0"),
        ("https://exam<ple.com/", "request.url bad_url 0"),
        ("https://example.com/a b", "request.url bad_url 21"),
        ("https://example.com/a\tb", "request.url bad_url 21"),
        ("https://example.com/\n", "request.url bad_url 20"),
        ("https://example.com/a\\b", "request.url bad_url 21"),
        ("https://example.com/a/../b", "request.url bad_url 22"),
        ("https://example.com/.", "request.url bad_url 20"),
        (
            "https://example.com/{{now}}/%2E%2e/x",
            "request.url bad_url 28",
        ),
        ("https://example.com/#{{now}}", "request.url bad_url 21"),
        ("https://a@{{env.H}}/", "request.url bad_url 9"),
        ("https://{{secret.A}}/", "request.url secret_in_origin 8"),
        (
            "https://{{secret.A}}.example.com/",
            "request.url secret_in_origin 8",
        ),
        (
            "https://example.com:{{secret.A}}/",
            "request.url secret_in_origin 20",
        ),
        (
            "https://example.com{{secret.A}}/",
            "request.url secret_in_origin 19",
        ),
        ("{{secret.A}}", "request.url secret_in_origin 0"),
        (
            "{{secret.A}}://example.com/",
            "request.url secret_in_origin 0",
        ),
        (
            "{{env.BASE}}{{secret.A}}/x",
            "request.url secret_in_origin 12",
        ),
        (
            "https://{{env.H | hmac_sha256(secret.A)}}/",
            "request.url secret_in_origin 8",
        ),
        (
            "https://{{secret.A | sha256}}/",
            "request.url secret_in_origin 8",
        ),
        (
            "https://example.com/{{nope}}",
            "request.url unknown_variable 22",
        ),
    ];
    for (url, expected) in table {
        assert_eq!(problems(&get(url)), [expected], "{url}");
    }
}

#[test]
fn a_secret_uri_cannot_make_the_origin_either() {
    let options = padclock_template::CompileOptions {
        secret_uri_everywhere: true,
        field: "request",
    };
    for url in [
        "https://secret://a/",
        "secret://a/b",
        "https://x.secret://a",
    ] {
        let problems = padclock_template::Request::compile(&get(url), options).unwrap_err();
        assert_eq!(problems[0].code, "secret_in_origin", "{url}");
    }
}

#[test]
fn names_in_the_query_map_are_literal() {
    assert_eq!(
        problems(&with_query("https://h.example/", &[("a{{secret.A}}", "x")])),
        ["request.query.a{{secret.A}} template_in_name 1"]
    );
    let rendered = render(
        &with_query("https://h.example/", &[("a{{b", "x")]),
        &safe("A", "v"),
    )
    .unwrap();
    assert_eq!(url_of(&rendered), "https://h.example/?a%7B%7Bb=x");
}

#[test]
fn the_target_is_known_without_secrets() {
    let target = |scheme, host: &str, port, path: &str| TargetUrl {
        scheme,
        host: host.to_owned(),
        port,
        path: path.to_owned(),
    };
    let table = [
        (
            "https://Example.com/a/b?c",
            target("https", "example.com", 443, "/a/b"),
        ),
        ("http://example.com", target("http", "example.com", 80, "/")),
        ("https://[::1]:8443/", target("https", "[::1]", 8443, "/")),
        (
            "https://example.com/a/{{secret.A}}/b",
            target("https", "example.com", 443, "/a/"),
        ),
        (
            "https://example.com/a{{secret.A}}/b",
            target("https", "example.com", 443, "/"),
        ),
        (
            "https://example.com/a/{{env.V}}{{secret.A}}",
            target("https", "example.com", 443, "/a/"),
        ),
        (
            "https://example.com/{{env.V}}/b",
            target("https", "example.com", 443, "/v%201/b"),
        ),
        (
            "https://example.com/a?{{secret.A}}",
            target("https", "example.com", 443, "/a"),
        ),
        (
            "{{env.B}}/b/{{secret.A}}",
            target("https", "h.example", 444, "/base/b/"),
        ),
        (
            "{{env.B}}/{{secret.A}}",
            target("https", "h.example", 444, "/base/"),
        ),
    ];
    let env = env(&[("V", "v 1"), ("B", "https://h.example:444/base")]);
    for (url, expected) in table {
        assert_eq!(
            compile(&get(url)).unwrap().target(&vars(&env)).unwrap(),
            expected,
            "{url}"
        );
    }
}
