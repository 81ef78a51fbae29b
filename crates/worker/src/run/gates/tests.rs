//! Limits, order of waiting, and turning away.

use padclock_api::ExecutionId;

use super::*;

const UNIT: Duration = Duration::from_secs(2);

fn held(number: u8) -> Held {
    Held {
        execution: ExecutionId::from_bytes([number; 16]),
        fence: 1,
    }
}

#[test]
fn a_gate_has_room_up_to_its_limit_for_each_key() {
    let mut gates = Gates::new(2);
    for _ in 0..2 {
        assert!(gates.has_room("a"));
        gates.enter("a");
    }
    assert!(!gates.has_room("a"));
    assert!(gates.has_room("b"));
    gates.leave("a");
    assert!(gates.has_room("a"));
}

#[test]
fn who_waits_longest_goes_first_and_only_when_there_is_room() {
    let mut gates = Gates::new(1);
    gates.enter("a");
    gates.wait("a", held(1));
    gates.wait("a", held(2));
    gates.wait("a", held(3));
    assert_eq!(gates.next("a"), None);
    gates.forget("a", held(2));
    gates.leave("a");
    assert_eq!(gates.next("a"), Some(held(1)));
    gates.enter("a");
    assert_eq!(gates.next("a"), None);
    gates.leave("a");
    assert_eq!(gates.next("a"), Some(held(3)));
    assert_eq!(gates.next("a"), None);
}

#[test]
fn a_saturated_gate_turns_newcomers_away_until_nobody_waits() {
    let mut gates = Gates::new(4);
    for _ in 0..4 {
        gates.enter("a");
    }
    gates.wait("a", held(1));
    assert!(!gates.turns_away("a"), "waiting alone is no reason");
    gates.saturate("a");
    assert!(gates.turns_away("a"));
    assert!(!gates.turns_away("b"));
    let waits: Vec<_> = (0..9)
        .map(|_| gates.deferral("a", UNIT).as_secs())
        .collect();
    assert_eq!(
        waits,
        [2, 2, 2, 4, 4, 4, 4, 6, 6],
        "the more are sent away, the longer"
    );
    gates.leave("a");
    assert_eq!(gates.next("a"), Some(held(1)));
    assert!(!gates.turns_away("a"));
    assert_eq!(gates.deferral("a", UNIT), UNIT, "the count began anew");
}

#[test]
fn a_deferral_has_an_end_and_a_limit_is_never_none() {
    let mut gates = Gates::new(0);
    assert!(gates.has_room("a"));
    gates.enter("a");
    gates.wait("a", held(1));
    let longest = (0..200).map(|_| gates.deferral("a", UNIT)).max();
    assert_eq!(longest, Some(LONGEST_DEFERRAL));
}

#[test]
fn an_empty_gate_is_forgotten() {
    let mut gates = Gates::new(1);
    for key in 0..1000 {
        gates.enter(key);
        gates.wait(key, held(1));
        gates.forget(key, held(1));
        gates.leave(key);
    }
    assert!(gates.gates.is_empty());
}
