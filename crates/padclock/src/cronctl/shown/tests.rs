//! Single things in words.

use padclock_vault::{EgressPolicy, Place};

use super::{egress, span};

#[test]
fn spans() {
    let table = [
        (0, "0 ms"),
        (999, "999 ms"),
        (1_000, "1.0 s"),
        (1_999, "1.9 s"),
        (59_999, "59.9 s"),
        (60_000, "1 min 0 s"),
        (185_000, "3 min 5 s"),
        (3_599_999, "59 min 59 s"),
        (3_600_000, "1 h 0 min"),
        (90_061_000, "25 h 1 min"),
    ];
    for (millis, shown) in table {
        assert_eq!(span(millis), shown);
    }
}

#[test]
fn where_a_secret_may_go() {
    assert_eq!(egress(None), "anywhere");
    assert_eq!(egress(Some(&EgressPolicy::default())), "anywhere");
    let policy = EgressPolicy {
        schemes: vec!["https".to_owned()],
        hosts: vec!["a.example".to_owned(), "*.b.example".to_owned()],
        ports: vec![443, 8443],
        methods: vec!["GET".to_owned()],
        path_prefixes: vec!["/v1".to_owned()],
        places: vec![Place::Header],
        agents: vec!["db".to_owned()],
    };
    let shown = "a.example, *.b.example; scheme https; port 443, 8443; method GET; path /v1; in header; agents db";
    assert_eq!(egress(Some(&policy)), shown);
}
