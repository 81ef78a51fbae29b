//! HKDF against RFC 5869, HMAC against RFC 4231, and what separates one derived key from another.

use aws_lc_rs::hmac;
use proptest::prelude::*;

use super::{DerivedKey, Label, ROOT_SEALING, SALT, hkdf_sha256};
use crate::testing::hex;

fn hkdf(salt: &[u8], secret: &[u8], info: &[u8]) -> Vec<u8> {
    let mut out = [0; 32];
    hkdf_sha256(salt, secret, info, &mut out);
    out.to_vec()
}

/// RFC 5869, appendix A.1 to A.3: the first 32 bytes of each output.
#[test]
fn hkdf_known_answers() {
    let ascending = |from: u8, to: u8| (from..=to).collect::<Vec<_>>();
    let cases = [
        (
            vec![0x0b; 22],
            ascending(0x00, 0x0c),
            ascending(0xf0, 0xf9),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf",
        ),
        (
            ascending(0x00, 0x4f),
            ascending(0x60, 0xaf),
            ascending(0xb0, 0xff),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c",
        ),
        (
            vec![0x0b; 22],
            vec![],
            vec![],
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d",
        ),
    ];
    for (secret, salt, info, expected) in cases {
        assert_eq!(hkdf(&salt, &secret, &info), hex(expected));
    }
}

/// RFC 4231, test case 2.
#[test]
fn hmac_known_answer() {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"Jefe");
    let tag = hmac::sign(&key, b"what do ya want for nothing?");
    let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    assert_eq!(tag.as_ref(), hex(expected));
}

#[test]
fn mac_is_hmac_of_length_prefixed_parts() {
    let key = DerivedKey(hmac::Key::new(hmac::HMAC_SHA256, b"Jefe"));
    let plain = hmac::sign(
        &key.0,
        b"\0\0\0\0\0\0\0\x02ab\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01c",
    );
    assert_eq!(key.mac(&[b"ab", b"", b"c"]), plain.as_ref());
}

#[test]
fn each_label_has_its_own_key() {
    let macs = Label::ALL.map(|label| DerivedKey::new(&[7; 32], label).mac(&[b"x"]));
    for (at, mac) in macs.iter().enumerate() {
        assert_eq!(Label::ALL[at] as usize, at);
        assert!(!macs[..at].contains(mac));
        assert_ne!(*mac, DerivedKey::new(&[8; 32], Label::ALL[at]).mac(&[b"x"]));
    }
}

/// Stored tags and sealed rows depend on these bytes: a change here loses every store.
#[test]
fn derivation_never_changes() {
    let expected = [
        "860015afe30685c85df1865e7d629b8622e0d2c2f219ae6e39b601ccabe1a13a",
        "d122b2cb830adf426e5ac0c7964ad66beed3d2a9a2178fb4ae4aaa722f3c7ee1",
        "4b67b9df25514eff8588e50ef283e1820ada2bf8104b12c8a032d287d5183a6e",
        "0baefefa236b724bf83524db7af51d4d0956213b72edd0d5babed10ac3b1e581",
    ];
    for (label, expected) in Label::ALL.into_iter().zip(expected) {
        assert_eq!(
            DerivedKey::new(&[7; 32], label).mac(&[b"x"])[..],
            hex(expected),
            "{label:?}"
        );
    }
    assert_eq!(
        hkdf(SALT, &[7; 32], ROOT_SEALING),
        hex("ba6f4aa41fde4be87f5f59f81b04d135ed9bb501b75d013dc0a09dedc2cf06fd")
    );
}

#[test]
fn verify_takes_the_whole_right_tag_only() {
    let key = DerivedKey::new(&[7; 32], Label::Audit);
    let tag = key.mac(&[b"a", b"b"]);
    assert!(key.verify(&[b"a", b"b"], &tag));
    assert!(!key.verify(&[b"ab"], &tag));
    assert!(!key.verify(&[b"b", b"a"], &tag));
    for cut in 0..tag.len() {
        assert!(!key.verify(&[b"a", b"b"], &tag[..cut]));
    }
    for bit in 0..tag.len() * 8 {
        let mut wrong = tag;
        wrong[bit / 8] ^= 1 << (bit % 8);
        assert!(!key.verify(&[b"a", b"b"], &wrong));
    }
}

#[test]
fn debug_shows_no_key() {
    let key = DerivedKey::new(&[7; 32], Label::Cookie);
    assert_eq!(format!("{key:?}"), "DerivedKey([REDACTED])");
}

proptest! {
    #[test]
    fn the_borders_between_parts_count(
        a in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 0..6),
        b in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 0..6),
    ) {
        let key = DerivedKey::new(&[7; 32], Label::Audit);
        let mac = |parts: &[Vec<u8>]| key.mac(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>());
        prop_assert_eq!(a == b, mac(&a) == mac(&b));
    }
}
