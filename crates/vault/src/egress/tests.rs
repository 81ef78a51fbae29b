//! The wire shape of a policy, its hash, and its check of targets, rule by rule.

use proptest::prelude::*;

use super::{EgressPolicy, Place, Refusal, Target};
use crate::testing::hex;

fn policy(json: &str) -> EgressPolicy {
    serde_json::from_str(json).unwrap()
}

fn target() -> Target<'static> {
    Target {
        scheme: "https",
        host: "api.example.com",
        port: 443,
        method: "POST",
        path: "/v1/charges",
        place: Place::Header,
    }
}

fn allows(policy: &EgressPolicy, target: &Target<'_>) -> bool {
    policy.check(target).is_ok()
}

/// A policy with one list given as JSON.
fn one(list: &str, items: &str) -> EgressPolicy {
    policy(&format!("{{\"{list}\": {items}}}"))
}

#[test]
fn the_wire_shape_is_its_lists() {
    let text = r#"{"schemes":["https"],"hosts":["a.example"],"ports":[443],"methods":["GET"],"path_prefixes":["/v1"],"places":["url","query","header","body","auth"],"agents":["prod"]}"#;
    assert_eq!(serde_json::to_string(&policy(text)).unwrap(), text);
    assert_eq!(
        serde_json::to_string(&one("ports", "[1]")).unwrap(),
        r#"{"ports":[1]}"#
    );
    assert_eq!(policy("{}"), EgressPolicy::default());
}

