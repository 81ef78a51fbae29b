//! References that are right are read; forged, altered, foreign and expired ones never.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::{
    Claims, LEN, PAYLOAD_TEXT, PREFIX, ReferenceError, ReferenceKey, SECONDS, Scope, claims_to_be,
    decode,
};
use crate::{DerivedKey, Keyring, Label, testing::created};

const NOW: i64 = 1_800_000_000;
const WORKSPACE: [u8; 16] = [1; 16];
const EXECUTION: [u8; 16] = [5; 16];

fn claims() -> Claims {
    Claims {
        workspace: WORKSPACE,
        secret: [2; 16],
        scope: Scope::User { owner: [3; 16] },
        execution: EXECUTION,
        expires_at: NOW + 300,
    }
}

fn key(keyring: &Keyring) -> ReferenceKey<'_> {
    ReferenceKey::new(keyring.derived(Label::Reference))
}

fn check(text: &str) -> Result<Claims, ReferenceError> {
    key(&created(1).0).check(text, NOW, &WORKSPACE, &EXECUTION)
}

fn made() -> String {
    key(&created(1).0).make(&claims())
}

/// A reference with a right tag over a payload of one's own making.
fn signed(key: &DerivedKey, payload: &[u8]) -> String {
    let tag = key.mac(&[super::DOMAIN, payload]);
    format!(
        "{PREFIX}{}.{}",
        URL_SAFE_NO_PAD.encode(payload),
        URL_SAFE_NO_PAD.encode(tag)
    )
}

#[test]
fn what_was_made_is_read() {
    for scope in [
        Scope::Workspace,
        Scope::User { owner: [3; 16] },
        Scope::User { owner: [0; 16] },
    ] {
        let claims = Claims { scope, ..claims() };
        let text = key(&created(1).0).make(&claims);
        assert_eq!(check(&text), Ok(claims));
    }
}

#[test]
fn the_shape_is_prefix_payload_dot_tag_and_always_as_long() {
    let text = made();
    assert_eq!(text.len(), LEN);
    assert_eq!(LEN, 155);
    let (payload, tag) = text
        .strip_prefix("$secret:")
        .unwrap()
        .split_once('.')
        .unwrap();
    assert_eq!((payload.len(), tag.len()), (103, 43));
    let shown = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    assert!(payload.bytes().chain(tag.bytes()).all(shown));
}

#[test]
fn any_node_with_the_same_keys_can_check() {
    let (made_by, checked_by) = (created(1).0, created(1).0);
    let text = key(&made_by).make(&claims());
    assert_eq!(
        key(&checked_by).check(&text, NOW, &WORKSPACE, &EXECUTION),
        Ok(claims())
    );
}

#[test]
fn it_ends_at_its_second() {
    let keyring = created(1).0;
    let text = key(&keyring).make(&claims());
    let at = |now| key(&keyring).check(&text, now, &WORKSPACE, &EXECUTION);
    assert_eq!(at(NOW), Ok(claims()));
    assert_eq!(at(NOW + 299), Ok(claims()));
    for now in [NOW + 300, NOW + 301, i64::MAX] {
        assert_eq!(at(now), Err(ReferenceError::Expired));
    }
}

#[test]
fn it_belongs_to_one_execution_of_one_workspace() {
    let keyring = created(1).0;
    let text = key(&keyring).make(&claims());
    let other = [9; 16];
    for now in [NOW, NOW + 1000] {
        for (workspace, execution) in [
            (other, EXECUTION),
            (WORKSPACE, other),
            (EXECUTION, WORKSPACE),
        ] {
            let checked = key(&keyring).check(&text, now, &workspace, &execution);
            assert_eq!(checked, Err(ReferenceError::Invalid), "even when expired");
        }
    }
}

#[test]
fn another_stores_reference_is_invalid() {
    let text = key(&created(2).0).make(&claims());
    assert_eq!(check(&text), Err(ReferenceError::Invalid));
}

#[test]
fn another_labels_key_is_of_no_use() {
    let keyring = created(1).0;
    let (payload, _) = decode(&made()).unwrap();
    assert_eq!(
        check(&signed(keyring.derived(Label::Reference), &payload)),
        Ok(claims())
    );
    for label in [Label::Audit, Label::TokenLookup, Label::Cookie] {
        let forged = signed(keyring.derived(label), &payload);
        assert_eq!(check(&forged), Err(ReferenceError::Invalid));
    }
}

