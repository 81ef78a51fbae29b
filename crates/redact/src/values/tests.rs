//! Which byte strings a secret stands for.

use std::collections::HashMap;

use super::*;

fn values(secret: &str) -> Vec<String> {
    let values = Values::new([("NAME", secret.as_bytes())]);
    assert!((0..values.len()).all(|index| values.name(index) == "NAME"));
    values
        .iter()
        .map(|(_, value)| String::from_utf8(value.to_vec()).unwrap())
        .collect()
}

#[test]
fn each_kind_of_secret() {
    let cases: [(&str, &[&str]); 12] = [
        ("", &[]),
        ("abc", &[]),
        ("abcd", &["abcd"]),
        (" abcd\n", &[" abcd\n", "abcd"]),
        (" abc ", &[" abc "]),
        ("two  words", &["two  words", "two words"]),
        ("two words", &["two words"]),
        (
            "first line\nx\nsecond line",
            &[
                "first line\nx\nsecond line",
                "first line x second line",
                "first line\r\nx\r\nsecond line",
                "first line\r\r\nx\r\r\nsecond line",
                "first line",
                "second line",
            ],
        ),
        (
            "a long one\r\nshort",
            &[
                "a long one\r\nshort",
                "a long one short",
                "a long one\nshort",
                "a long one\r\r\nshort",
                "a long one",
            ],
        ),
        ("{}", &[]),
        (
            r#"{"key": "leaf", "n": 12345}"#,
            &[r#"{"key": "leaf", "n": 12345}"#, "leaf"],
        ),
        (
            r#"["leaf one", {"x": "abc", "y": ["leaf two"]}]"#,
            &[
                r#"["leaf one", {"x": "abc", "y": ["leaf two"]}]"#,
                "leaf one",
                "leaf two",
            ],
        ),
    ];
    for (secret, expected) in cases {
        assert_eq!(values(secret), expected, "{secret:?}");
    }
}

#[test]
fn indented_lines_count_with_and_without_their_indent() {
    let found = values("key: |\n    the secret line\n    more");
    assert!(found.contains(&"    the secret line".to_owned()));
    assert!(found.contains(&"the secret line".to_owned()));
    assert!(
        !found.contains(&"more".to_owned()),
        "lines under eight bytes don't count"
    );
}

#[test]
fn names_go_with_their_values_and_duplicates_with_the_first() {
    let values = Values::new([
        ("A", b"value one".as_slice()),
        ("SKIPPED", b"abc"),
        ("B", b"value two"),
        ("C", b"value one"),
    ]);
    let all: Vec<_> = values
        .iter()
        .map(|(index, value)| (values.name(index), value))
        .collect();
    assert_eq!(all, [("A", b"value one".as_slice()), ("B", b"value two")]);
}

#[test]
fn growing_keeps_all_bytes() {
    let secrets: Vec<String> = (0..500)
        .map(|number| format!("secret number {number}"))
        .collect();
    let values = Values::new(secrets.iter().map(|secret| ("X", secret.as_bytes())));
    assert!(
        values
            .iter()
            .map(|(_, value)| value)
            .eq(secrets.iter().map(|secret| secret.as_bytes()))
    );
}

#[test]
fn every_line_of_the_longest_sane_file_counts() {
    let lines: Vec<String> = (0..MOST_PARTS)
        .map(|number| format!("{number:064x}"))
        .collect();
    let found = values(&lines.join("\n"));
    assert!(lines.iter().all(|line| found.contains(line)));
}

#[test]
fn of_too_many_lines_the_longest_count_and_blocks_of_all() {
    let long: Vec<String> = (0..500).map(|number| format!("{number:020}")).collect();
    let short: Vec<String> = (0..4_900).map(|number| format!("{number:09}")).collect();
    let secret = format!("{}\n{}", short.join("\n"), long.join("\n"));
    let found = values(&secret);
    assert!(found.contains(&secret));
    assert!(long.iter().all(|line| found.contains(line)));
    let first = MOST_PARTS - long.len();
    assert!(short[..first].iter().all(|line| found.contains(line)));
    assert!(!found.contains(&short[first]));
    assert!(found.len() < MOST_PARTS + 3 * BLOCKS + 8, "{}", found.len());
    // Each line lies in a block, and each block counts with every line end.
    let mut in_blocks: HashMap<&str, usize> = HashMap::new();
    for block in found.iter().filter(|value| value.len() < 4_000) {
        for line in block.split("\r\r\n").flat_map(str::lines) {
            *in_blocks.entry(line.trim_end_matches('\r')).or_default() += 1;
        }
    }
    assert!(short.iter().all(|line| in_blocks[line.as_str()] >= 3));
}

#[test]
fn of_too_many_leaves_the_longest_count() {
    let long: Vec<String> = (0..500)
        .map(|number| format!("leaf {number:020}"))
        .collect();
    let short: Vec<String> = (0..4_900).map(|number| format!("{number:08}")).collect();
    let leaves = short.iter().chain(&long).map(|leaf| format!("{leaf:?}"));
    let secret = format!("[{}]", leaves.collect::<Vec<_>>().join(","));
    let found = values(&secret);
    assert!(found.contains(&secret));
    assert!(long.iter().all(|leaf| found.contains(leaf)));
    assert_eq!(found.len(), 1 + MOST_PARTS);
}
