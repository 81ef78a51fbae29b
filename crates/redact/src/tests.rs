//! The redactor as a whole: a table of every form of the contract, how finds become placeholders, and the properties.

use std::borrow::Cow;

use ::base64::Engine as _;
use ::base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use proptest::prelude::*;

use crate::Redactor;
use crate::check::{Case, check, in_pieces, reference};

mod forms;

/// Has something for every encoder to escape.
const KEY: &str = "p&ss/w<o>r'd\"+\\ é=100%\t😀~";

fn key() -> Redactor {
    Redactor::new([("KEY", KEY.as_bytes())])
}

fn redacted(redactor: &Redactor, text: &[u8]) -> String {
    let whole = redactor.redact(text).into_owned();
    for cuts in [[1, 1], [7, 0x80 | 3], [0x81, 0x81]] {
        assert_eq!(in_pieces(redactor, text, &cuts), whole, "cuts {cuts:?}");
    }
    String::from_utf8(whole).unwrap()
}

#[track_caller]
fn gone(redactor: &Redactor, encoded: &str) {
    let text = format!("before: {encoded} :after");
    assert_eq!(
        redacted(redactor, text.as_bytes()),
        "before: [REDACTED:KEY] :after",
        "{encoded}"
    );
}

#[test]
fn short_values() {
    let redactor = Redactor::new([
        ("ONE", b"abc".as_slice()),
        ("TWO", b"a&cd"),
        ("SIX", b"seven77"),
    ]);
    assert_eq!(
        redacted(&redactor, b"abc a&cd xa&cdx"),
        "abc [REDACTED:TWO] x[REDACTED:TWO]x"
    );
    assert_eq!(
        redacted(&redactor, b"a%26cd seven77"),
        "a%26cd [REDACTED:SIX]"
    );
    assert_eq!(
        redacted(&redactor, STANDARD.encode("seven77").as_bytes()),
        "c2V2ZW43Nw=="
    );
    assert!(Redactor::new([("ONE", b"abc".as_slice())]).is_empty());
    let none = Redactor::none();
    assert!(none.is_empty() && matches!(none.redact(b"abc"), Cow::Borrowed(b"abc")));
    assert_eq!(in_pieces(&none, b"abc", &[0x81]), b"abc");
}

#[test]
fn overlapping_and_touching_finds_are_one() {
    let secrets: [(&str, &[u8]); 4] = [
        ("A", b"abcdefgh"),
        ("B", b"efghijkl"),
        ("C", b"mnopqrst"),
        ("LONG", b"abcdefghij"),
    ];
    let redactor = Redactor::new(secrets);
    for (text, output) in [
        ("xabcdefghy", "x[REDACTED:A]y"),
        ("xabcdefghijkly", "x[REDACTED:LONG]y"),
        ("xefghijklmnopqrsty", "x[REDACTED:B]y"),
        ("mnopqrstefghijkl", "[REDACTED:C]"),
        ("mnopqrst efghijkl", "[REDACTED:C] [REDACTED:B]"),
        ("mnopqrstmnopqrst", "[REDACTED:C]"),
    ] {
        assert_eq!(redacted(&redactor, text.as_bytes()), output);
    }
    let itself = Redactor::new([("R", b"ababab--".as_slice()), ("S", b"aaaaaaaa")]);
    assert_eq!(
        redacted(&itself, b"abababab--aaaaaaaaaaa"),
        "ab[REDACTED:R]"
    );
}

#[test]
fn the_first_name_of_a_value_counts() {
    let redactor = Redactor::new([("A", b"same value".as_slice()), ("B", b"same value")]);
    assert_eq!(redacted(&redactor, b"same value"), "[REDACTED:A]");
}

#[test]
fn text_without_a_value_is_borrowed() {
    for text in [
        "",
        "p",
        "nothing here",
        "p&amp;ss/w&lt;o",
        "%70%26ss",
        "cCZzcy93PG8+cid",
        "\\u0070",
    ] {
        assert!(
            matches!(key().redact(text.as_bytes()), Cow::Borrowed(_)),
            "{text}"
        );
        assert!(matches!(key().redact_str(text), Cow::Borrowed(_)), "{text}");
    }
    assert_eq!(key().redact_str(&format!("é{KEY}é")), "é[REDACTED:KEY]é");
}

#[test]
fn a_string_stays_a_string() {
    let redactor = Redactor::new([("HALF", b"\xa9secret\xc3".as_slice())]);
    assert_eq!(
        redactor.redact_str("ésecreté"),
        "\u{fffd}[REDACTED:HALF]\u{fffd}"
    );
}