#[test]
fn every_changed_character_is_found() {
    let right = made();
    for at in 0..right.len() {
        for other in (b' '..=b'~').filter(|&other| other != right.as_bytes()[at]) {
            let mut bytes = right.clone().into_bytes();
            bytes[at] = other;
            let text = String::from_utf8(bytes).unwrap();
            assert_eq!(check(&text), Err(ReferenceError::Invalid), "character {at}");
        }
    }
}

#[test]
fn every_other_length_is_refused() {
    let right = made();
    for at in 0..right.len() {
        let without = format!("{}{}", &right[..at], &right[at + 1..]);
        for text in [&right[..at], &right[at + 1..], &without] {
            assert_eq!(check(text), Err(ReferenceError::Invalid), "at {at}");
        }
    }
    let padded = right.replacen('.', "=.", 1);
    for text in [
        format!("{right}="),
        format!("{right}A"),
        format!(" {right}"),
        format!("{right}\n"),
        padded,
    ] {
        assert_eq!(check(&text), Err(ReferenceError::Invalid));
    }
}

#[test]
fn parts_of_two_references_do_not_join() {
    let (a, b) = (
        made(),
        key(&created(1).0).make(&Claims {
            secret: [8; 16],
            ..claims()
        }),
    );
    let border = PREFIX.len() + PAYLOAD_TEXT;
    assert_eq!(
        check(&format!("{}{}", &a[..border], &b[border..])),
        Err(ReferenceError::Invalid)
    );
    assert_eq!(
        check(&format!("{}{}", &b[..border], &a[border..])),
        Err(ReferenceError::Invalid)
    );
}

#[test]
fn a_right_tag_over_a_wrong_payload_is_invalid() {
    let keyring = created(1).0;
    let (payload, _) = decode(&made()).unwrap();
    let key = keyring.derived(Label::Reference);
    let mut wrong_key_id = payload;
    wrong_key_id[0] ^= 1;
    let mut wrong_scope = payload;
    wrong_scope[36] = 2;
    for payload in [
        &wrong_key_id[..],
        &wrong_scope,
        &payload[1..],
        &[&payload[..], &[0]].concat(),
    ] {
        assert_eq!(check(&signed(key, payload)), Err(ReferenceError::Invalid));
    }
}

#[test]
fn errors_have_codes_and_tell_no_more() {
    assert_eq!(ReferenceError::Expired.code(), "reference_expired");
    assert_eq!(ReferenceError::Invalid.code(), "reference_invalid");
    assert!(SECONDS.contains(&super::DEFAULT_SECONDS));
}

#[test]
fn what_claims_to_be_a_reference_is_seen() {
    for text in ["$secret:", "$secret:x", &made(), " \n$secret:abc"] {
        assert!(claims_to_be(text.as_bytes()), "{text}");
    }
    for text in [
        "",
        "$secre",
        "secret:",
        "$SECRET:x",
        "a $secret:b",
        "$secret",
    ] {
        assert!(!claims_to_be(text.as_bytes()), "{text}");
    }
}

#[test]
fn debug_shows_no_key() {
    let shown = format!("{:?}", key(&created(1).0));
    assert!(shown.contains("[REDACTED]"));
}

proptest! {
    #[test]
    fn any_claims_round_trip(
        workspace: [u8; 16],
        secret: [u8; 16],
        owner: Option<[u8; 16]>,
        execution: [u8; 16],
        expires_at in 1_i64..,
    ) {
        let scope = owner.map_or(Scope::Workspace, |owner| Scope::User { owner });
        let claims = Claims { workspace, secret, scope, execution, expires_at };
        let keyring = created(1).0;
        let text = key(&keyring).make(&claims);
        prop_assert_eq!(text.len(), LEN);
        prop_assert_eq!(key(&keyring).check(&text, 0, &workspace, &execution), Ok(claims));
    }

    #[test]
    fn no_text_panics_or_passes(text in "\\PC{0,80}|\\$secret:[A-Za-z0-9_-]{103}\\.[A-Za-z0-9_-]{43}") {
        prop_assert_eq!(check(&text), Err(ReferenceError::Invalid));
    }
}
