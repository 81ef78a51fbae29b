//! Ambiguous and open walks.

use super::*;

fn end(value: &str, text: &str) -> Option<usize> {
    walk(value.as_bytes(), 0, text.as_bytes(), 0).end
}

#[test]
fn every_way_is_followed_and_the_furthest_end_counts() {
    for (value, text, expected) in [
        ("abc", "abc", Some(3)),
        ("abc", "abd", None),
        (r"\\", r"\\\\", Some(4)),
        (r"a\nb", r"a\nb", Some(4)),
        (r"a\nb", r"a\\nb", Some(5)),
        ("a\nb", r"a\nb", Some(4)),
        ("%41", "%41", Some(3)),
        ("%41", "%2541", Some(5)),
        ("%41", "%25%34%31", Some(9)),
        ("a+b", "a+b", Some(3)),
        ("a b", "a+b", Some(3)),
        ("&amp;", "&amp;", Some(5)),
        ("&amp;", "&amp;amp;", Some(9)),
        ("it's", "it''s", Some(5)),
        ("it''s", "it''s", Some(5)),
        ("\x001", r"\x001", Some(5)),
        ("é", r"\xe9", Some(4)),
        ("é", r"\xc3\xa9", Some(8)),
        ("é", r"\303\251", Some(8)),
    ] {
        assert_eq!(end(value, text), expected, "{value:?} in {text:?}");
    }
}

#[test]
fn a_walk_that_runs_out_of_text_is_open() {
    for (value, text, open) in [
        ("secret", "sec", true),
        ("secret", "secret", false),
        ("secret", "sex", false),
        ("se&ret", "se&am", true),
        ("se&ret", "se&#", true),
        ("se&ret", "se%2", true),
        ("se&ret", "se\\u0", true),
        ("se&ret", "se&amp;", true),
        ("se&ret", "sex&am", false),
    ] {
        let reach = walk(value.as_bytes(), 0, text.as_bytes(), 0);
        assert_eq!(reach.open, open, "{value:?} in {text:?}");
    }
}

/// Both readings at every step: ways double, places don't.
#[test]
fn ambiguity_costs_little() {
    let value = "\\".repeat(400);
    let text = "\\".repeat(800);
    assert_eq!(end(&value, &text), Some(800));
}