#[test]
fn idle_flush_keeps_only_what_may_go_on() {
    let redactor = Redactor::new([("KEY", b"secret&value".as_slice())]);
    let encoded = STANDARD.encode("secret&value");
    for (text, kept) in [
        ("a line of log", ""),
        ("a line with secre", "secre"),
        ("a line with secret%2", "secret%2"),
        ("a line with secret\\u00", "secret\\u00"),
        ("a line with secret&am", "secret&am"),
        ("a line with secret&value", ""),
        ("hex: 7365", "7365"),
        (&format!("b64 {}", &encoded[..8]), &encoded[..8]),
        (
            &format!("b64 {}\n", &encoded[..8]),
            &format!("{}\n", &encoded[..8]),
        ),
    ] {
        let (mut stream, mut out) = (redactor.stream(), Vec::new());
        stream.push(text.as_bytes(), &mut out);
        stream.idle_flush(&mut out);
        let flushed = text
            .strip_suffix(kept)
            .unwrap()
            .replace("secret&value", "[REDACTED:KEY]");
        assert_eq!(String::from_utf8(out).unwrap(), flushed);
    }
}

#[test]
fn a_stream_holds_back_no_more_than_it_says() {
    let redactor = key();
    let (mut stream, mut out) = (redactor.stream(), Vec::new());
    for _ in 0..100 {
        stream.push(&[b'.'; 100], &mut out);
    }
    assert!(out.len() > 10_000 - 12 * KEY.len() - 256, "{}", out.len());
}

#[test]
fn debug_shows_counts() {
    let redactor = key();
    let mut stream = redactor.stream();
    stream.push(b"text", &mut Vec::new());
    assert_eq!(format!("{redactor:?}"), "Redactor { values: 2, .. }");
    assert_eq!(format!("{stream:?}"), "Stream { held: 4, .. }");
}

/// Numbers that look random, the same each time.
fn numbers() -> impl FnMut() -> u8 {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    }
}

#[test]
fn large_sets_find_each_of_their_values_in_each_form() {
    let mut number = numbers();
    for head in [
        "",
        "sk_live_the_same_head_for_all_",
        "0123456789012345678901234567890123456789",
    ] {
        let values: Vec<String> = (0..250)
            .map(|_| {
                head.chars()
                    .chain((0..10 + number() % 9).map(|_| char::from(b'!' + number() % 90)))
                    .collect()
            })
            .collect();
        let redactor = Redactor::new(values.iter().map(|value| ("KEY", value.as_bytes())));
        for value in &values {
            for encoded in [
                value.clone(),
                STANDARD.encode(value),
                URL_SAFE_NO_PAD.encode(value),
                percent_encode(value.as_bytes(), NON_ALPHANUMERIC).to_string(),
                value.bytes().map(|byte| format!("{byte:02X}")).collect(),
            ] {
                let text = format!("before: {encoded} :after");
                assert_eq!(
                    redactor.redact_str(&text),
                    "before: [REDACTED:KEY] :after",
                    "{encoded}"
                );
            }
        }
        assert!(matches!(
            redactor.redact(head.repeat(3).as_bytes()),
            Cow::Borrowed(_)
        ));
    }
}

fn secrets() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let tame = "[a-c%&'+/ =\\\\]{4,30}".prop_map(String::into_bytes);
    let wild = proptest::collection::vec(any::<u8>(), 0..40);
    proptest::collection::vec(prop_oneof![tame, wild], 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_cut_gives_what_the_reference_gives(data in proptest::collection::vec(any::<u8>(), 0..220)) {
        check(&Case::from_bytes(&data));
    }

    #[test]
    fn hidden_values_are_gone(
        secrets in secrets(),
        hidden in proptest::collection::vec((any::<u8>(), any::<u8>(), any::<u64>(), ".{0,9}"), 0..6),
        cuts in proptest::collection::vec(any::<u8>(), 1..9),
    ) {
        let secrets = secrets.into_iter().enumerate().map(|(number, value)| (format!("S{number}"), value));
        let mut case = Case { secrets: secrets.collect(), cuts, ..Case::default() };
        for (which, encoding, seed, filler) in hidden {
            case.text.extend_from_slice(filler.as_bytes());
            case.hide(which, encoding, seed);
        }
        check(&case);
    }

    #[test]
    fn texts_without_values_stay(text in proptest::collection::vec(any::<u8>(), 0..600), cuts in proptest::collection::vec(any::<u8>(), 1..9)) {
        let redactor = Redactor::new([("A", b"a value that is not there".as_slice()), ("B", b"nor%this")]);
        prop_assert!(matches!(redactor.redact(&text), Cow::Borrowed(_)));
        prop_assert_eq!(in_pieces(&redactor, &text, &cuts), text);
    }
}

/// What earlier runs of the properties and the fuzz target found.
#[test]
fn found_before() {
    let hidden = 10..25;
    let case = Case {
        secrets: vec![("S0".into(), b"\xa0aaaaaaa".to_vec())],
        text: b"aaaaaaaaa\\\xa0aaaa&#X0061;aa".to_vec(),
        hidden: vec![hidden; 1],
        cuts: vec![3],
    };
    check(&case);
    assert_eq!(reference(&case), b"aaaaaaaaa[REDACTED:S0]");
}
