//! Words of the command line into fields; whole definitions are in the cases under `tests/cli`.

use serde_json::json;

use super::{body, header, pair, span};

#[test]
fn spans() {
    let good = [
        ("1s", 1),
        ("90s", 90),
        ("5m", 300),
        ("1h30m", 5_400),
        ("1d", 86_400),
        ("007m", 420),
    ];
    for (text, seconds) in good {
        assert_eq!(span(text), Ok(seconds), "{text}");
    }
    for text in [
        "",
        "5",
        "m",
        "0s",
        "-5m",
        "5 m",
        "1.5h",
        "5w",
        "1h30",
        "99999999999999999999s",
        "999999999999999999d",
    ] {
        assert!(span(text).is_err(), "{text}");
    }
}

#[test]
fn headers_and_pairs() {
    let two = |name: &str, text: &str| Ok((name.to_owned(), text.to_owned()));
    assert_eq!(header("A: b: c"), two("A", "b: c"));
    assert_eq!(header("A:"), two("A", ""));
    assert!(header("A b").is_err());
    assert_eq!(pair("K=a=b"), two("K", "a=b"));
    assert_eq!(pair("K="), two("K", ""));
    assert!(pair("=v").is_err() && pair("K").is_err());
}

#[test]
fn a_body_is_json_only_when_it_is_an_object_or_an_array() {
    let table = [
        ("{\"a\":1}", json!({"a": 1})),
        (" [1] ", json!([1])),
        ("17", json!("17")),
        ("\"x\"", json!("\"x\"")),
        ("{a}", json!("{a}")),
        ("", json!("")),
    ];
    for (text, is) in table {
        assert_eq!(body(text), is);
    }
}
