//! How figures are written and judged.

use super::{Figure, Report, short};
use crate::machine::Machine;

#[test]
fn numbers_have_three_digits_or_so() {
    for (value, text) in [
        (0.0, "0"),
        (0.001_27, "0.0013"),
        (0.35, "0.35"),
        (0.5, "0.5"),
        (2.345, "2.35"),
        (15.04, "15"),
        (123.4, "123"),
        (-1_234.0, "-1,234"),
        (104_512.6, "104,513"),
    ] {
        assert_eq!(short(value), text);
    }
}

#[test]
fn the_median_decides_whether_a_goal_is_reached() {
    let cells = Figure::new("ratio", "", &[0.2, 0.36, 0.9])
        .at_least(0.35)
        .cells();
    assert_eq!(cells, ["ratio", "0.36", "0.2 – 0.9", "3", "≥ 0.35", "yes"]);
    let cells = Figure::new("start", "ms", &[160.0]).at_most(150.0).cells();
    assert_eq!(cells, ["start", "160 ms", "", "1", "≤ 150", "NO"]);
    assert_eq!(Figure::new("start", "ms", &[160.0]).cells()[4..], ["", ""]);
}

#[test]
fn the_line_of_json_says_what_on_what_and_how_far_apart() {
    let mut report = Report::new("p1", "many jobs");
    report.figure(Figure::new("ratio", "", &[0.4, 0.5, 0.6]).at_least(0.35));
    report.note("a remark");
    let json = report.json(&Machine::here(), "bench p1");
    assert_eq!(json["benchmark"], "p1");
    assert_eq!(json["command"], "bench p1");
    assert_eq!(json["notes"][0], "a remark");
    assert!(json["machine"]["cores"].as_u64().unwrap() > 0);
    let figure = &json["figures"][0];
    assert_eq!(
        (
            figure["median"].as_f64(),
            figure["min"].as_f64(),
            figure["max"].as_f64()
        ),
        (Some(0.5), Some(0.4), Some(0.6))
    );
    assert_eq!(
        (figure["to_reach"].as_str(), figure["reached"].as_bool()),
        (Some("≥ 0.35"), Some(true))
    );
}
