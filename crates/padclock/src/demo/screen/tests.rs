//! Numbers and colours.

use super::*;

#[test]
fn numbers_are_grouped() {
    for (number, text) in [
        (0, "0"),
        (7, "7"),
        (999, "999"),
        (1000, "1,000"),
        (123_456, "123,456"),
        (1_234_567, "1,234,567"),
    ] {
        assert_eq!(grouped(number), text);
    }
}

#[test]
fn colours_only_where_they_are_wanted() {
    assert_eq!(Style::PLAIN.good("fine"), "fine");
    assert_eq!(
        Style { color: true }.good("fine"),
        "\u{1b}[32mfine\u{1b}[0m"
    );
}
