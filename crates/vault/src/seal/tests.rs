//! What is sealed opens in its own place with its own keys, and nothing else ever opens.

use aws_lc_rs::digest::{SHA256, digest};
use proptest::prelude::*;

use super::{SealPlace, Sealed, Unreadable};
use crate::{
    EgressPolicy, Keyring, Value,
    testing::{Seeded, created, hex, place, root},
};

/// A keyring with terms 1 and 2, and a value sealed under term 1 before the second came.
fn two_terms() -> (Keyring, Sealed) {
    let (mut keyring, ..) = created(1);
    let sealed = seal(&keyring, 3);
    keyring.add_term(&root(1), &mut Seeded(4)).unwrap();
    (keyring, sealed)
}

fn value() -> Value {
    Value::new("sk_live_51H8abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOP")
}

fn seal(keyring: &Keyring, seed: u64) -> Sealed {
    keyring.seal(&place(), &value(), &mut Seeded(seed))
}

fn assert_shut(keyring: &Keyring, at: &SealPlace<'_>, sealed: &Sealed, why: &str) {
    let opened = keyring.open(at, sealed);
    assert_eq!(
        opened.map_err(|error| error.code()),
        Err("secret_unreadable"),
        "{why}"
    );
}

#[test]
fn what_was_sealed_opens_at_every_length() {
    let (keyring, ..) = created(1);
    for len in (0..=80).chain([255, 256, 4096, 65_535, 65_536]) {
        let value = Value::new(vec![0xa5; len]);
        let sealed = keyring.seal(&place(), &value, &mut Seeded(len as u64));
        assert_eq!(sealed.wrapped_key.len(), 60);
        assert_eq!(sealed.ciphertext.len(), len + 28);
        assert_eq!(keyring.open(&place(), &sealed), Ok(value));
    }
}

/// The stored format: a change here loses every store.
#[test]
fn the_format_never_changes() {
    let (keyring, ..) = created(1);
    let sealed = seal(&keyring, 3);
    let all = [sealed.wrapped_key, sealed.ciphertext].concat();
    let expected = hex("1676bfacf16445cd64dc80a62eede53825d0709ce27fc32e1642f36ab600d0af");
    assert_eq!(digest(&SHA256, &all).as_ref(), expected);
}

#[test]
fn each_field_of_the_place_counts_alone() {
    let (keyring, ..) = created(1);
    let sealed = seal(&keyring, 3);
    let long = "value".repeat(100);
    let others = [
        SealPlace {
            version: 4,
            ..place()
        },
        SealPlace {
            version: 0,
            ..place()
        },
        SealPlace {
            version: 3 << 8,
            ..place()
        },
        SealPlace {
            field: "valuf",
            ..place()
        },
        SealPlace {
            field: "value\0",
            ..place()
        },
        SealPlace {
            field: "",
            ..place()
        },
        SealPlace {
            field: &long,
            ..place()
        },
        SealPlace {
            workspace: place().secret,
            secret: place().workspace,
            ..place()
        },
        SealPlace {
            policy_hash: EgressPolicy::hash(None),
            ..place()
        },
    ];
    for other in others {
        assert_shut(&keyring, &other, &sealed, &format!("{other:?}"));
        assert_eq!(
            keyring.rewrap(&other, &sealed, &mut Seeded(9)),
            Err(Unreadable)
        );
    }
    assert_eq!(keyring.open(&place(), &sealed), Ok(value()));
}

#[test]
fn each_bit_of_the_ids_and_the_policy_counts() {
    let (keyring, ..) = created(1);
    let sealed = seal(&keyring, 3);
    for bit in 0..128 {
        let mut other = place();
        other.workspace[bit / 8] ^= 1 << (bit % 8);
        assert_shut(&keyring, &other, &sealed, "workspace");
        let mut other = place();
        other.secret[bit / 8] ^= 1 << (bit % 8);
        assert_shut(&keyring, &other, &sealed, "secret");
    }
    for bit in 0..256 {
        let mut other = place();
        other.policy_hash[bit / 8] ^= 1 << (bit % 8);
        assert_shut(&keyring, &other, &sealed, "policy");
    }
}

