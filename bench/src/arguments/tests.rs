//! Command lines, and what they mean.

use super::{NAMES, Options};

fn read(line: &str) -> Result<Options, String> {
    let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    Options::read(&words).map_err(|error| error.to_string())
}

#[test]
fn names_and_options_in_any_order() {
    let options = read("--quick p1 --jobs 2_000 p3").unwrap();
    assert_eq!(options.names, ["p1", "p3"]);
    assert!(options.quick);
    assert_eq!(
        (options.jobs(), options.rounds(), options.period()),
        (2_000, 3, 12)
    );
    assert_eq!(read("all").unwrap().names, NAMES);
}

#[test]
fn without_quick_the_sizes_are_those_of_the_record() {
    let options = read("p2").unwrap();
    assert_eq!(
        (options.jobs(), options.stored_jobs(), options.rounds()),
        (50_000, 1_000_000, 5)
    );
}

#[test]
fn what_is_not_understood_is_told() {
    for (line, part) in [
        ("", "name a benchmark"),
        ("p4", "\"p4\" is not understood"),
        ("p1 --jobs", "--jobs wants a value"),
        ("p1 --rounds 0", "above 0"),
        ("p1 --period soon", "whole number"),
    ] {
        assert!(read(line).unwrap_err().contains(part), "{line}");
    }
}
