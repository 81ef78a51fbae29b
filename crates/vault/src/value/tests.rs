//! What a value shows (nothing) and how it compares.

use super::Value;

#[test]
fn debug_shows_nothing_of_the_value() {
    for bytes in [&b""[..], b"a", b"sk_live_1234567890", &[0, 255, 7]] {
        assert_eq!(format!("{:?}", Value::new(bytes)), "[REDACTED]");
        assert_eq!(
            format!("{:#?}", Some(Value::new(bytes))),
            "Some(\n    [REDACTED],\n)"
        );
    }
}

#[test]
fn equality_is_of_the_bytes() {
    let a = Value::new("one");
    assert_eq!(a, Value::new(b"one".to_vec()));
    assert_ne!(a, Value::new("two"));
    assert_ne!(a, Value::new("one "));
    assert_ne!(a, Value::new(""));
    assert_eq!(Value::new(""), Value::zeros(0));
}

#[test]
fn a_duplicate_is_equal_and_separate() {
    let a = Value::new("one");
    let mut b = a.duplicate();
    assert_eq!(a, b);
    b.bytes_mut()[0] = b'x';
    assert_ne!(a, b);
    assert_eq!(a.bytes(), b"one");
}

#[test]
fn length_is_in_bytes() {
    assert_eq!(Value::new("é").len(), 2);
    assert!(Value::new("").is_empty());
    assert!(!Value::zeros(1).is_empty());
}
