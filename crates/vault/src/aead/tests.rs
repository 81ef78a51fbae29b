//! AES-256-GCM against the vectors of McGrew and Viega's GCM specification (NIST's test cases 13, 14, 16).

use aws_lc_rs::aead::{Aad, Nonce};

use super::{AeadKey, NONCE, OVERHEAD, TAG, opened_len};
use crate::{canonical::Canonical, testing::hex};

struct Vector {
    key: &'static str,
    nonce: &'static str,
    aad: &'static str,
    plain: &'static str,
    cipher: &'static str,
    tag: &'static str,
}

const VECTORS: [Vector; 3] = [
    Vector {
        key: "0000000000000000000000000000000000000000000000000000000000000000",
        nonce: "000000000000000000000000",
        aad: "",
        plain: "",
        cipher: "",
        tag: "530f8afbc74536b9a963b4f1c4cb738b",
    },
    Vector {
        key: "0000000000000000000000000000000000000000000000000000000000000000",
        nonce: "000000000000000000000000",
        aad: "",
        plain: "00000000000000000000000000000000",
        cipher: "cea7403d4d606b6e074ec5d3baf39d18",
        tag: "d0d1c8a799996bf0265b98b5d48ab919",
    },
    Vector {
        key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
        nonce: "cafebabefacedbaddecaf888",
        aad: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        plain: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
                1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        cipher: "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
                 8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
        tag: "76fc6ece0f4e1768cddf8853bb2d551b",
    },
];

fn key(digits: &str) -> AeadKey {
    AeadKey::new(&hex(digits))
}

#[test]
fn known_answers() {
    for vector in &VECTORS {
        let nonce: [u8; NONCE] = hex(vector.nonce).try_into().unwrap();
        let mut text = hex(vector.plain);
        let raw = key(vector.key).0;
        let tag = raw
            .seal_in_place_separate_tag(Nonce::from(&nonce), Aad::from(hex(vector.aad)), &mut text)
            .unwrap();
        assert_eq!(text, hex(vector.cipher));
        assert_eq!(tag.as_ref(), hex(vector.tag));
    }
}

#[test]
fn the_layout_is_nonce_ciphertext_tag() {
    for vector in &VECTORS {
        let nonce: [u8; NONCE] = hex(vector.nonce).try_into().unwrap();
        let sealed = key(vector.key).seal(&nonce, &Canonical::new("x"), &hex(vector.plain));
        assert_eq!(sealed.len(), hex(vector.plain).len() + OVERHEAD);
        assert_eq!(sealed[..NONCE], nonce);
        // The ciphertext of GCM does not depend on the AAD, its tag does.
        assert_eq!(sealed[NONCE..sealed.len() - TAG], hex(vector.cipher));
        assert_ne!(sealed[sealed.len() - TAG..], hex(vector.tag));
    }
}

#[test]
fn opens_with_its_key_and_aad_only() {
    let (right, aad) = (key(VECTORS[2].key), Canonical::new("right"));
    let sealed = right.seal(&[9; NONCE], &aad, b"plain");
    assert_eq!(right.open(&sealed, &aad).unwrap().bytes(), b"plain");
    assert!(right.open(&sealed, &Canonical::new("wrong")).is_none());
    assert!(key(VECTORS[0].key).open(&sealed, &aad).is_none());
}

#[test]
fn a_buffer_of_another_length_is_refused() {
    let (key, aad) = (key(VECTORS[0].key), Canonical::new("x"));
    let sealed = key.seal(&[9; NONCE], &aad, b"plain");
    for len in [0, 4, 6, 64] {
        assert!(
            key.open_into(&sealed, &aad, &mut vec![0; len]).is_none(),
            "length {len}"
        );
    }
}

#[test]
fn too_short_a_text_has_no_length() {
    assert_eq!(opened_len(&[]), None);
    assert_eq!(opened_len(&[0; OVERHEAD - 1]), None);
    assert_eq!(opened_len(&[0; OVERHEAD]), Some(0));
    assert_eq!(opened_len(&[0; OVERHEAD + 5]), Some(5));
}
