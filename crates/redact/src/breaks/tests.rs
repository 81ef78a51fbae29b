//! Which runs are joined, and where their characters come from.

use super::*;

const VALUE: &[u8] = b"a value that is long enough";

fn runs(text: &str, from: usize) -> Vec<(String, Range<usize>)> {
    let values = Values::new([("X", VALUE)]);
    let mut found = Vec::new();
    Breaks::default().each_run(&values, text.as_bytes(), from, |joined| {
        let whole = 0..joined.text.len();
        found.push((
            String::from_utf8(joined.text.clone()).unwrap(),
            joined.origin(&whole),
        ));
    });
    found
}

/// The value's base64 form, which needs no padding.
const ENCODED: &str = "YSB2YWx1ZSB0aGF0IGlzIGxvbmcgZW5vdWdo";

#[test]
fn a_broken_value_is_joined_wherever_it_is_broken() {
    for place in 0..=ENCODED.len() {
        let (first, second) = ENCODED.split_at(place);
        for end in ["\n", "\r\n", "\r\r\n"] {
            let text = format!("x: ab{first}{end}{second}cd.");
            assert_eq!(
                runs(&text, 0),
                [(format!("ab{ENCODED}cd"), 3..text.len() - 1)],
                "{place}"
            );
        }
    }
}

#[test]
fn many_short_lines_are_one_run() {
    let lines: Vec<&str> = ENCODED
        .as_bytes()
        .chunks(5)
        .map(|line| str::from_utf8(line).unwrap())
        .collect();
    let text = format!("{}\n.", lines.join("\r\n"));
    assert_eq!(runs(&text, 0), [(ENCODED.to_owned(), 0..text.len() - 2)]);
    assert_eq!(
        runs(&text, 20),
        [(ENCODED.to_owned(), 0..text.len() - 2)],
        "the run goes back beyond the start"
    );
}

#[test]
fn padding_belongs_to_a_run_and_ends_it() {
    assert_eq!(
        runs("YSB2YWx1Z\nSB0aGF0==\nabcd", 0),
        [("YSB2YWx1ZSB0aGF0==".to_owned(), 0..19)]
    );
}

#[test]
fn other_line_ends_are_not_joined() {
    let first = &ENCODED[..20];
    let second = &ENCODED[20..];
    for text in [
        "a log line ends 200\n2026-03-15 begins another\nand one more\n".to_owned(),
        format!("{first}\n\n{second}"),
        format!("{first}\n {second}"),
        format!("{first} \n{second}"),
        format!("{first}\r\r\r\n{second}"),
        format!("{first}\r{second}"),
        format!("{first}=\n{second}"),
        format!("\n{first}{second}\n"),
    ] {
        assert_eq!(runs(&text, 0), [], "{text:?}");
    }
}

#[test]
fn lines_inside_a_find_have_four_characters() {
    let values = Values::new([("X", VALUE)]);
    let text = b"YSB2YWx1Z\nSB0\naGF0IGlz.";
    Breaks::default().each_run(&values, text, 0, |joined| {
        assert!(joined.lines_are_long(&(0..12)));
        assert!(
            joined.lines_are_long(&(9..20)),
            "a line end before the range is not inside it"
        );
        assert!(!joined.lines_are_long(&(8..13)));
    });
}
