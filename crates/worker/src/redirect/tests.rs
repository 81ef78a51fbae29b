//! Where redirects lead, and what they may not take along.

use bytes::Bytes;
use http::{HeaderName, HeaderValue};

use super::*;

const SECRET: &[u8] = b"correct-horse-battery";

fn sent(method: Method, uri: &str) -> Outgoing {
    let mut headers = HeaderMap::new();
    let mut secret = HeaderValue::from_bytes(SECRET).unwrap();
    secret.set_sensitive(true);
    headers.insert(HeaderName::from_static("x-key"), secret);
    headers.insert(
        HeaderName::from_static("authorization"),
        HeaderValue::from_static("Basic literal"),
    );
    headers.insert(
        HeaderName::from_static("cookie"),
        HeaderValue::from_static("a=b"),
    );
    headers.insert(
        HeaderName::from_static("content-type"),
        HeaderValue::from_static("text/plain"),
    );
    headers.insert(
        HeaderName::from_static("x-plain"),
        HeaderValue::from_static("stays"),
    );
    Outgoing {
        method,
        uri: uri.parse().unwrap(),
        headers,
        body: Bytes::from_static(b"body"),
        secret_body: false,
    }
}

fn follow_to(sent: Outgoing, status: u16, location: &str) -> Result<Option<Next>, Failure> {
    let mut headers = HeaderMap::new();
    headers.insert(
        LOCATION,
        HeaderValue::from_bytes(location.as_bytes()).unwrap(),
    );
    let redactor = Redactor::new([("KEY", SECRET)]);
    next(
        sent,
        StatusCode::from_u16(status).unwrap(),
        &headers,
        &redactor,
    )
}

#[test]
fn locations_are_resolved_and_origins_told_apart() {
    let table = [
        ("/next", "http://a.test/next", true),
        ("next?x=1", "http://a.test/dir/next?x=1", true),
        ("?only=query", "http://a.test/dir/page?only=query", true),
        ("http://a.test:80/x", "http://a.test/x", true),
        ("HTTP://A.TEST/x#part", "http://a.test/x", true),
        ("//b.test/x", "http://b.test/x", false),
        ("https://a.test/x", "https://a.test/x", false),
        ("http://a.test:81/x", "http://a.test:81/x", false),
        ("http://user:pass@b.test/x", "http://b.test/x", false),
        ("http://2130706433/", "http://127.0.0.1/", false),
        ("http:\\\\b.test\\x", "http://b.test/x", false),
    ];
    for (location, uri, same_origin) in table {
        let next = follow_to(
            sent(Method::GET, "http://a.test/dir/page?q=1"),
            302,
            location,
        )
        .unwrap()
        .unwrap();
        assert_eq!(next.request.uri.to_string(), uri, "{location}");
        assert_eq!(next.same_origin, same_origin, "{location}");
    }
}

#[test]
fn another_origin_gets_nothing_secret() {
    let next = follow_to(sent(Method::GET, "http://a.test/"), 307, "http://b.test/")
        .unwrap()
        .unwrap();
    let mut names: Vec<_> = next
        .request
        .headers
        .keys()
        .map(HeaderName::as_str)
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["content-type", "x-plain"]);
    let same = follow_to(sent(Method::GET, "http://a.test/"), 307, "/b")
        .unwrap()
        .unwrap();
    assert_eq!(same.request.headers.len(), 5);
}

#[test]
fn a_secret_body_or_location_stays_here() {
    let secret_body = || Outgoing {
        secret_body: true,
        ..sent(Method::POST, "http://a.test/")
    };
    assert_eq!(
        follow_to(secret_body(), 307, "http://b.test/")
            .unwrap_err()
            .code,
        "redirect_refused"
    );
    assert!(follow_to(secret_body(), 307, "/b").unwrap().is_some());
    let dropped = follow_to(secret_body(), 303, "http://b.test/")
        .unwrap()
        .unwrap();
    assert!(
        dropped.request.body.is_empty(),
        "a body that is dropped carries nothing"
    );
    let failure = follow_to(
        sent(Method::GET, "http://a.test/"),
        302,
        "http://b.test/?k=correct-horse-battery",
    )
    .unwrap_err();
    assert_eq!(failure.code, "redirect_refused");
    assert!(!failure.message.contains("correct"));
}

#[test]
fn methods_change_as_they_always_have() {
    let table = [
        (301, Method::POST, Method::GET),
        (302, Method::POST, Method::GET),
        (303, Method::POST, Method::GET),
        (303, Method::PUT, Method::GET),
        (303, Method::HEAD, Method::HEAD),
        (301, Method::PUT, Method::PUT),
        (307, Method::POST, Method::POST),
        (308, Method::POST, Method::POST),
    ];
    for (status, before, after) in table {
        let next = follow_to(sent(before.clone(), "http://a.test/"), status, "/x")
            .unwrap()
            .unwrap();
        assert_eq!(next.request.method, after, "{status} {before}");
        assert_eq!(
            next.request.body.is_empty(),
            before != after,
            "{status} {before}"
        );
        assert_eq!(
            next.request.headers.contains_key("content-type"),
            before == after,
            "{status} {before}"
        );
    }
}

#[test]
fn what_is_no_redirect_is_not_followed() {
    assert!(
        follow_to(sent(Method::GET, "http://a.test/"), 200, "/x")
            .unwrap()
            .is_none()
    );
    assert!(
        follow_to(sent(Method::GET, "http://a.test/"), 304, "/x")
            .unwrap()
            .is_none()
    );
    let none = next(
        sent(Method::GET, "http://a.test/"),
        StatusCode::FOUND,
        &HeaderMap::new(),
        &Redactor::none(),
    );
    assert!(none.unwrap().is_none(), "without a Location");
}

#[test]
fn what_leads_nowhere_is_refused() {
    for location in [
        "ftp://b.test/",
        "file:///etc/passwd",
        "http://",
        "javascript:alert(1)",
        "http://[::1",
        "http://b.test:99999/",
    ] {
        let failure = follow_to(sent(Method::GET, "http://a.test/"), 302, location).unwrap_err();
        assert_eq!(failure.code, "redirect_refused", "{location}");
    }
    let mut two = HeaderMap::new();
    two.append(LOCATION, HeaderValue::from_static("/a"));
    two.append(LOCATION, HeaderValue::from_static("/b"));
    let failure = next(
        sent(Method::GET, "http://a.test/"),
        StatusCode::FOUND,
        &two,
        &Redactor::none(),
    )
    .unwrap_err();
    assert_eq!(failure.code, "redirect_refused");
}