#[test]
fn each_bit_of_each_stored_part_counts() {
    let (keyring, ..) = created(1);
    let sealed = seal(&keyring, 3);
    for bit in 0..sealed.wrapped_key.len() * 8 {
        let mut altered = sealed.clone();
        altered.wrapped_key[bit / 8] ^= 1 << (bit % 8);
        assert_shut(
            &keyring,
            &place(),
            &altered,
            &format!("wrapped key, bit {bit}"),
        );
        assert_eq!(
            keyring.rewrap(&place(), &altered, &mut Seeded(9)),
            Err(Unreadable)
        );
    }
    for bit in 0..sealed.ciphertext.len() * 8 {
        let mut altered = sealed.clone();
        altered.ciphertext[bit / 8] ^= 1 << (bit % 8);
        assert_shut(
            &keyring,
            &place(),
            &altered,
            &format!("ciphertext, bit {bit}"),
        );
    }
}

#[test]
fn every_byte_replaced_by_any_other_is_found() {
    let (keyring, ..) = created(1);
    let sealed = keyring.seal(&place(), &Value::new("abcd"), &mut Seeded(3));
    for at in 0..sealed.wrapped_key.len() {
        for add in 1..=255 {
            let mut altered = sealed.clone();
            altered.wrapped_key[at] = altered.wrapped_key[at].wrapping_add(add);
            assert_shut(&keyring, &place(), &altered, "wrapped key");
        }
    }
    for at in 0..sealed.ciphertext.len() {
        for add in 1..=255 {
            let mut altered = sealed.clone();
            altered.ciphertext[at] = altered.ciphertext[at].wrapping_add(add);
            assert_shut(&keyring, &place(), &altered, "ciphertext");
        }
    }
}

#[test]
fn every_truncation_and_extension_is_found() {
    let (keyring, ..) = created(1);
    let sealed = seal(&keyring, 3);
    let variants = |part: &[u8]| {
        let cut = (0..part.len()).flat_map(|at| [part[..at].to_vec(), part[at + 1..].to_vec()]);
        let longer = [
            [part, &[0]].concat(),
            [&[0], part].concat(),
            [part, part].concat(),
        ];
        cut.chain(longer).collect::<Vec<_>>()
    };
    for wrapped_key in variants(&sealed.wrapped_key) {
        let altered = Sealed {
            wrapped_key,
            ..sealed.clone()
        };
        assert_shut(&keyring, &place(), &altered, "wrapped key");
    }
    for ciphertext in variants(&sealed.ciphertext) {
        let altered = Sealed {
            ciphertext,
            ..sealed.clone()
        };
        assert_shut(&keyring, &place(), &altered, "ciphertext");
    }
}

#[test]
fn parts_swapped_between_rows_do_not_open() {
    let (keyring, ..) = created(1);
    let other_place = SealPlace {
        secret: [9; 16],
        ..place()
    };
    let mine = seal(&keyring, 3);
    // Another secret's row, and another sealing for this very place.
    let theirs = keyring.seal(&other_place, &value(), &mut Seeded(4));
    let again = seal(&keyring, 5);
    assert_shut(&keyring, &place(), &theirs, "a whole row");
    for other in [&theirs, &again] {
        let with_their_key = Sealed {
            wrapped_key: other.wrapped_key.clone(),
            ..mine.clone()
        };
        let with_their_text = Sealed {
            ciphertext: other.ciphertext.clone(),
            ..mine.clone()
        };
        for at in [&place(), &other_place] {
            assert_shut(&keyring, at, &with_their_key, "a data key of another row");
            assert_shut(
                &keyring,
                at,
                &with_their_text,
                "a ciphertext of another row",
            );
        }
    }
}

#[test]
fn the_two_parts_cannot_stand_for_each_other() {
    let (keyring, ..) = created(1);
    let sealed = keyring.seal(&place(), &Value::new([7; 32]), &mut Seeded(3));
    let (wrapped_key, ciphertext) = (sealed.ciphertext.clone(), sealed.wrapped_key.clone());
    assert_shut(
        &keyring,
        &place(),
        &Sealed {
            wrapped_key,
            ciphertext,
            ..sealed.clone()
        },
        "crossed",
    );
    let ciphertext = sealed.wrapped_key.clone();
    assert_shut(
        &keyring,
        &place(),
        &Sealed {
            ciphertext,
            ..sealed
        },
        "the key as the value",
    );
}

