//! Cores and edges against an encoder.

use ::base64::Engine as _;
use ::base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE};
use proptest::prelude::*;

use super::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_core_is_what_does_not_depend_on_neighbours(
        value in proptest::collection::vec(any::<u8>(), 8..40), offset in 0..3usize, around in any::<[u8; 2]>(),
    ) {
        let aligned = Aligned { value: &value, offset };
        let encoded = around.map(|byte| STANDARD_NO_PAD.encode([&vec![byte; offset], &value[..], &[byte; 3]].concat()));
        let mut core = vec![0; aligned.core_len()];
        aligned.fill(0, &mut core);
        let place = aligned.core();
        prop_assert!(encoded.iter().all(|text| text.as_bytes()[place.clone()] == core));
        let mut tail = [0; 5];
        aligned.fill(3, &mut tail);
        prop_assert_eq!(&tail, &core[3..8]);
    }

    #[test]
    fn a_find_has_every_character_with_a_bit_of_the_value(
        value in proptest::collection::vec(any::<u8>(), 8..40), before in 0..7usize, after in 0..4usize,
    ) {
        let text = URL_SAFE.encode([&[0x5a; 7][..before], &value, &[0x3c; 4][..after]].concat());
        let aligned = Aligned { value: &value, offset: before % 3 };
        let at = before / 3 * 4 + aligned.core().start;
        let end = if after == 0 { text.len() } else { (8 * (before + value.len())).div_ceil(6) };
        prop_assert_eq!(aligned.find_at(text.as_bytes(), at), Some(8 * before / 6..end));
    }
}

#[test]
fn other_texts_are_no_finds() {
    let aligned = Aligned {
        value: b"\xff\xff\xff\xff\xff\xff\xff\xff",
        offset: 0,
    };
    assert_eq!(aligned.find_at(b"//////////8=", 0), Some(0..12));
    assert_eq!(aligned.find_at(b"__________8", 0), Some(0..11));
    assert_eq!(
        aligned.find_at(b"//////////A=", 0),
        Some(0..10),
        "this edge character is not the value's"
    );
    assert_eq!(aligned.find_at(b"/////_////8=", 0), None, "two alphabets");
    assert_eq!(aligned.find_at(b"/////", 0), None);
    assert_eq!(aligned.find_at(b"/////A////8=", 0), None);
}

#[test]
fn beginnings() {
    let aligned = Aligned {
        value: b"\xff\xff\xff\xff\xff\xff\xff\xff",
        offset: 1,
    };
    for (text, may) in [
        ("P", true),
        ("A", false),
        ("//", true),
        ("P//", true),
        ("v//////////", true),
        ("D//////////", false),
        ("PA", false),
        ("/////////////////", false),
    ] {
        assert_eq!(aligned.may_begin(text.as_bytes()), may, "{text}");
    }
}
