//! Medians, spreads and quantiles, on lists small enough to work out by hand.

use super::{Spread, differences, quantile, ratios, sorted};

#[test]
fn a_spread_has_the_middle_and_both_ends() {
    let spread = Spread::of(&[5.0, 1.0, 3.0]);
    assert_eq!(
        spread,
        Spread {
            median: 3.0,
            least: 1.0,
            most: 5.0,
            rounds: 3
        }
    );
    assert_eq!(Spread::of(&[4.0, 1.0, 2.0, 3.0]).median, 2.5);
    assert_eq!(
        Spread::of(&[]),
        Spread {
            median: 0.0,
            least: 0.0,
            most: 0.0,
            rounds: 0
        }
    );
}

#[test]
fn quantiles_lie_between_neighbours() {
    let values = sorted(&[40.0, 10.0, 30.0, 20.0, 50.0]);
    for (q, expected) in [
        (0.0, 10.0),
        (0.25, 20.0),
        (0.5, 30.0),
        (0.625, 35.0),
        (1.0, 50.0),
    ] {
        assert_eq!(quantile(&values, q), expected, "{q}");
    }
    assert_eq!(quantile(&[7.0], 0.99), 7.0);
    assert_eq!(quantile(&[], 0.5), 0.0);
}

#[test]
fn rounds_are_compared_each_with_its_own() {
    assert_eq!(ratios(&[1.0, 6.0], &[2.0, 3.0]), [0.5, 2.0]);
    assert_eq!(differences(&[1.0, 6.0], &[2.0, 3.0]), [-1.0, 3.0]);
}
