//! What parses to what, what does not and where, and that nothing panics.

use proptest::prelude::*;

use super::*;

#[test]
fn same_meaning() {
    for (a, b) in [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
        (" @Daily ", "0 0 * * *"),
        ("0 0 * * MON-FRI", "0 0 * * 1-5"),
        ("0 0 * jan,DEC *", "0 0 * 1,12 *"),
        ("0 0 * * 7", "0 0 * * 0"),
        ("0 0 * * fri-sun", "0 0 * * 5,6,0"),
        ("0 0 ? * *", "0 0 * * *"),
        ("0 0 ? * ?", "0 0 * * *"),
        ("  0\t0  *   * *\n", "0 0 * * *"),
        ("1,1,1 0 * * *", "1 0 * * *"),
        ("05 09 * * *", "5 9 * * *"),
        ("0 0 * * SUN#1", "0 0 * * 7#1"),
        ("0 0 * * 7L", "0 0 * * 0l"),
        ("0 0 * * 0-7", "0 0 * * 0-6"),
    ] {
        assert_eq!(fields(a), fields(b), "{a} and {b}");
    }
}

#[test]
fn five_fields_are_six_with_second_zero() {
    let (five, mut six) = (fields("5 4 * * *"), fields("0 5 4 * * *"));
    assert!(six.with_seconds && !five.with_seconds);
    six.with_seconds = false;
    assert_eq!(five, six);
}

#[test]
fn which_expressions_float() {
    for text in [
        "* 2 * * *",
        "0 * * * *",
        "*/5 2 * * *",
        "0 2-4/2 * * *",
        "H/5 2 * * *",
        "@hourly",
        "* 0 2 * * *",
        "0,*/7 2 * * *",
    ] {
        assert!(fields(text).floating, "{text}");
    }
    for text in [
        "0 2 * * *",
        "0,30 2 * * *",
        "0-10 2-3 */2 * */3",
        "H H * * *",
        "@daily",
        "5 0 2 * * *",
        "H(0-9) 2 * * *",
    ] {
        assert!(!fields(text).floating, "{text}");
    }
}

#[test]
fn errors_say_where() {
    for (text, code, position) in [
        ("", "empty", 0),
        ("   ", "empty", 0),
        ("* * * *", "field_count", 0),
        ("  * * * * * * *", "field_count", 2),
        ("@reboot", "unknown_nickname", 0),
        (" @every 5m", "unknown_nickname", 1),
        ("60 * * * *", "out_of_range", 0),
        ("0 24 * * *", "out_of_range", 2),
        ("0 0 0 * *", "out_of_range", 4),
        ("0 0 32 * *", "out_of_range", 4),
        ("0 0 1 13 *", "out_of_range", 6),
        ("0 0 * * 8", "out_of_range", 8),
        ("0 0 * * 1,2,9", "out_of_range", 12),
        ("0 99999999999 * * *", "out_of_range", 2),
        ("0 0 * * MOND", "bad_value", 8),
        ("0 0 * FOO *", "bad_value", 6),
        ("0 0 * MON *", "bad_value", 6),
        ("a * * * *", "bad_value", 0),
        ("-1 * * * *", "bad_value", 0),
        ("+1 * * * *", "bad_value", 0),
        ("1- * * * *", "bad_value", 2),
        ("1.5 * * * *", "bad_value", 0),
        ("1,,2 * * * *", "bad_list", 2),
        ("1, * * * *", "bad_list", 2),
        ("*/0 * * * *", "bad_step", 2),
        ("*/60 * * * *", "bad_step", 2),
        ("*/ * * * *", "bad_step", 2),
        ("*/+5 * * * *", "bad_step", 2),
        ("5/10 * * * *", "bad_step", 1),
        ("*/5/2 * * * *", "bad_step", 2),
        ("30-10 * * * *", "bad_range", 0),
        ("0 22-5 * * *", "bad_range", 2),
        ("0 0 * * FRI-MON", "bad_range", 8),
        ("0 0 * * L", "bad_value", 8),
        ("0 0 * * 5#6", "out_of_range", 10),
        ("0 0 * * 5#0", "out_of_range", 10),
        ("0 0 32W * *", "out_of_range", 4),
        ("0 0 W * *", "bad_value", 4),
        ("L * * * *", "bad_value", 0),
        ("? * * * *", "bad_value", 0),
        ("H( * * * *", "bad_hash", 0),
        ("H(5) * * * *", "bad_hash", 0),
        ("H(0-60) * * * *", "out_of_range", 4),
        ("HH * * * *", "bad_hash", 0),
        ("H(9-3) * * * *", "bad_range", 2),
        ("0 0 * * ü", "bad_value", 8),
        ("0 0 31 2 *", "never_fires", 0),
        ("0 0 30 2 *", "never_fires", 0),
        (" 0 0 31 2,4,6,9,11 *", "never_fires", 1),
        ("0 0 30W 2 ?", "never_fires", 0),
    ] {
        let errors = parse(text, "cj").unwrap_err();
        assert_eq!(
            (errors[0].code, errors[0].position),
            (code, position),
            "{text}: {errors:?}"
        );
        assert!(!errors[0].message.is_empty());
    }
}

