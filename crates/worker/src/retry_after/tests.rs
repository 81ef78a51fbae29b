//! The forms of `Retry-After`.

use http::HeaderValue;

use super::*;

fn read_value(value: &[u8]) -> Option<RetryAfter> {
    let mut headers = HeaderMap::new();
    headers.insert(RETRY_AFTER, HeaderValue::from_bytes(value).unwrap());
    read(&headers)
}

#[test]
fn seconds_and_dates_are_understood() {
    let date = Some(RetryAfter::At(784_111_777_000));
    let table: [(&[u8], Option<RetryAfter>); 9] = [
        (b"120", Some(RetryAfter::Seconds(120))),
        (b" 0 ", Some(RetryAfter::Seconds(0))),
        (b"Sun, 06 Nov 1994 08:49:37 GMT", date),
        (b"Sunday, 06-Nov-94 08:49:37 GMT", date),
        (b"Sun Nov  6 08:49:37 1994", date),
        (b"-1", None),
        (b"1.5", None),
        (b"soon", None),
        (
            b"99999999999999999999999",
            Some(RetryAfter::Seconds(u64::MAX)),
        ),
    ];
    for (value, expected) in table {
        assert_eq!(
            read_value(value),
            expected,
            "{}",
            String::from_utf8_lossy(value)
        );
    }
    assert_eq!(read_value(b""), None);
    assert_eq!(read_value(b"\xff"), None);
    assert_eq!(read(&HeaderMap::new()), None);
}

#[test]
fn it_means_a_moment() {
    let now = Moment::from_millis(1_000_000);
    assert_eq!(
        RetryAfter::Seconds(7).moment(now),
        Moment::from_millis(1_007_000)
    );
    assert_eq!(
        RetryAfter::At(784_111_777_000).moment(now),
        Moment::from_millis(784_111_777_000)
    );
    assert!(RetryAfter::Seconds(u64::MAX).moment(now) > now);
}
