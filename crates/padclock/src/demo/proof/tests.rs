//! Each proof holds when it should, and only then.

use super::super::forms;
use super::super::search::control;
use super::super::value::sum;
use super::*;

const VALUE: &str = "Kq7\"zB4 m0X&p9R%w2L+e5T/y8U\\i3Oéa6S'd1F<g4H";

fn sums(entries: &[(Place, &str, usize)]) -> Sums {
    entries
        .iter()
        .map(|(place, value, count)| ((*place, sum(value.as_bytes())), *count))
        .collect()
}

#[test]
fn arrived_wants_the_value_every_time_in_each_place() {
    use Place::{Body, Header, Query};
    type Arrivals<'a> = &'a [(Place, &'a str, usize)];
    let cases: &[(Arrivals<'_>, bool)] = &[
        (
            &[(Header, VALUE, 3), (Query, VALUE, 3), (Body, VALUE, 3)],
            true,
        ),
        (
            &[(Header, VALUE, 5), (Query, VALUE, 5), (Body, VALUE, 5)],
            true,
        ),
        (
            &[(Header, VALUE, 3), (Query, VALUE, 3), (Body, VALUE, 2)],
            false,
        ),
        (&[(Header, VALUE, 3), (Query, VALUE, 3)], false),
        (
            &[(Header, VALUE, 3), (Query, VALUE, 3), (Body, "another", 3)],
            false,
        ),
        (
            &[
                (Header, VALUE, 3),
                (Header, "another", 1),
                (Query, VALUE, 4),
                (Body, VALUE, 4),
            ],
            false,
        ),
        (&[], false),
    ];
    for (number, (entries, holds)) in cases.iter().enumerate() {
        let proof = arrived(&sums(entries), &sum(VALUE.as_bytes()), 3, Style::PLAIN);
        assert_eq!(proof.holds, *holds, "case {number}: {}", proof.text);
        assert_eq!(
            proof.text.contains("NOT THE VALUE'S"),
            !holds,
            "case {number}"
        );
    }
}

fn swept(text: &str) -> Sweep {
    let search = Search::new(&forms::all(VALUE));
    Sweep::new(
        &search,
        "stored",
        "1 file".to_owned(),
        "demo-sync",
        &[("a.db".to_owned(), text.into())],
    )
}

fn proved(sweeps: &[Sweep]) -> Proof {
    let search = Search::new(&forms::all(VALUE));
    let control = control(&search, &forms::all(VALUE), b"filler");
    nowhere_else(&search, &control, sweeps, Style::PLAIN)
}

#[test]
fn nowhere_else_wants_every_place_read_and_clean() {
    assert!(proved(&[swept("job demo-sync, key [REDACTED:demo-key]")]).holds);
    let hex: String = VALUE.bytes().map(|byte| format!("{byte:02x}")).collect();
    let leaked = proved(&[swept("demo-sync"), swept(&format!("demo-sync {hex}"))]);
    assert!(
        !leaked.holds && leaked.text.contains("in a.db, byte 10: hex, lower case"),
        "{}",
        leaked.text
    );
    let unread = proved(&[swept("demo-sync"), swept("")]);
    assert!(
        !unread.holds && unread.text.contains("NOT READ"),
        "{}",
        unread.text
    );
    assert!(!proved(&[]).holds, "nothing was searched");
}

#[test]
fn nowhere_else_wants_a_search_that_can_find() {
    let forms = forms::all(VALUE);
    let search = Search::new(&forms[..1]);
    let proof = nowhere_else(
        &search,
        &control(&search, &forms, b"filler"),
        &[swept("demo-sync")],
        Style::PLAIN,
    );
    assert!(
        !proof.holds && proof.text.contains("THE SEARCH IS BLIND"),
        "{}",
        proof.text
    );
}

#[test]
fn a_proof_never_repeats_what_was_found() {
    let leaked = proved(&[swept(&format!("demo-sync {VALUE}"))]);
    let search = Search::new(&forms::all(VALUE));
    assert_eq!(search.find(leaked.text.as_bytes()), None, "{}", leaked.text);
}

#[test]
fn lines_fit_the_screen() {
    let proof = proved(&[swept("demo-sync")]);
    assert!(
        proof.text.lines().all(|line| line.chars().count() <= 80),
        "{}",
        proof.text
    );
}
