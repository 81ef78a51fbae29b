//! Each form against what it must be, written out or made by the encoder that others use.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD as ENCODER, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::*;

/// `a"b&é'/\<+ %`, with everything in it that encoders differ on.
const VALUE: &str = "a\"b&é'/\\<+ %";

fn written(name: &str) -> String {
    let forms = all(VALUE);
    let form = forms
        .iter()
        .find(|form| form.name == name)
        .unwrap_or_else(|| panic!("no form {name}"));
    String::from_utf8_lossy(&form.bytes).into_owned()
}

#[test]
fn forms_are_what_others_write() {
    let cases: &[(&str, &str)] = &[
        ("as it is", VALUE),
        ("as it is, reversed", "% +<\\/'\u{fffd}\u{fffd}&b\"a"),
        ("characters reversed", "% +<\\/'é&b\"a"),
        (
            "percent, every byte, lower case",
            "%61%22%62%26%c3%a9%27%2f%5c%3c%2b%20%25",
        ),
        (
            "percent, form with +, upper case",
            "a%22b%26%C3%A9%27%2F%5C%3C%2B+%25",
        ),
        (
            "percent, of a path, upper case",
            "a%22b&%C3%A9'/%5C%3C+%20%25",
        ),
        (
            "percent, of a query, lower case",
            "a%22b%26%c3%a9'/%5c%3c%2b%20%25",
        ),
        ("JSON", "a\\\"b&é'/\\\\<+ %"),
        ("JSON with \\/", "a\\\"b&é'\\/\\\\<+ %"),
        ("JSON twice", "a\\\\\\\"b&é'/\\\\\\\\<+ %"),
        ("JSON in ASCII, lower case", "a\\\"b&\\u00e9'/\\\\<+ %"),
        ("JSON in ASCII, upper case", "a\\\"b&\\u00E9'/\\\\<+ %"),
        (
            "JSON safe in HTML, lower case",
            "a\\\"b\\u0026é\\u0027/\\\\\\u003c\\u002b %",
        ),
        (
            "JSON safe in HTML, in ASCII, upper case",
            "a\\u0022b\\u0026\\u00E9\\u0027/\\\\\\u003C\\u002B %",
        ),
        ("HTML", "a&quot;b&amp;é'/\\&lt;+ %"),
        ("HTML with &#39;", "a&quot;b&amp;é&#39;/\\&lt;+ %"),
        ("HTML with &#x27;", "a&quot;b&amp;é&#x27;/\\&lt;+ %"),
        ("XML", "a&quot;b&amp;é&apos;/\\&lt;+ %"),
        (
            "HTML, decimal",
            "a&#34;b&#38;&#233;&#39;&#47;&#92;&#60;&#43;&#32;&#37;",
        ),
        (
            "HTML, hex, lower case",
            "a&#x22;b&#x26;&#xe9;&#x27;&#x2f;&#x5c;&#x3c;&#x2b;&#x20;&#x25;",
        ),
        ("shell, '\\''", "a\"b&é'\\''/\\<+ %"),
        ("shell, '\"'\"'", "a\"b&é'\"'\"'/\\<+ %"),
        ("shell, in \"\"", "a\\\"b&é'/\\\\<+ %"),
        ("shell, backslashes", "a\\\"b\\&é\\'\\/\\\\\\<\\+\\ \\%"),
        ("literal with \\'", "a\\\"b&é\\'/\\\\<+ %"),
        (
            "literal with \\xNN, lower case",
            "a\\\"b&\\xc3\\xa9'/\\\\<+ %",
        ),
        ("literal with octal", "a\\\"b&\\303\\251'/\\\\<+ %"),
        ("literal with \\u{N}", "a\\\"b&\\u{e9}'/\\\\<+ %"),
        ("hex, lower case", "61226226c3a9272f5c3c2b2025"),
        ("hex, upper case", "61226226C3A9272F5C3C2B2025"),
        ("hex with colons", "61:22:62:26:c3:a9:27:2f:5c:3c:2b:20:25"),
        (
            "list of numbers",
            "97, 34, 98, 38, 195, 169, 39, 47, 92, 60, 43, 32, 37",
        ),
        (
            "JSON list of numbers",
            "97,34,98,38,195,169,39,47,92,60,43,32,37",
        ),
    ];
    for (name, expected) in cases {
        assert_eq!(written(name), *expected, "{name}");
    }
}

#[test]
fn base64_is_what_the_encoder_writes_whatever_stands_around() {
    for length in 1..40 {
        let value = &"q#Zé9_x~".repeat(5).into_bytes()[..length];
        for (front, back) in [
            ("", ""),
            ("a", ""),
            ("ab", "z"),
            ("abc", "yz"),
            ("user:", "xyz"),
            ("Basic x", "\0"),
        ] {
            let whole = [front.as_bytes(), value, back.as_bytes()].concat();
            let offset = front.len() % 3;
            let standard = String::from_utf8(base64_at(value, STANDARD, offset)).unwrap();
            assert!(
                ENCODER.encode(&whole).contains(&standard),
                "{length} bytes at {}",
                front.len()
            );
            let url = String::from_utf8(base64_at(value, URL_SAFE, offset)).unwrap();
            assert!(
                URL_SAFE_NO_PAD.encode(&whole).contains(&url),
                "{length} bytes at {}",
                front.len()
            );
            assert!(
                standard.len() * 6 + 10 >= length * 8,
                "as much of it as the value alone decides"
            );
        }
    }
}

#[test]
fn libraries_agree() {
    assert_eq!(
        written("percent, every byte, upper case").len(),
        3 * VALUE.len()
    );
    assert_eq!(
        written("JSON"),
        serde_json::to_string(VALUE).unwrap().trim_matches('"')
    );
    assert_eq!(
        written("literal with \\u{N}").replace("\\u{e9}", "é"),
        format!("{VALUE:?}").trim_matches('"')
    );
    assert_eq!(
        written("literal with \\xNN and \\'"),
        VALUE.as_bytes().escape_ascii().to_string()
    );
    let strict = utf8_percent_encode(VALUE, NON_ALPHANUMERIC).to_string();
    assert_eq!(written("percent, strict, upper case"), strict);
    assert_eq!(
        written("list of numbers"),
        format!("{:?}", VALUE.as_bytes()).trim_matches(['[', ']'])
    );
    assert_eq!(
        written("JSON list of numbers"),
        serde_json::to_string(VALUE.as_bytes())
            .unwrap()
            .trim_matches(['[', ']'])
    );
}

#[test]
fn each_form_has_its_reverse_and_a_name_of_its_own() {
    let forms = all(VALUE);
    let names: std::collections::BTreeSet<_> =
        forms.iter().map(|form| form.name.as_str()).collect();
    assert_eq!(names.len(), forms.len());
    for form in forms.iter().filter(|form| !form.name.contains("reversed")) {
        let back = forms
            .iter()
            .find(|other| other.name == format!("{}, reversed", form.name))
            .unwrap();
        assert!(
            form.bytes.iter().eq(back.bytes.iter().rev()),
            "{}",
            form.name
        );
    }
}
