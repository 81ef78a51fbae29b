//! Different lists give different bytes; the inline and the spilled form are the same bytes.

use proptest::prelude::*;

use super::{Canonical, INLINE};

fn bytes_of(fields: &[Vec<u8>]) -> Vec<u8> {
    let mut list = Canonical::new("d");
    fields.iter().for_each(|field| {
        list.field(field);
    });
    list.as_bytes().to_vec()
}

#[test]
fn a_field_is_its_length_and_its_bytes() {
    let mut list = Canonical::new("ab");
    list.field(b"").field(b"c");
    let expected = [
        0, 0, 0, 0, 0, 0, 0, 2, b'a', b'b', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, b'c',
    ];
    assert_eq!(list.as_bytes(), expected);
}

#[test]
fn a_byte_cannot_move_over_a_border() {
    let split = |a: &[u8], b: &[u8]| Canonical::new("d").field(a).field(b).as_bytes().to_vec();
    assert_ne!(split(b"ab", b"c"), split(b"a", b"bc"));
    assert_ne!(split(b"abc", b""), split(b"", b"abc"));
}

#[test]
fn a_nested_list_keeps_its_borders() {
    let two = |a: &[&[u8]], b: &[&[u8]]| {
        let mut list = Canonical::new("d");
        list.list(a.iter().copied()).list(b.iter().copied());
        list.as_bytes().to_vec()
    };
    assert_ne!(two(&[b"x"], &[]), two(&[], &[b"x"]));
    assert_ne!(two(&[b"x", b"y"], &[]), two(&[b"x"], &[b"y"]));
    assert_ne!(two(&[b""], &[]), two(&[], &[]));
}

#[test]
fn spilling_changes_nothing() {
    for len in [
        0,
        1,
        INLINE - 20,
        INLINE - 17,
        INLINE - 16,
        INLINE,
        5 * INLINE,
    ] {
        let long = vec![7; len];
        let mut list = Canonical::new("d");
        list.field(&long).field(b"end");
        let mut expected = vec![0, 0, 0, 0, 0, 0, 0, 1, b'd'];
        expected.extend((len as u64).to_be_bytes());
        expected.extend(&long);
        expected.extend([0, 0, 0, 0, 0, 0, 0, 3]);
        expected.extend(b"end");
        assert_eq!(list.as_bytes(), expected, "length {len}");
    }
}

proptest! {
    #[test]
    fn lists_and_bytes_are_one_to_one(
        a in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..12),
        b in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..12),
    ) {
        prop_assert_eq!(a == b, bytes_of(&a) == bytes_of(&b));
    }
}
