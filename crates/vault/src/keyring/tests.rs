//! First start, unlocking, terms, and another root key.

use super::{KeyError, Keyring, SealedMaster, SealedTerm};
use crate::{
    Label, Value,
    testing::{Seeded, created, place, root},
};

fn macs(keyring: &Keyring) -> [[u8; 32]; 4] {
    Label::ALL.map(|label| keyring.derived(label).mac(&[b"x"]))
}

/// A store with terms 1, 2 and 3.
fn three_terms() -> (Keyring, SealedMaster, Vec<SealedTerm>) {
    let (mut keyring, master, first) = created(1);
    let mut terms = vec![first];
    for seed in [10, 11] {
        let (next, term) = keyring.with_term(&root(1), &mut Seeded(seed)).unwrap();
        keyring = next;
        terms.push(term);
    }
    (keyring, master, terms)
}

#[test]
fn what_first_start_made_unlocks() {
    let (made, master, term) = created(1);
    assert_eq!((made.current_term(), term.term), (1, 1));
    assert_eq!((master.0.len(), term.sealed.len()), (60, 60));
    let opened = Keyring::unlock(&root(1), &master, &[term]).unwrap();
    assert_eq!(opened.current_term(), 1);
    assert_eq!(macs(&opened), macs(&made));
}

#[test]
fn a_wrong_root_key_is_named_as_that() {
    let (_, master, term) = created(1);
    let opened = Keyring::unlock(&root(2), &master, &[term]);
    assert_eq!(opened.err(), Some(KeyError::WrongRootKey));
}

#[test]
fn every_altered_byte_of_the_master_is_found() {
    let (_, master, term) = created(1);
    for at in 0..master.0.len() {
        let mut altered = master.clone();
        altered.0[at] ^= 1;
        let opened = Keyring::unlock(&root(1), &altered, std::slice::from_ref(&term));
        assert_eq!(opened.err(), Some(KeyError::WrongRootKey), "byte {at}");
        altered.0.truncate(at);
        let opened = Keyring::unlock(&root(1), &altered, std::slice::from_ref(&term));
        assert_eq!(opened.err(), Some(KeyError::WrongRootKey), "cut at {at}");
    }
}

#[test]
fn every_altered_byte_of_a_term_is_found() {
    let (_, master, terms) = three_terms();
    let unreadable = Some(KeyError::TermUnreadable { term: 2 });
    for at in 0..terms[1].sealed.len() {
        let mut altered = terms.clone();
        altered[1].sealed[at] ^= 0x80;
        assert_eq!(
            Keyring::unlock(&root(1), &master, &altered).err(),
            unreadable,
            "byte {at}"
        );
        altered[1].sealed.truncate(at);
        assert_eq!(
            Keyring::unlock(&root(1), &master, &altered).err(),
            unreadable,
            "cut at {at}"
        );
    }
}

#[test]
fn a_terms_key_cannot_stand_for_another_term_or_the_master() {
    let (_, master, terms) = three_terms();
    let mut swapped = terms.clone();
    (swapped[0].term, swapped[1].term) = (2, 1);
    let unreadable = |term| Some(KeyError::TermUnreadable { term });
    assert_eq!(
        Keyring::unlock(&root(1), &master, &swapped).err(),
        unreadable(2)
    );
    let as_master = SealedMaster(terms[0].sealed.clone());
    assert_eq!(
        Keyring::unlock(&root(1), &as_master, &terms).err(),
        Some(KeyError::WrongRootKey)
    );
    let master_as_term = [SealedTerm {
        term: 1,
        sealed: master.0.clone(),
    }];
    assert_eq!(
        Keyring::unlock(&root(1), &master, &master_as_term).err(),
        unreadable(1)
    );
}

#[test]
fn a_term_of_another_store_does_not_open() {
    let (_, master, _) = created(1);
    let (_, _, foreign) = created(2);
    let opened = Keyring::unlock(&root(1), &master, &[foreign]);
    assert_eq!(opened.err(), Some(KeyError::TermUnreadable { term: 1 }));
}

#[test]
fn no_term_and_a_repeated_term_are_refused() {
    let (_, master, term) = created(1);
    assert_eq!(
        Keyring::unlock(&root(1), &master, &[]).err(),
        Some(KeyError::NoTerm)
    );
    let twice = Keyring::unlock(&root(1), &master, &[term.clone(), term]);
    assert_eq!(twice.err(), Some(KeyError::TermRepeated { term: 1 }));
}

