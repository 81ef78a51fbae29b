//! Reading and writing a root key, and that no message shows one.

use proptest::prelude::*;

use super::{KeyError, RootKey};
use crate::testing::{Seeded, root};

const DIGITS: &str = "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef";

#[test]
fn hex_digits_in_either_case_and_white_space_around() {
    let key = RootKey::parse_hex(DIGITS).unwrap();
    assert_eq!(key.to_hex().bytes(), DIGITS.as_bytes());
    for text in [
        DIGITS.to_uppercase(),
        format!("{DIGITS}\n"),
        format!(" \t{DIGITS}\r\n"),
    ] {
        assert_eq!(RootKey::parse_hex(&text).unwrap().to_hex(), key.to_hex());
    }
}

#[test]
fn what_is_not_a_root_key_is_named_as_that() {
    let long = format!("{DIGITS}0");
    let cases = [
        ("", KeyError::HexLength { given: 0 }),
        (" \n", KeyError::HexLength { given: 0 }),
        (&DIGITS[1..], KeyError::HexLength { given: 63 }),
        (&long, KeyError::HexLength { given: 65 }),
        (
            &DIGITS.replace("ff", "ég"),
            KeyError::HexDigit { position: 31 },
        ),
        (
            &DIGITS.replacen('0', "g", 1),
            KeyError::HexDigit { position: 1 },
        ),
        (
            &DIGITS.replace("44", " 4"),
            KeyError::HexDigit { position: 9 },
        ),
        (
            &DIGITS.replace("44", "+4"),
            KeyError::HexDigit { position: 9 },
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(RootKey::parse_hex(text).err(), Some(expected));
    }
}

#[test]
fn messages_and_debug_show_no_digit_of_it() {
    let wrong = format!("{}x", &DIGITS[..63]);
    let error = RootKey::parse_hex(&wrong).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the root key must be 64 hex digits, and character 64 is none"
    );
    assert_eq!(
        format!("{:?}", RootKey::parse_hex(DIGITS).unwrap()),
        "RootKey([REDACTED])"
    );
}

#[test]
fn generated_keys_come_from_the_given_randomness() {
    assert_eq!(root(1).to_hex(), RootKey::generate(&mut Seeded(1)).to_hex());
    assert_ne!(root(1).to_hex(), root(2).to_hex());
}

proptest! {
    #[test]
    fn bytes_and_digits_are_one_to_one(bytes: [u8; 32]) {
        let text = RootKey::from_bytes(bytes).to_hex();
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        prop_assert_eq!(text.bytes(), digits.as_bytes());
        prop_assert_eq!(**RootKey::parse_hex(&digits).unwrap().0, bytes);
        prop_assert_eq!(RootKey::from_bytes(bytes).to_hex(), text);
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,70}|[0-9a-f]{60,68}") {
        let parsed = RootKey::parse_hex(&text);
        let right = text.trim().len() == 64 && text.trim().bytes().all(|byte| byte.is_ascii_hexdigit());
        prop_assert_eq!(parsed.is_ok(), right);
    }
}

#[test]
fn a_mark_is_known_by_its_own_root_key_alone() {
    let mark = root(1).mark(&mut Seeded(2));
    assert!(root(1).has_made(&mark));
    assert!(!root(2).has_made(&mark));
    for at in 0..mark.len() {
        let mut altered = mark.clone();
        altered[at] ^= 1;
        assert!(!root(1).has_made(&altered), "byte {at}");
        assert!(!root(1).has_made(&mark[..at]), "cut at {at}");
    }
}
