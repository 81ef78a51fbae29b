//! Which texts are JSON here, and what their leaves are.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn leaves(text: &str) -> Vec<String> {
    string_leaves(text.as_bytes())
        .iter()
        .map(|leaf| String::from_utf8(leaf.to_vec()).unwrap())
        .collect()
}

#[test]
fn leaves_are_decoded_and_keys_are_not_leaves() {
    assert_eq!(
        leaves(r#" {"a" : "one", "b":[1,-2.5e+3,true,null,"two",{}],"c":[]} "#),
        ["one", "two"]
    );
    assert_eq!(
        leaves(r#""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é""#),
        ["\"\\/\u{8}\u{c}\n\r\té😀é"]
    );
    assert_eq!(leaves(r#""""#), [""]);
}

#[test]
fn a_leaf_takes_no_more_room_than_it_is_written_in() {
    let leaf = r#""\\a\"b\u0041\n""#;
    let text = format!("[{}]", [leaf; 1_000].join(","));
    let leaves = string_leaves(text.as_bytes());
    assert_eq!(leaves.len(), 1_000);
    let room: usize = leaves.iter().map(|leaf| leaf.capacity()).sum();
    assert!(room <= text.len(), "{room} bytes for {}", text.len());
    assert_eq!(leaves[999].as_slice(), b"\\a\"bA\n");
}

#[test]
fn what_is_not_wholly_json_has_no_leaves() {
    for text in [
        "",
        "plain",
        "12",
        "{",
        "[",
        "\"",
        "{\"a\"}",
        "{\"a\":}",
        "[\"a\",]",
        "[\"a\"] x",
        "[\"a\" \"b\"]",
        "{1:\"a\"}",
        "[\"a\",nul]",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\ud83d\"",
        "\"\\ud83d\\u0041\"",
        "\"\\ude00\"",
        "\"a\nb\"",
        "['a']",
    ] {
        assert_eq!(leaves(text), [""; 0], "{text:?}");
    }
    assert_eq!(string_leaves(&b"[".repeat(100_000)).len(), 0);
}

fn collect(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) => into.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
        Value::Object(members) => members.values().for_each(|member| collect(member, into)),
        _ => {}
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<String>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        Just(Value::Null)
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map(any::<String>(), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn leaves_are_those_of_serde(value in any_json(), pretty in any::<bool>()) {
        let mut expected = Vec::new();
        collect(&value, &mut expected);
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        prop_assert_eq!(leaves(&text.unwrap()), expected);
    }

    #[test]
    fn nothing_panics_and_nothing_but_json_has_leaves(text in "[\\[\\]{}\":,a\\\\u0 n-]{0,24}") {
        if serde_json::from_str::<Value>(&text).is_ok() {
            let mut expected = Vec::new();
            collect(&serde_json::from_str(&text).unwrap(), &mut expected);
            if text.matches(':').count() < 2 {
                prop_assert_eq!(leaves(&text), expected);
            }
        }
    }
}