#[test]
fn a_wrong_term_does_not_open() {
    let (keyring, sealed) = two_terms();
    assert_eq!(keyring.open(&place(), &sealed), Ok(value()));
    for term in [0, 2, 3, u32::MAX] {
        assert_shut(
            &keyring,
            &place(),
            &Sealed {
                term,
                ..sealed.clone()
            },
            "term",
        );
        assert_shut(
            &keyring,
            &place(),
            &Sealed {
                origin_term: term,
                ..sealed.clone()
            },
            "origin term",
        );
    }
}

#[test]
fn keys_of_another_store_open_nothing() {
    let (keyring, ..) = created(1);
    let sealed = seal(&keyring, 3);
    assert_shut(&created(2).0, &place(), &sealed, "another root key");
    // The same root key, and a term's key put in the other's place.
    let (_, master, term) = Keyring::create(&root(1), &mut Seeded(77));
    let swapped = Keyring::unlock(&root(1), &master, &[term]).unwrap();
    assert_shut(&swapped, &place(), &sealed, "another key for the same term");
}

#[test]
fn an_edited_policy_opens_nothing() {
    let (keyring, ..) = created(1);
    let policy = |host: &str| EgressPolicy {
        hosts: vec![host.to_owned()],
        ..EgressPolicy::default()
    };
    let under = |policy: Option<&EgressPolicy>| SealPlace {
        policy_hash: EgressPolicy::hash(policy),
        ..place()
    };
    let bound = policy("api.stripe.com");
    let sealed = keyring.seal(&under(Some(&bound)), &value(), &mut Seeded(3));
    assert_eq!(keyring.open(&under(Some(&bound)), &sealed), Ok(value()));
    let wider = EgressPolicy {
        ports: vec![443, 8443],
        ..bound
    };
    let edits = [
        Some(policy("evil.example")),
        Some(EgressPolicy::default()),
        Some(wider),
        None,
    ];
    for edit in edits {
        assert_shut(
            &keyring,
            &under(edit.as_ref()),
            &sealed,
            &format!("{edit:?}"),
        );
    }
}

#[test]
fn a_rewrap_moves_the_data_key_alone() {
    let (keyring, sealed) = two_terms();
    let moved = keyring.rewrap(&place(), &sealed, &mut Seeded(5)).unwrap();
    assert_eq!((moved.term, moved.origin_term), (2, 1));
    assert_eq!(moved.ciphertext, sealed.ciphertext);
    assert_ne!(moved.wrapped_key, sealed.wrapped_key);
    assert_eq!(keyring.open(&place(), &moved), Ok(value()));
    assert_eq!(
        keyring.open(&place(), &sealed),
        Ok(value()),
        "the old row opens until it is replaced"
    );
    assert_shut(
        &keyring,
        &place(),
        &Sealed {
            origin_term: 2,
            ..moved.clone()
        },
        "origin term",
    );
    assert_shut(&keyring, &place(), &Sealed { term: 1, ..moved }, "term");
}

#[test]
fn a_resealed_value_opens_in_its_new_place_alone() {
    let (keyring, sealed) = two_terms();
    let policy = EgressPolicy {
        hosts: vec!["api.example.com".to_owned()],
        ..EgressPolicy::default()
    };
    let to = SealPlace {
        version: place().version + 1,
        policy_hash: EgressPolicy::hash(Some(&policy)),
        ..place()
    };
    let resealed = keyring
        .reseal_value(&place(), &to, &sealed, &mut Seeded(9))
        .unwrap();
    assert_eq!((resealed.term, resealed.origin_term), (2, 2));
    assert_eq!(keyring.open(&to, &resealed), Ok(value()));
    assert_shut(&keyring, &place(), &resealed, "the old place");
    assert_shut(&keyring, &to, &sealed, "the old seal in the new place");
    let wrong = SealPlace {
        version: 7,
        ..place()
    };
    let refused = keyring.reseal_value(&wrong, &to, &sealed, &mut Seeded(9));
    assert_eq!(refused, Err(Unreadable));
}