#[test]
fn each_wrong_field_is_told() {
    let errors = parse("60 24 0 13 8", "cj").unwrap_err();
    assert_eq!(
        errors
            .iter()
            .map(|error| error.position)
            .collect::<Vec<_>>(),
        [0, 3, 6, 8, 11]
    );
}

#[test]
fn rare_but_possible_is_accepted() {
    for text in [
        "0 0 29 2 *",
        "0 0 31 1 *",
        "0 0 * 2 5#5",
        "0 0 31 2 MON",
        "0 0 31 2,3 *",
        "0 0 29W 2 *",
    ] {
        assert!(!fields(text).never_matches(), "{text}");
    }
}

#[test]
fn long_texts_are_refused() {
    assert_eq!(
        parse(&"*".repeat(513), "cj").unwrap_err()[0].code,
        "too_long"
    );
    assert_eq!(
        parse(&format!("{} * * * *", "0,".repeat(300)), "cj").unwrap_err()[0].code,
        "too_long"
    );
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,60}") {
        let _ = parse(&text, "cj").is_ok();
    }

    #[test]
    fn no_likely_text_panics(text in "[0-9HLW#*/?,() a-z@-]{0,40}") {
        match parse(&text, "cj") {
            Ok(fields) => {
                prop_assert!(fields.at_or_after(0).is_some());
                prop_assert!(!fields.describe().is_empty());
                prop_assert!(fields.shortest_distance() > 0);
            }
            Err(errors) => prop_assert!(errors.iter().all(|error| error.position <= text.len())),
        }
    }

    #[test]
    fn counting_agrees_with_stepping(
        text in prop::sample::select(vec!["*/7 * * * *", "0 0,23 L * *", "5 4 * * 1#2,5L", "*/9 */11 3 13,15W 2,3,8 *", "0 0 29 2 *", "* * * * * *"]),
        from in -4_000_000_000_i64..4_000_000_000, length in 0_i64..400_000,
    ) {
        let fields = fields(text);
        let stepped = std::iter::successors(fields.at_or_after(from), |at| fields.at_or_after(at + 1))
            .take_while(|at| *at < from + length).count() as u64;
        prop_assert_eq!(fields.count(from, from + length), stepped);
    }

    #[test]
    fn counts_add_up(from in -4_000_000_000_i64..4_000_000_000, a in 0_i64..900_000_000, b in 0_i64..900_000_000) {
        for text in ["*/7 * * * *", "0 0,23 L * *", "30 5 4 * * 1#2,5L", "0 0 29 2 *"] {
            let fields = fields(text);
            prop_assert_eq!(
                fields.count(from, from + a) + fields.count(from + a, from + a + b),
                fields.count(from, from + a + b)
            );
        }
    }
}
