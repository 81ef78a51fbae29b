//! The shape of tokens, their checksum, and how they are kept.

use std::collections::HashSet;

use proptest::prelude::*;

use super::{
    BASE62, LEN, checksum, crc32, fill_base62, generate, generate_link, issue, issue_link,
    link_lookup, lookup, well_formed,
};
use crate::{
    Label, Randomness,
    testing::{Seeded, created},
};

fn token(seed: u64) -> String {
    String::from_utf8(generate(&mut Seeded(seed)).bytes().to_vec()).unwrap()
}

#[test]
fn a_new_token_is_well_formed() {
    for seed in 0..200 {
        let token = token(seed);
        assert_eq!(token.len(), 40);
        assert!(token.starts_with("pck_"));
        assert!(token[4..].bytes().all(|byte| BASE62.contains(&byte)));
        assert!(well_formed(&token));
    }
    assert_eq!(LEN, 40);
}

#[test]
fn tokens_differ() {
    let tokens: HashSet<_> = (0..200).map(token).collect();
    assert_eq!(tokens.len(), 200);
}

/// The check value of CRC-32/ISO-HDLC, and three more known ones.
#[test]
fn crc32_known_answers() {
    assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    assert_eq!(crc32(b""), 0);
    assert_eq!(crc32(b"a"), 0xe8b7_be43);
    assert_eq!(
        crc32(b"The quick brown fox jumps over the lazy dog"),
        0x414f_a339
    );
}

#[test]
fn the_checksum_is_six_characters_with_zeros_in_front() {
    assert_eq!(&checksum(b""), b"000000");
    // 0xcbf43926 = 3,421,780,262 in base 62.
    assert_eq!(&checksum(b"123456789"), b"3jZRME");
}

#[test]
fn every_changed_character_is_found() {
    let right = token(1);
    for at in 0..right.len() {
        for &other in BASE62.iter().chain(b"_- \0") {
            let mut bytes = right.clone().into_bytes();
            if bytes[at] != other {
                bytes[at] = other;
                let text = String::from_utf8(bytes).unwrap();
                assert!(!well_formed(&text), "character {at}");
            }
        }
    }
}

#[test]
fn every_other_length_is_refused() {
    let right = token(1);
    for at in 0..right.len() {
        assert!(!well_formed(&right[..at]));
        assert!(!well_formed(&right[at + 1..]));
    }
    for text in [
        format!("{right}0"),
        format!(" {right}"),
        format!("{right}\n"),
        String::new(),
    ] {
        assert!(!well_formed(&text));
    }
}

/// A source that counts through all bytes: each of 62 characters must come equally often.
struct Counting(u8);

impl Randomness for Counting {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            *byte = self.0;
            self.0 = self.0.wrapping_add(1);
        }
    }
}

#[test]
fn no_character_is_likelier_than_another() {
    let mut out = vec![0; 62 * 120];
    fill_base62(&mut out, &mut Counting(0));
    let mut counts = [0_u32; 256];
    out.iter().for_each(|&byte| counts[usize::from(byte)] += 1);
    let of_alphabet: Vec<_> = BASE62
        .iter()
        .map(|&byte| counts[usize::from(byte)])
        .collect();
    assert!(
        of_alphabet
            .iter()
            .all(|&count| (110..=130).contains(&count)),
        "{of_alphabet:?}"
    );
    assert_eq!(of_alphabet.iter().sum::<u32>(), 62 * 120);
}

/// A source whose first blocks hold nothing that can be used.
struct Late(u32);

impl Randomness for Late {
    fn fill(&mut self, out: &mut [u8]) {
        self.0 += 1;
        out.fill(if self.0 < 4 { 0xff } else { 0 });
        out[0] = 5;
    }
}

#[test]
fn unusable_bytes_are_drawn_again() {
    let mut out = [0; 10];
    fill_base62(&mut out, &mut Late(0));
    assert_eq!(&out, b"5555000000");
}

#[test]
fn the_hash_is_keyed_and_of_the_whole_token() {
    let (one, other) = (created(1).0, created(2).0);
    let key = one.derived(Label::TokenLookup);
    let (a, b) = (token(1), token(2));
    assert_eq!(lookup(key, &a), lookup(key, &a));
    assert_ne!(lookup(key, &a), lookup(key, &b));
    assert_ne!(lookup(key, &a), lookup(key, &a[..39]));
    assert_ne!(
        lookup(key, &a),
        lookup(other.derived(Label::TokenLookup), &a)
    );
    assert_ne!(lookup(key, &a), key.mac(&[a.as_bytes()]));
}

#[test]
fn the_token_of_a_link_is_none_of_the_api_and_is_kept_apart() {
    let made = generate_link(&mut Seeded(1));
    let text = std::str::from_utf8(made.bytes()).unwrap();
    assert!(text.starts_with("pcl_") && text.len() == LEN && !well_formed(text));
    assert_eq!(
        &text.as_bytes()[LEN - 6..],
        checksum(&text.as_bytes()[..LEN - 6])
    );
    let keyring = created(1).0;
    let key = keyring.derived(Label::TokenLookup);
    assert_ne!(link_lookup(key, text), lookup(key, text));
    assert_eq!(link_lookup(key, text), link_lookup(key, text));
    assert_ne!(link_lookup(key, text), link_lookup(key, &token(1)));
}

#[test]
fn what_is_issued_is_found_by_its_text() {
    let keyring = created(1).0;
    let key = keyring.derived(Label::TokenLookup);
    let text = |value: &crate::Value| String::from_utf8(value.bytes().to_vec()).unwrap();
    let (token, hash) = issue(key, &mut Seeded(3));
    assert_eq!(hash, lookup(key, &text(&token)));
    let (link, hash) = issue_link(key, &mut Seeded(3));
    assert_eq!(hash, link_lookup(key, &text(&link)));
    assert_ne!(hash, lookup(key, &text(&link)));
}

proptest! {
    #[test]
    fn no_text_panics_or_passes(text in "\\PC{0,50}|pck_[0-9A-Za-z]{36}") {
        prop_assert!(!well_formed(&text));
    }

    #[test]
    fn any_seed_makes_a_token(seed: u64) {
        prop_assert!(well_formed(&token(seed)));
    }
}
