//! The bare operations do what they are taken for.

use super::{FRESH, VALUE, Wrapping, random, random_hex};

#[test]
fn what_was_sealed_barely_opens_and_only_unaltered() {
    let wrapping = Wrapping::new().unwrap();
    let mut fresh = [0; FRESH];
    random(&mut fresh).unwrap();
    let value = [9; VALUE];
    let mut bare = wrapping.seal(&fresh, &value).unwrap();
    assert_ne!(bare.value[..VALUE], value);
    assert_eq!(wrapping.open(&bare).unwrap(), value);
    bare.value[3] ^= 1;
    assert!(wrapping.open(&bare).is_err());
}

#[test]
fn random_hex_is_as_long_as_asked() {
    let (one, two) = (random_hex(32).unwrap(), random_hex(32).unwrap());
    assert_eq!(one.len(), 64);
    assert_ne!(one, two);
}
