//! Segment borders, and dot-segments in every disguise.

use proptest::prelude::*;

use super::{decode, has_dot_segment, is_below};

#[test]
fn a_prefix_ends_at_a_segment_border() {
    let cases = [
        ("/v1", "/v1", true),
        ("/v1/", "/v1", true),
        ("/v1/x", "/v1", true),
        ("/v1//x", "/v1", true),
        ("/v1x", "/v1", false),
        ("/v1.", "/v1", false),
        ("/v1%2fx", "/v1", false),
        ("/v1;a", "/v1", false),
        ("/v1?x", "/v1", false),
        ("/v1#x", "/v1", false),
        ("/V1", "/v1", false),
        ("/v", "/v1", false),
        ("", "/v1", false),
        ("//v1", "/v1", false),
        ("/x/v1", "/v1", false),
        ("/v1", "/v1/", false),
        ("/v1/", "/v1/", true),
        ("/v1/x", "/v1/", true),
        ("/v1x", "/v1/", false),
        ("/", "/", true),
        ("/anything", "/", true),
        ("anything", "/", false),
    ];
    for (path, prefix, expected) in cases {
        assert_eq!(is_below(path, prefix), expected, "{path} below {prefix}");
    }
}

#[test]
fn dot_segments_are_seen_in_each_disguise() {
    let disguised = [
        "/.",
        "/..",
        "/./x",
        "/../x",
        "/v1/../x",
        "/v1/..",
        "/v1/%2e%2e/x",
        "/v1/%2E%2E/x",
        "/v1/.%2e/x",
        "/v1/%2e./x",
        "/v1/%2e/x",
        "/v1/%252e%252e/x",
        "/v1/%252e./x",
        "/v1/%25252e%25252e/x",
        "/v1/..%2fx",
        "/v1/..%2Fx",
        "/v1/%2e%2e%2fx",
        "/v1/x%2f..%2fy",
        "/v1/x%252f..%252fy",
        "/v1/..\\x",
        "/v1/..%20/x",
        "/v1/%09../x",
        "/v1/..%00",
        "/v1/%c0%ae%c0%ae/x",
        "/v1/..%c0%afx",
        "/v1/x%C1%9C..",
        "/v1/..%5cx",
        "/v1/x%5c..",
        "/v1/..;/x",
        "/v1/..;a=b/x",
        "/v1/%2e%2e;/x",
        "/v1/..%3b/x",
        "/v1/%25%32%65%25%32%65/x",
        "/v1/%2525252525252e/x",
    ];
    for path in disguised {
        assert!(has_dot_segment(path), "{path}");
    }
}

#[test]
fn dots_within_a_name_are_not_segments() {
    let plain = [
        "",
        "/",
        "/v1",
        "/v1/x.json",
        "/v1/.well-known",
        "/v1/...",
        "/v1/..x",
        "/v1/x..",
        "/v1/a..b/c",
        "/v1/%20",
        "/v1/100%25",
        "/v1/%",
        "/v1/%2",
        "/v1/%zz",
        "/v1/x%2ey",
        "/v1/a;b=..",
        "/v1/%2e%2ex",
    ];
    for path in plain {
        assert!(!has_dot_segment(path), "{path}");
    }
}

#[test]
fn decoding_undoes_one_layer() {
    let cases: [(&str, &[u8]); 6] = [
        ("%41%42", b"AB"),
        ("%2541", b"%41"),
        ("%ff", b"\xff"),
        ("%", b"%"),
        ("%4", b"%4"),
        ("%+1%4g%%41", b"%+1%4g%A"),
    ];
    for (text, expected) in cases {
        assert_eq!(decode(text.as_bytes()), expected, "{text}");
    }
}

fn encoded(byte: u8, layers: u8) -> String {
    (0..layers).fold(char::from(byte).to_string(), |text, layer| match layer {
        0 => format!("%{byte:02x}"),
        _ => text.replace('%', "%25"),
    })
}

proptest! {
    #[test]
    fn no_encoding_hides_a_dot_segment(
        before in "(/[a-z]{1,4}){0,3}",
        first in 0_u8..4,
        second in 0_u8..4,
        slash in 0_u8..4,
        after in "[a-z]{0,4}",
    ) {
        let (a, b) = (encoded(b'.', first), encoded(b'.', second));
        let slash = encoded(b'/', slash);
        let double_dot = format!("{before}/{a}{b}{slash}{after}");
        let single_dot = format!("{before}/{a}{slash}{after}");
        prop_assert!(has_dot_segment(&double_dot), "{double_dot}");
        prop_assert!(has_dot_segment(&single_dot), "{single_dot}");
    }

    #[test]
    fn no_path_panics(path in "[/.%25eEfF\\\\;\\PC]{0,60}", prefix in "/[a-z/]{0,9}") {
        let seen = has_dot_segment(&path);
        prop_assert!(seen || !path.split('/').any(|segment| segment == ".."));
        prop_assert!(!is_below(&path, &prefix) || path.starts_with(&prefix));
    }
}
