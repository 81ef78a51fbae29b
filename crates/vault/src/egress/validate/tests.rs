//! What may be saved as a policy, each rule with what it refuses and what it lets through.

use proptest::prelude::*;

use super::{EgressPolicy, MAX_ENTRIES};
use crate::{Place, Target};

fn hosts(hosts: &[&str]) -> EgressPolicy {
    EgressPolicy {
        hosts: hosts.iter().map(ToString::to_string).collect(),
        ..EgressPolicy::default()
    }
}

fn prefixes(prefixes: &[&str]) -> EgressPolicy {
    let path_prefixes = prefixes.iter().map(ToString::to_string).collect();
    EgressPolicy {
        path_prefixes,
        ..EgressPolicy::default()
    }
}

/// `field: message` of each problem.
fn problems(policy: &EgressPolicy) -> Vec<String> {
    let problems = policy.validate().err().unwrap_or_default();
    problems
        .into_iter()
        .map(|problem| format!("{}: {}", problem.field, problem.message))
        .collect()
}

fn only_problem(policy: &EgressPolicy) -> String {
    let mut all = problems(policy);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

#[test]
fn a_full_policy_passes() {
    let policy = EgressPolicy {
        schemes: vec!["https".into(), "HTTP".into()],
        hosts: vec![
            "api.example.com".into(),
            "*.example.org".into(),
            "::1".into(),
        ],
        ports: vec![443, 65_535],
        methods: vec!["GET".into(), "post".into(), "PROPFIND".into()],
        path_prefixes: vec!["/".into(), "/v1/charges".into(), "/a%20b/".into()],
        places: vec![Place::Header, Place::Auth],
        agents: vec!["prod".into(), "zone eu".into()],
    };
    assert_eq!(policy.validate(), Ok(()));
}

#[test]
fn an_empty_policy_is_refused() {
    let expected =
        ": names nothing; name at least `hosts` or `agents`, or leave `egress` out for anywhere";
    assert_eq!(only_problem(&EgressPolicy::default()), expected);
}

#[test]
fn hosts_that_pass() {
    let right = [
        "api.example.com",
        "API.Example.COM",
        "localhost",
        "a-b.c_d.example",
        "*.example.com",
        "*.internal",
        "xn--bcher-kva.example",
        "10.0.0.7",
        "127.0.0.1",
        "::1",
        "[::1]",
        "[2001:db8::7]",
        "1.example",
        "3com",
        "0xz.example",
    ];
    assert_eq!(problems(&hosts(&right)), Vec::<String>::new());
}

#[test]
fn hosts_that_are_refused() {
    let long_label = format!("{}.example", "a".repeat(64));
    let long = format!("{}example", "a.".repeat(124));
    let cases = [
        ("", "must be a host such as"),
        ("bücher.example", "must be ASCII"),
        ("https://api.example.com", "must be a host alone, such as"),
        ("api.example.com/v1", "must be a host alone, such as"),
        ("user@api.example.com", "must be a host alone, such as"),
        ("api.example.com:443", "a port belongs in `ports`"),
        ("[::1]:443", "a port belongs in `ports`"),
        ("[::1", "a port belongs in `ports`"),
        ("*", "`*` may stand only as the first label"),
        ("*example.com", "`*` may stand only as the first label"),
        ("api.*.com", "`*` may stand only as the first label"),
        ("*.*.com", "`*` may stand only as the first label"),
        ("*.", "must be a host such as"),
        ("example.com.", "no dot at its end"),
        (".example.com", "must be a host such as"),
        ("a..b", "must be a host such as"),
        ("-a.example", "must be a host such as"),
        ("a-.example", "must be a host such as"),
        ("a b.example", "must be a host such as"),
        ("a%2e.example", "must be a host such as"),
        ("127.1", "must be a full IPv4 address"),
        ("2130706433", "must be a full IPv4 address"),
        ("0x7f000001", "must be a full IPv4 address"),
        ("10.0.0.0X7", "must be a full IPv4 address"),
        ("*.0.0.1", "must be a full IPv4 address"),
        ("10.0.0.07", "must be a full IPv4 address"),
        ("1.2.3.4.5", "must be a full IPv4 address"),
        (&long_label, "must be a host such as"),
        (&long, "has 255 bytes; at most 253 are allowed"),
    ];
    for (host, expected) in cases {
        let problem = only_problem(&hosts(&["ok.example", host]));
        assert!(
            problem.starts_with("hosts[1]: ") && problem.contains(expected),
            "{host}: {problem}"
        );
    }
}

#[test]
fn path_prefixes_that_are_refused() {
    let long = format!("/{}", "a".repeat(1024));
    let cases = [
        ("", "must begin with `/`"),
        ("v1", "must begin with `/`"),
        ("https://x/v1", "must begin with `/`"),
        ("/v1?x=1", "must be a path as it is sent"),
        ("/v1#x", "must be a path as it is sent"),
        ("/v 1", "must be a path as it is sent"),
        ("/v1\n", "must be a path as it is sent"),
        ("/ü", "must be a path as it is sent"),
        ("/v1\\x", "must be a path as it is sent"),
        ("/v1/{id}", "must be a path as it is sent"),
        ("/100%", "has a `%`"),
        ("/%2", "has a `%`"),
        ("/%zz/", "has a `%`"),
        ("/v1/../x", "must have no `.` or `..` segment"),
        ("/v1/.", "must have no `.` or `..` segment"),
        ("/v1/%2e%2e/x", "must have no `.` or `..` segment"),
        ("/v1/%252e/x", "must have no `.` or `..` segment"),
        (&long, "has 1025 bytes; at most 1024 are allowed"),
    ];
    for (prefix, expected) in cases {
        let problem = only_problem(&prefixes(&[prefix]));
        assert!(
            problem.starts_with("path_prefixes[0]: ") && problem.contains(expected),
            "{prefix}: {problem}"
        );
    }
}

#[test]
fn other_entries_that_are_refused() {
    let word = "x".repeat(129);
    let mut policy = EgressPolicy {
        schemes: vec!["ftp".into(), "https".into(), "".into()],
        ports: vec![443, 0],
        methods: vec!["".into(), "GE T".into(), "*".into(), word.clone()],
        agents: vec!["".into(), " prod".into(), "a\nb".into(), word],
        ..EgressPolicy::default()
    };
    policy.hosts.push("b:1".into());
    let fields: Vec<_> = policy
        .validate()
        .unwrap_err()
        .into_iter()
        .map(|problem| problem.field)
        .collect();
    let expected = [
        "schemes[0]",
        "schemes[2]",
        "hosts[0]",
        "ports[1]",
        "methods[0]",
        "methods[1]",
        "methods[2]",
        "methods[3]",
        "agents[0]",
        "agents[1]",
        "agents[2]",
        "agents[3]",
    ];
    assert_eq!(fields, expected);
}

#[test]
fn a_list_has_at_most_64_entries() {
    let many = |count| EgressPolicy {
        ports: vec![443; count],
        ..EgressPolicy::default()
    };
    assert_eq!(many(MAX_ENTRIES).validate(), Ok(()));
    assert_eq!(
        only_problem(&many(65)),
        "ports: has 65 entries; at most 64 are allowed"
    );
}

proptest! {
    #[test]
    fn every_exact_host_that_may_be_saved_matches_itself(host in "[A-Za-z0-9.:_*\\[\\]-]{1,20}") {
        let policy = hosts(&[&host]);
        if policy.validate().is_ok() && !host.starts_with('*') {
            let host = host.to_ascii_lowercase();
            let target =
                Target { scheme: "https", host: &host, port: 443, method: "GET", path: "/", place: Place::Body };
            prop_assert_eq!(policy.check(&target), Ok(()));
        }
    }

    #[test]
    fn no_entry_panics(text in "\\PC{0,40}") {
        let policy = EgressPolicy {
            schemes: vec![text.clone()],
            hosts: vec![text.clone()],
            methods: vec![text.clone()],
            path_prefixes: vec![text.clone()],
            agents: vec![text],
            ..EgressPolicy::default()
        };
        prop_assert!(policy.validate().is_err(), "no text is a scheme, and a path too");
    }
}
