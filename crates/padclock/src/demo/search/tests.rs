//! The search finds each form, whole and in pieces, where it stands; and it is silent elsewhere.

use proptest::prelude::*;

use super::super::{forms, value::Planted};
use super::*;

const VALUE: &str = "Kq7\"zB4 m0X&p9R%w2L+e5T/y8U\\i3Oéa6S'd1F<g4H";
const FILLER: &[u8] = b"2026-11-20T10:00:00Z TRACE worker: completed exec_01K, status=200 %22 &quot; \\u0022 [1, 2, 3] aGVsbG8gd29ybGQ= 68656c6c6f";

#[test]
fn every_form_is_found_at_its_place_by_a_search_for_it_alone() {
    for form in forms::all(VALUE) {
        let control = control(
            &Search::new(std::slice::from_ref(&form)),
            std::slice::from_ref(&form),
            FILLER,
        );
        assert!(control.passed(), "{}", form.name);
    }
}

#[test]
fn any_twelve_bytes_are_enough_and_eleven_are_not() {
    let search = Search::new(&forms::all(VALUE));
    let value = VALUE.as_bytes();
    for start in 0..=value.len() - GRAM {
        let piece = [b"....", &value[start..start + GRAM], b"...."].concat();
        assert_eq!(
            search.find(&piece).map(|find| find.at),
            Some(4),
            "from {start}"
        );
    }
    let raw = [form("as it is", VALUE)];
    assert_eq!(Search::new(&raw).find(&value[..GRAM - 1]), None);
}

fn form(name: &str, bytes: &str) -> Form {
    Form {
        name: name.to_owned(),
        bytes: bytes.into(),
    }
}

#[test]
fn texts_at_the_edges_and_short_ones() {
    let search = Search::new(&[form("as it is", "0123456789ab")]);
    assert_eq!(search.find(b""), None);
    assert_eq!(search.find(b"0123456789a"), None);
    assert_eq!(
        search.find(b"0123456789ab"),
        Some(Find {
            form: "as it is",
            at: 0
        })
    );
    assert_eq!(
        search.find(b"-0123456789ab"),
        Some(Find {
            form: "as it is",
            at: 1
        })
    );
    assert_eq!(
        search.find(b"0123456789aB0123456789ab").map(|find| find.at),
        Some(12)
    );
}

#[test]
fn a_search_that_lacks_forms_fails_its_control() {
    let planted = forms::all(Planted::control().unwrap().text());
    let whole = control(&Search::new(&planted), &planted, FILLER);
    assert!(whole.passed(), "{:?}", whole.missed);
    for family in ["base64", "base64url", "hex", "UTF-16", "list"] {
        let (missing, others): (Vec<_>, Vec<_>) = planted
            .iter()
            .cloned()
            .partition(|form| form.name.starts_with(family));
        let lame = control(&Search::new(&others), &planted, FILLER);
        assert!(!lame.passed(), "without {family}");
        for missed in &lame.missed {
            assert!(
                missing.iter().any(|form| form.name == *missed),
                "without {family}: {missed}"
            );
        }
    }
}

#[test]
fn a_false_alarm_fails_the_control() {
    let search = Search::new(&[form("as it is", "status=200 %22")]);
    let control = control(&search, &[], FILLER);
    assert!(control.false_alarm && !control.passed());
}

#[test]
fn a_control_without_plants_proves_nothing() {
    assert!(!control(&Search::new(&[]), &[], FILLER).passed());
}

proptest! {
    #[test]
    fn it_finds_what_a_plain_comparison_finds(value in "[a-c]{12,20}", text in "[a-c]{0,400}", at in any::<prop::sample::Index>(), planted: bool) {
        let mut text = text;
        if planted {
            text.insert_str(at.index(text.len() + 1), &value);
        }
        let grams: Vec<&[u8]> = value.as_bytes().windows(GRAM).collect();
        let plain = text.as_bytes().windows(GRAM).position(|window| grams.contains(&window));
        let search = Search::new(&[form("as it is", &value)]);
        prop_assert_eq!(search.find(text.as_bytes()).map(|find| find.at), plain);
    }
}
