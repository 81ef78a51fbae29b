//! The distances between looks.

use super::*;

#[test]
fn looks_come_close_after_a_change_and_wider_apart_in_quiet() {
    let mut pace = Pace::default();
    let millis = |changed: &[bool], pace: &mut Pace| {
        changed
            .iter()
            .map(|&changed| pace.after_look(changed).as_millis())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        millis(&[true, false, false, false, false], &mut pace),
        [200, 400, 800, 1_000, 1_000]
    );
    assert_eq!(millis(&[true, false], &mut pace), [200, 400]);
    assert_eq!(millis(&[false; 100], &mut pace)[99], 1_000);
}

#[test]
fn failures_in_a_row_are_given_up_and_single_ones_forgotten() {
    let mut pace = Pace::default();
    for _ in 0..3 {
        for _ in 0..FAILURES {
            assert_eq!(pace.after_failure(), Some(SLOW));
        }
        pace.after_look(false);
    }
    let given_up = (0..=FAILURES).map(|_| pace.after_failure()).last().unwrap();
    assert_eq!(given_up, None);
}
