//! A value that a person types, and one that is piped.

use clap::Parser;
use padclock_vault::Value;

use super::ValueArgs;
use crate::cronctl::failure::Failure;
use crate::cronctl::output::tests::{Paper, output};
use crate::cronctl::session::tests::Person;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    value: ValueArgs,
}

fn read(args: &[&str], mut person: Person) -> (Result<Value, Failure>, String) {
    let line = Line::try_parse_from(["x"].iter().chain(args)).unwrap();
    let paper = Paper::default();
    let value = line
        .value
        .read(&mut person, &mut output(&paper, true, false));
    assert_eq!(paper.data(), "");
    (value, paper.notes())
}

#[test]
fn a_person_types_it_twice() {
    let (value, notes) = read(&[], Person::types(&["sk_live_1\t", "sk_live_1\t"]));
    assert_eq!(value.unwrap(), Value::new("sk_live_1\t"));
    assert_eq!(notes, "");
    for lines in [
        &["sk_live_1", "sk_live_2"][..],
        &["sk_live_1"],
        &[""],
        &["", "sk_live_1"],
    ] {
        let (value, notes) = read(&[], Person::types(lines));
        let Err(Failure::Usage(text)) = value else {
            panic!("two different values were taken")
        };
        assert!(!text.contains("sk_live") && !notes.contains("sk_live"));
    }
}

#[test]
fn a_pipe_is_not_asked() {
    let (value, _) = read(&[], Person::pipes("sk_live_1\n"));
    assert_eq!(value.unwrap(), Value::new("sk_live_1"));
    // On a terminal `--stdin` takes what is typed up to the end of input.
    let (value, _) = read(
        &["--stdin"],
        Person {
            terminal: true,
            ..Person::pipes("sk_live_1\n")
        },
    );
    assert_eq!(value.unwrap(), Value::new("sk_live_1"));
}

#[test]
fn one_line_end_is_dropped_and_no_more() {
    let table = [
        ("ab", "ab"),
        ("ab\n", "ab"),
        ("ab\r\n", "ab"),
        ("ab\n\n", "ab\n"),
        ("ab\r", "ab\r"),
        ("ab\n\r\n", "ab\n"),
        ("\nab", "\nab"),
    ];
    for (piped, taken) in table {
        assert_eq!(
            read(&[], Person::pipes(piped)).0.unwrap(),
            Value::new(taken),
            "{piped:?}"
        );
        assert_eq!(
            read(&["--keep-newline"], Person::pipes(piped)).0.unwrap(),
            Value::new(piped),
            "{piped:?}"
        );
    }
}

#[test]
fn the_command_line_shows_nothing_of_it_but_a_warning() {
    let line = Line::try_parse_from(["x", "--value", "sk_live_1"]).unwrap();
    assert!(!format!("{line:?}").contains("sk_live"));
    let (value, notes) = read(&["--value", "sk_live_1\n"], Person::types(&[]));
    assert_eq!(value.unwrap(), Value::new("sk_live_1\n"));
    assert!(notes.starts_with("warning: ") && !notes.contains("sk_live"));
}
