//! Answers of token endpoints: what is a token, how long it lives, and what is said of the others.

use http::Response;

use super::*;

fn head(status: u16, headers: &[(&str, &str)]) -> Parts {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(()).unwrap().into_parts().0
}

fn granted_seconds(body: &str) -> Option<u64> {
    let granted = read(&head(200, &[]), body.as_bytes(), "host").ok()?;
    assert_eq!(granted.value, Value::new("a-token-that-is-fine"));
    Some(granted.seconds)
}

#[test]
fn lifetimes_in_all_their_spellings() {
    let table = [
        (r#""token_type": "Bearer", "expires_in": 3600"#, 3_600),
        (r#""token_type": "bearer", "expires_in": "3599""#, 3_599),
        (r#""expires_in": null, "scope": "a b""#, UNSAID),
        (r#""scope": """#, UNSAID),
        (r#""expires_in": 0"#, 0),
        (r#""expires_in": -5"#, 0),
        (r#""expires_in": "soon""#, 0),
        (r#""expires_in": 99999999999"#, LONGEST),
    ];
    for (rest, seconds) in table {
        let body = format!(r#"{{"access_token": "a-token-that-is-fine", {rest}}}"#);
        assert_eq!(granted_seconds(&body), Some(seconds), "{body}");
    }
}

#[test]
fn what_is_no_token_is_said_without_a_word_of_it() {
    let long = format!(r#"{{"access_token": "{}"}}"#, "x".repeat(16 * 1024 + 1));
    let table = [
        ("", "RFC 6749"),
        ("not JSON: hunter2hunter2", "RFC 6749"),
        (r#"["hunter2hunter2"]"#, "RFC 6749"),
        (r#"{"access_token": 12345678}"#, "RFC 6749"),
        (r#"{"token": "hunter2hunter2"}"#, "no access_token"),
        (r#"{"access_token": null}"#, "no access_token"),
        (r#"{"access_token": "hunter2"}"#, "less than 8"),
        (&long, "more than 16 KiB"),
        (r#"{"access_token": "hunter2\r\nX-Evil: 1"}"#, "header"),
        (r#"{"access_token": "hunter2-ünï"}"#, "header"),
        (
            r#"{"access_token": "hunter2hunter2", "token_type": "mac"}"#,
            "token_type",
        ),
    ];
    for (body, why) in table {
        let refused = read(&head(200, &[]), body.as_bytes(), "auth.example.com");
        let Err(Refused { failure, error }) = refused else {
            panic!("{body} was taken")
        };
        assert_eq!((failure.kind, failure.code), (FailureKind::Protocol, CODE));
        assert!(failure.message.contains(why), "{body}: {}", failure.message);
        assert!(failure.message.contains("auth.example.com"));
        assert!(!failure.message.contains("hunter2"), "{}", failure.message);
        assert_eq!(error, None);
    }
    let encoded = head(200, &[("content-encoding", "gzip")]);
    assert!(read(&encoded, b"{}", "host").is_err());
}

#[test]
fn refusals_have_their_status_and_code() {
    let table = [
        (
            400,
            r#"{"error": "invalid_client", "error_description": "long"}"#,
            Some("invalid_client"),
        ),
        (401, r#"{"error": {"type": "other"}}"#, None),
        (503, "<html>", None),
    ];
    for (status, body, code) in table {
        let refused = read(
            &head(status, &[("retry-after", "7")]),
            body.as_bytes(),
            "host",
        );
        let Err(Refused { failure, error }) = refused else {
            panic!("{status} was taken")
        };
        assert_eq!(
            (failure.kind, failure.status),
            (FailureKind::Status, Some(status))
        );
        assert!(failure.retry_after.is_some());
        assert_eq!(error.as_deref(), code);
    }
}

#[test]
fn an_errors_code_is_cut_and_made_plain() {
    assert_eq!(shown("invalid_client"), "invalid_client");
    assert_eq!(shown("a\nb\u{7f}ü"), "a?b??");
    assert_eq!(shown(&"x".repeat(500)).len(), ERROR_SHOWN);
}