#[test]
fn a_retired_term_is_not_needed_after_the_rewrap() {
    let (mut keyring, master, _) = created(1);
    let sealed = seal(&keyring, 3);
    let second = keyring.add_term(&root(1), &mut Seeded(4)).unwrap();
    let moved = keyring.rewrap(&place(), &sealed, &mut Seeded(5)).unwrap();
    let without_first = Keyring::unlock(&root(1), &master, &[second]).unwrap();
    assert_eq!(without_first.open(&place(), &moved), Ok(value()));
    assert_shut(&without_first, &place(), &sealed, "its term is gone");
    assert_eq!(
        without_first.rewrap(&place(), &sealed, &mut Seeded(6)),
        Err(Unreadable)
    );
}

#[test]
fn new_seals_use_the_current_term() {
    let (keyring, _) = two_terms();
    let sealed = seal(&keyring, 6);
    assert_eq!((sealed.term, sealed.origin_term), (2, 2));
    assert_eq!(keyring.open(&place(), &sealed), Ok(value()));
}

#[test]
fn no_key_or_nonce_is_used_twice() {
    let (keyring, ..) = created(1);
    let rng = &mut Seeded(3);
    let seals: Vec<_> = (0..50)
        .map(|_| keyring.seal(&place(), &value(), rng))
        .collect();
    let mut nonces: Vec<_> = seals
        .iter()
        .flat_map(|sealed| [&sealed.wrapped_key[..12], &sealed.ciphertext[..12]])
        .collect();
    nonces.sort_unstable();
    nonces.dedup();
    assert_eq!(nonces.len(), 100);
    // Under one data key, equal values would have equal ciphertexts but for the nonce; here the key differs too.
    let pair = (&seals[0].ciphertext[12..], &seals[1].ciphertext[12..]);
    assert_ne!(pair.0, pair.1);
}

#[test]
fn the_error_says_nothing_of_the_cause() {
    let message = Unreadable.to_string();
    assert!(message.starts_with("the secret's value exists and cannot be decrypted"));
    assert_eq!(Unreadable.code(), "secret_unreadable");
}

#[test]
fn debug_of_what_is_stored_shows_no_plain_bytes() {
    let (keyring, ..) = created(1);
    let sealed = keyring.seal(&place(), &Value::new([0xa5; 16]), &mut Seeded(3));
    assert!(!format!("{sealed:?}").contains(&format!("{:?}", [0xa5; 16])[1..40]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_bytes_at_any_place_round_trip(
        bytes in prop::collection::vec(any::<u8>(), 0..=65_536),
        workspace: [u8; 16],
        secret: [u8; 16],
        version: u32,
        field in "\\PC{0,300}",
        policy_hash: [u8; 32],
        seed: u64,
    ) {
        let (mut keyring, ..) = created(1);
        let at = SealPlace { workspace, secret, version, field: &field, policy_hash };
        let sealed = keyring.seal(&at, &Value::new(bytes.clone()), &mut Seeded(seed));
        let opened = keyring.open(&at, &sealed).unwrap();
        prop_assert_eq!(opened.bytes(), &bytes[..]);
        keyring.add_term(&root(1), &mut Seeded(seed)).unwrap();
        let moved = keyring.rewrap(&at, &sealed, &mut Seeded(!seed)).unwrap();
        let opened = keyring.open(&at, &moved).unwrap();
        prop_assert_eq!(opened.bytes(), &bytes[..]);
    }

    #[test]
    fn any_bytes_in_a_row_are_shut_out(
        wrapped_key in prop::collection::vec(any::<u8>(), 0..130),
        ciphertext in prop::collection::vec(any::<u8>(), 0..130),
        term in 0_u32..3,
    ) {
        let (keyring, _) = two_terms();
        let row = Sealed { term, origin_term: term, wrapped_key, ciphertext };
        prop_assert_eq!(keyring.open(&place(), &row), Err(Unreadable));
        prop_assert_eq!(keyring.rewrap(&place(), &row, &mut Seeded(1)), Err(Unreadable));
    }
}