#[test]
fn an_unknown_field_is_refused_by_name() {
    for (text, named) in [
        (r#"{"host": ["a"]}"#, "unknown field `host`"),
        (r#"{"places": ["cookie"]}"#, "unknown variant `cookie`"),
    ] {
        let error = serde_json::from_str::<EgressPolicy>(text)
            .unwrap_err()
            .to_string();
        assert!(error.contains(named), "{error}");
    }
}

#[test]
fn schemes() {
    let https = target();
    let http = Target {
        scheme: "http",
        port: 80,
        ..https
    };
    let cases = [
        ("[]", true, false),
        (r#"["https"]"#, true, false),
        (r#"["http"]"#, false, true),
    ];
    for (schemes, https_allowed, http_allowed) in cases {
        let policy = one("schemes", schemes);
        assert_eq!(allows(&policy, &https), https_allowed, "{schemes}");
        assert_eq!(allows(&policy, &http), http_allowed, "{schemes}");
    }
    let both = one("schemes", r#"["HTTP", "https"]"#);
    assert!(allows(&both, &https) && allows(&both, &http));
    for scheme in ["ftp", "file", "", "HTTPS"] {
        let target = Target { scheme, ..https };
        assert!(!allows(&EgressPolicy::default(), &target), "{scheme}");
        assert!(!allows(&one("schemes", "[\"ftp\"]"), &target), "{scheme}");
    }
}

#[test]
fn plain_http_is_open_to_loopback_only() {
    let open = one("ports", "[80]");
    let closed = one("schemes", r#"["https"]"#);
    let to = |host| Target {
        scheme: "http",
        port: 80,
        host,
        ..target()
    };
    for host in ["localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]"] {
        assert!(allows(&open, &to(host)), "{host}");
        assert!(
            !allows(&closed, &to(host)),
            "{host}: a list that leaves http out means it"
        );
    }
    let others = [
        "localhost.example.com",
        "a.localhost",
        "127.0.0.1.example.com",
        "10.0.0.1",
        "::2",
        "0.0.0.0",
        "[::]",
        "::ffff:127.0.0.1",
        "128.0.0.1",
        "notlocalhost",
    ];
    for host in others {
        assert_eq!(
            open.check(&to(host)),
            Err(Refusal::PlainHttp {
                host: host.to_owned()
            })
        );
    }
}

#[test]
fn exact_hosts() {
    let policy = one(
        "hosts",
        r#"["API.example.com", "10.0.0.7", "2001:DB8:0::7"]"#,
    );
    let to = |host| Target { host, ..target() };
    for host in [
        "api.example.com",
        "10.0.0.7",
        "2001:db8::7",
        "[2001:db8::7]",
    ] {
        assert!(allows(&policy, &to(host)), "{host}");
    }
    let others = [
        "example.com",
        "x.api.example.com",
        "api.example.com.evil.test",
        "api.example.comx",
        "xapi.example.com",
        "api.example.com.",
        "10.0.0.70",
        "10.0.0.8",
        "2001:db8::8",
        "",
    ];
    for host in others {
        assert!(
            matches!(policy.check(&to(host)), Err(Refusal::Host { .. })),
            "{host}"
        );
    }
}

#[test]
fn suffix_hosts() {
    let policy = one("hosts", r#"["*.Example.com"]"#);
    let to = |host| Target { host, ..target() };
    for host in ["a.example.com", "a.b.example.com", "x-1.example.com"] {
        assert!(allows(&policy, &to(host)), "{host}");
    }
    let others = [
        "example.com",
        ".example.com",
        "aexample.com",
        "a.example.com.",
        "a..example.com",
        ".a.example.com",
        "a.example.com.evil.test",
        "example.com.evil.test",
        "com",
        "",
        "é.com",
    ];
    for host in others {
        assert!(!allows(&policy, &to(host)), "{host}");
    }
    // A rule that could not be saved allows nothing either.
    for rule in ["*", "*com", "*example.com"] {
        assert!(
            !allows(
                &one("hosts", &format!("[\"{rule}\"]")),
                &to("a.example.com")
            ),
            "{rule}"
        );
    }
}

#[test]
fn ports_methods_and_places() {
    let rules = policy(
        r#"{"ports": [443, 8443], "methods": ["post", "PUT"], "places": ["header", "auth"]}"#,
    );
    assert!(allows(&rules, &target()));
    assert!(allows(
        &rules,
        &Target {
            port: 8443,
            method: "PUT",
            place: Place::Auth,
            ..target()
        }
    ));
    for port in [80, 444, 0, 65_535] {
        assert!(matches!(
            rules.check(&Target { port, ..target() }),
            Err(Refusal::Port { .. })
        ));
    }
    for method in ["GET", "post", "Post", "POSTS", ""] {
        let refused = rules.check(&Target { method, ..target() });
        assert!(matches!(refused, Err(Refusal::Method { .. })), "{method}");
    }
    for place in [Place::Url, Place::Query, Place::Body] {
        assert!(matches!(
            rules.check(&Target { place, ..target() }),
            Err(Refusal::Place { .. })
        ));
    }
}

#[test]
fn paths() {
    let rules = one("path_prefixes", r#"["/v1/charges", "/files/"]"#);
    let to = |path| Target { path, ..target() };
    for path in [
        "/v1/charges",
        "/v1/charges/",
        "/v1/charges/ch_1",
        "/files/",
        "/files/a.b",
    ] {
        assert!(allows(&rules, &to(path)), "{path}");
    }
    for path in [
        "/v1/chargesx",
        "/v1",
        "/",
        "",
        "/files",
        "/V1/charges",
        "//v1/charges",
        "/x/v1/charges",
    ] {
        assert!(
            matches!(rules.check(&to(path)), Err(Refusal::Path { .. })),
            "{path}"
        );
    }
    for path in [
        "/v1/charges/../x",
        "/v1/charges/%2e%2e/x",
        "/files/..%2fx",
        "/files/%252e%252e",
    ] {
        assert!(
            matches!(rules.check(&to(path)), Err(Refusal::DotSegment { .. })),
            "{path}"
        );
    }
    assert!(
        allows(&one("ports", "[443]"), &to("/a/../b")),
        "no path is restricted"
    );
}

/// A header counts only against what the policy restricts.
#[test]
fn headers_that_rewrite_the_request_are_refused() {
    let table = [
        (
            one("hosts", r#"["api.example.com"]"#),
            "x-forwarded-HOST",
            true,
        ),
        (one("hosts", r#"["api.example.com"]"#), "Forwarded", true),
        (
            one("hosts", r#"["api.example.com"]"#),
            "X-HTTP-Method-Override",
            false,
        ),
        (
            one("hosts", r#"["api.example.com"]"#),
            "X-Forwarded-For",
            false,
        ),
        (one("methods", r#"["GET"]"#), "x-http-method-override", true),
        (one("methods", r#"["GET"]"#), "X-Forwarded-Host", false),
        (one("path_prefixes", r#"["/v1"]"#), "X-Original-URL", true),
        (one("path_prefixes", r#"["/v1"]"#), "X-Original-Host", false),
        (one("places", r#"["header"]"#), "X-Rewrite-URL", false),
    ];
    for (policy, name, refused) in table {
        let names = ["Accept", name, "X-Key"];
        let checked = policy.check_headers("api.example.com", names.into_iter());
        assert_eq!(checked.is_err(), refused, "{name} {policy:?}");
        if let Err(refusal) = checked {
            let said = refusal.to_string();
            assert!(
                said.contains("api.example.com")
                    && said.to_lowercase().contains(&name.to_lowercase()),
                "{said}"
            );
        }
    }
}

#[test]
fn agents_and_requests_are_kept_apart() {
    let (agents, requests) = (
        one("agents", r#"["prod", "eu"]"#),
        one("hosts", r#"["api.example.com"]"#),
    );
    let both = policy(r#"{"agents": ["prod"], "hosts": ["api.example.com"]}"#);
    assert!(matches!(
        agents.check(&target()),
        Err(Refusal::CommandsOnly { .. })
    ));
    assert!(allows(&requests, &target()) && allows(&both, &target()));
    assert_eq!(
        requests.check_command(&["prod"]),
        Err(Refusal::RequestsOnly)
    );
    assert_eq!(agents.check_command(&["x", "eu"]), Ok(()));
    assert_eq!(both.check_command(&["prod"]), Ok(()));
    for labels in [&[][..], &["PROD"], &["pro", "prod "]] {
        assert_eq!(
            agents.check_command(labels),
            Err(Refusal::Agent {
                allowed: "prod, eu".into()
            })
        );
    }
    assert_eq!(EgressPolicy::default().check_command(&[]), Ok(()));
}

#[test]
fn all_lists_must_agree() {
    let rules = policy(
        r#"{"schemes": ["https"], "hosts": ["api.example.com"], "ports": [443], "methods": ["POST"],
            "path_prefixes": ["/v1"], "places": ["header"]}"#,
    );
    let right = target();
    assert!(allows(&rules, &right));
    let wrong = [
        Target {
            scheme: "http",
            ..right
        },
        Target {
            host: "api.example.org",
            ..right
        },
        Target { port: 444, ..right },
        Target {
            method: "GET",
            ..right
        },
        Target {
            path: "/v2",
            ..right
        },
        Target {
            place: Place::Body,
            ..right
        },
    ];
    for target in wrong {
        assert!(!allows(&rules, &target), "{target:?}");
    }
}

#[test]
fn a_refusal_names_the_host_and_what_is_allowed_and_no_path() {
    let to = Target {
        path: "/private/token",
        ..target()
    };
    let cases = [
        (
            one("hosts", r#"["a.example", "*.b.example"]"#),
            "the egress policy does not allow the host api.example.com; allowed: a.example, *.b.example",
        ),
        (
            one("ports", "[8443]"),
            "the egress policy does not allow port 443 of api.example.com; allowed: 8443",
        ),
        (
            one("methods", "[\"GET\"]"),
            "the egress policy does not allow the method `POST` at api.example.com; allowed: GET",
        ),
        (
            one("places", "[\"auth\"]"),
            "the egress policy does not allow the value in the request's header to api.example.com; allowed: auth",
        ),
        (
            one("path_prefixes", "[\"/v1\"]"),
            "the egress policy does not allow this path at api.example.com; allowed beginnings: /v1",
        ),
    ];
    for (policy, expected) in cases {
        let refusal = policy.check(&to).unwrap_err();
        assert_eq!(refusal.to_string(), expected);
        assert_eq!(refusal.code(), "egress_refused");
    }
}

#[test]
fn the_hash_does_not_depend_on_order_repetition_or_case() {
    let a = policy(
        r#"{"schemes": ["https", "http"], "hosts": ["a.example", "*.B.example", "[2001:DB8::1]"],
            "ports": [443, 80, 443], "methods": ["get", "POST"], "places": ["body", "url"], "agents": ["x", "y"]}"#,
    );
    let b = policy(
        r#"{"agents": ["y", "x", "y"], "places": ["url", "body", "url"], "methods": ["POST", "GET", "post"],
            "ports": [80, 443], "hosts": ["2001:db8:0:0::1", "*.b.example", "A.example"],
            "schemes": ["HTTP", "https"]}"#,
    );
    assert_eq!(EgressPolicy::hash(Some(&a)), EgressPolicy::hash(Some(&b)));
}

#[test]
fn every_edit_changes_the_hash() {
    let edits = [
        r#"{}"#,
        r#"{"schemes": ["https"]}"#,
        r#"{"schemes": ["http"]}"#,
        r#"{"hosts": ["https"]}"#,
        r#"{"hosts": ["a.example"]}"#,
        r#"{"hosts": ["*.a.example"]}"#,
        r#"{"hosts": ["a.example", "b.example"]}"#,
        r#"{"hosts": ["a.exampleb.example"]}"#,
        r#"{"methods": ["a.example"]}"#,
        r#"{"agents": ["a.example"]}"#,
        r#"{"agents": ["A.example"]}"#,
        r#"{"path_prefixes": ["/v1"]}"#,
        r#"{"path_prefixes": ["/V1"]}"#,
        r#"{"path_prefixes": ["/v1/"]}"#,
        r#"{"ports": [443]}"#,
        r#"{"ports": [444]}"#,
        r#"{"places": ["url"]}"#,
        r#"{"places": ["url", "body"]}"#,
        r#"{"agents": ["url"]}"#,
    ];
    let mut hashes: Vec<_> = edits
        .iter()
        .map(|text| EgressPolicy::hash(Some(&policy(text))))
        .collect();
    hashes.push(EgressPolicy::hash(None));
    for (at, hash) in hashes.iter().enumerate() {
        assert!(!hashes[..at].contains(hash), "edit {at}");
    }
}

/// Every seal is bound to it: a change here loses every store.
#[test]
fn the_hash_never_changes() {
    let full = policy(
        r#"{"schemes": ["https"], "hosts": ["api.example.com", "*.b.example"], "ports": [443], "methods": ["POST"],
            "path_prefixes": ["/v1"], "places": ["header"], "agents": ["prod"]}"#,
    );
    assert_eq!(
        EgressPolicy::hash(Some(&full))[..],
        hex("5fb116e23e7fbada89d3f8f94879a290a0d40a28841b3844cac9813c990846dd")
    );
    assert_eq!(
        EgressPolicy::hash(None)[..],
        hex("fc8ebdf0f55cb5cf293b97e8622bc3d8d42915d53ac8e15a6bcfa86cceb46100")
    );
}

proptest! {
    #[test]
    fn the_hash_is_of_sets(
        mut hosts in prop::collection::vec("[a-c.]{1,4}", 0..6),
        mut ports in prop::collection::vec(0_u16..5, 0..6),
        at in any::<prop::sample::Index>(),
    ) {
        let make = |hosts: &[String], ports: &[u16]| {
            let policy = EgressPolicy { hosts: hosts.to_vec(), ports: ports.to_vec(), ..EgressPolicy::default() };
            EgressPolicy::hash(Some(&policy))
        };
        let before = make(&hosts, &ports);
        hosts.reverse();
        ports.reverse();
        if !hosts.is_empty() {
            let again = hosts[at.index(hosts.len())].to_ascii_uppercase();
            hosts.push(again);
        }
        prop_assert_eq!(make(&hosts, &ports), before);
        ports.push(9);
        prop_assert_ne!(make(&hosts, &ports), before);
    }

    #[test]
    fn a_suffix_allows_only_what_lies_below(front in "[a-z0-9.-]{0,8}", back in "[a-z.]{0,6}") {
        let policy = one("hosts", r#"["*.example.com"]"#);
        let host = format!("{front}example.com{back}");
        if allows(&policy, &Target { host: &host, ..target() }) {
            prop_assert!(host.ends_with(".example.com"));
            prop_assert!(host.split('.').all(|label| !label.is_empty()));
        }
    }

    #[test]
    fn what_is_allowed_is_below_a_prefix_in_every_reading(path in "/(v1|x|\\.|\\.\\.|%2e|%2E|%252e|%2f|/|\\\\|%5c|;){0,8}") {
        let policy = one("path_prefixes", r#"["/v1"]"#);
        if allows(&policy, &Target { path: &path, ..target() }) {
            prop_assert!(path == "/v1" || path.starts_with("/v1/"));
            let decoded = path.replace("%25", "%").to_ascii_lowercase();
            let decoded = decoded.replace("%2e", ".").replace("%2f", "/").replace("%5c", "\\");
            prop_assert!(decoded.split(['/', '\\']).all(|segment| segment != "." && segment != ".."));
        }
    }
}
