//! Tests of `Moment`: its written form against the time zone library's, and its range.

use super::*;
use proptest::prelude::*;

#[test]
fn known_forms() {
    for (millis, text) in [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_773_568_800_000, "2026-03-15T10:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
        (Moment::MIN.millis(), "0000-01-01T00:00:00.000Z"),
        (Moment::MAX.millis(), "9999-12-30T22:00:00.000Z"),
        (i64::MAX, "9999-12-30T22:00:00.000Z"),
        (i64::MIN, "0000-01-01T00:00:00.000Z"),
    ] {
        assert_eq!(Moment::from_millis(millis).to_string(), text);
        assert_eq!(text.parse(), Ok(Moment::from_millis(millis)));
    }
}

#[test]
fn reads_offsets_and_finer_fractions() {
    let expected = Moment::from_millis(1_773_568_800_123);
    for text in [
        "2026-03-15T10:00:00.123Z",
        "2026-03-15T10:00:00.1239Z",
        "2026-03-15T12:00:00.123+02:00",
        "2026-03-15t10:00:00.123z",
        "2026-03-15 10:00:00.123Z",
        "2026-03-15T04:30:00.123456789-05:30",
    ] {
        assert_eq!(text.parse(), Ok(expected), "{text}");
    }
}

#[test]
fn refuses_what_is_not_a_full_time() {
    for text in [
        "",
        "now",
        "2026-03-15",
        "2026-03-15T10:00:00",
        "2026-03-15T25:00:00Z",
        "2026-02-30T10:00:00Z",
        "2026-03-15T10:00:00+99:00",
        "1773568800",
        "2026-03-15T10:00:00Z[UTC]",
        "é026-03-15T10:00:00Zé",
        "2026-W11-7T10:00:00Z",
    ] {
        assert_eq!(text.parse::<Moment>(), Err(BadMoment), "{text}");
    }
}

#[test]
fn arithmetic_saturates() {
    assert_eq!(Moment::MAX.plus_millis(1), Moment::MAX);
    assert_eq!(Moment::MIN.plus_millis(i64::MIN), Moment::MIN);
    assert_eq!(Moment::EPOCH.plus_seconds(i64::MAX), Moment::MAX);
    assert_eq!(Moment::from_millis(-1).seconds(), -1);
    assert_eq!(
        Moment::from_millis(2_500).since(Moment::from_millis(500)),
        2_000
    );
}

proptest! {
    #[test]
    fn agrees_with_the_library(millis in Moment::MIN.millis()..=Moment::MAX.millis()) {
        let moment = Moment::from_millis(millis);
        let stamp = jiff::Timestamp::from_millisecond(millis).unwrap();
        prop_assert_eq!(moment.to_string(), format!("{stamp:.3}"));
        let json = serde_json::to_string(&moment).unwrap();
        prop_assert_eq!(serde_json::from_str::<Moment>(&json).unwrap(), moment);
    }

    #[test]
    fn never_panics(text in ".{0,40}") {
        let _ = text.parse::<Moment>().is_ok();
    }

    #[test]
    fn order_of_text_is_order_of_time(a in Moment::MIN.millis()..=Moment::MAX.millis(), b in Moment::MIN.millis()..=Moment::MAX.millis()) {
        let (a, b) = (Moment::from_millis(a), Moment::from_millis(b));
        prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
    }
}