#[test]
fn the_highest_term_is_current_in_whatever_order() {
    let (made, master, mut terms) = three_terms();
    assert_eq!(made.current_term(), 3);
    terms.reverse();
    let opened = Keyring::unlock(&root(1), &master, &terms).unwrap();
    assert_eq!(opened.current_term(), 3);
    assert!(opened.has_term(1) && opened.has_term(2) && !opened.has_term(4));
    assert_eq!(macs(&opened), macs(&made));
}

#[test]
fn a_term_is_not_added_under_another_root_key() {
    let (keyring, _, _) = created(1);
    let added = keyring.with_term(&root(2), &mut Seeded(3));
    assert_eq!(added.err(), Some(KeyError::WrongRootKey));
    assert_eq!(keyring.current_term(), 1);
}

#[test]
fn terms_end_at_the_last_number() {
    let (mut keyring, _, _) = created(1);
    keyring.current = u32::MAX;
    let added = keyring.with_term(&root(1), &mut Seeded(3));
    assert_eq!(added.err(), Some(KeyError::LastTerm));
}

#[test]
fn a_new_term_leaves_the_keyring_it_was_made_from_as_it_was() {
    let (first, _, _) = created(1);
    let before = first.seal(&place(), &Value::new("before"), &mut Seeded(4));
    let (second, term) = first.with_term(&root(1), &mut Seeded(3)).unwrap();
    assert_eq!((term.term, second.current_term()), (2, 2));
    assert_eq!((first.current_term(), first.has_term(2)), (1, false));
    assert_eq!(second.open(&place(), &before), Ok(Value::new("before")));
    let after = second.seal(&place(), &Value::new("after"), &mut Seeded(5));
    assert_eq!(first.open(&place(), &after), Err(crate::Unreadable));
    assert_eq!(macs(&first), macs(&second));
}

#[test]
fn a_retired_term_is_kept_as_long_as_it_is_asked_for() {
    let (three, master, terms) = three_terms();
    let (first, _, _) = created(1);
    let old = first.seal(&place(), &Value::new("in flight"), &mut Seeded(4));
    let without = || Keyring::unlock(&root(1), &master, &terms[1..]).unwrap();
    assert!(without().open(&place(), &old).is_err());
    let kept = without().keeping(&three, |term| term == 1);
    assert_eq!(kept.open(&place(), &old), Ok(Value::new("in flight")));
    assert_eq!(kept.current_term(), 3);
    assert_eq!(kept.terms().collect::<Vec<_>>(), [1, 2, 3]);
    let dropped = without().keeping(&three, |_| false);
    assert_eq!(dropped.terms().collect::<Vec<_>>(), [2, 3]);
}

#[test]
fn another_root_key_changes_the_seals_alone() {
    let (made, master, terms) = three_terms();
    let sealed = made.seal(&place(), &Value::new("kept"), &mut Seeded(5));
    let (new_master, new_terms) =
        Keyring::reseal(&root(1), &root(2), &master, &terms, &mut Seeded(6)).unwrap();
    let opened = Keyring::unlock(&root(2), &new_master, &new_terms).unwrap();
    assert_eq!(opened.open(&place(), &sealed), Ok(Value::new("kept")));
    assert_eq!(macs(&opened), macs(&made));
    assert!(
        Keyring::unlock(&root(1), &master, &terms).is_ok(),
        "the old copy still opens"
    );
    for (master, terms, root) in [
        (&new_master, &new_terms, root(1)),
        (&master, &terms, root(2)),
    ] {
        assert_eq!(
            Keyring::unlock(&root, master, terms).err(),
            Some(KeyError::WrongRootKey)
        );
    }
}

#[test]
fn resealing_needs_the_old_root_key_and_whole_terms() {
    let (_, master, mut terms) = three_terms();
    let wrong = Keyring::reseal(&root(3), &root(2), &master, &terms, &mut Seeded(6));
    assert_eq!(wrong.err(), Some(KeyError::WrongRootKey));
    terms[2].sealed[20] ^= 1;
    let damaged = Keyring::reseal(&root(1), &root(2), &master, &terms, &mut Seeded(6));
    assert_eq!(damaged.err(), Some(KeyError::TermUnreadable { term: 3 }));
}

#[test]
fn debug_shows_no_key() {
    let (keyring, ..) = created(1);
    assert_eq!(format!("{keyring:?}"), "Keyring { current_term: 1, .. }");
}

#[test]
fn a_keyring_can_be_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>(_: &T) {}
    shared(&created(1).0);
}
