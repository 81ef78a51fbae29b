//! The parts that need no server: addresses, what a value becomes, how answers are read. Calls are tried with `cronctl`.

use http::{HeaderMap, HeaderValue};
use padclock_vault::Value;
use proptest::prelude::*;

use super::transport::Reply;
use super::{BadUrl, BaseUrl, Client, ClientError, NewSecret, SecretChange, answer, disclose};
use crate::ErrorCode;

#[test]
fn plain_http_goes_to_this_machine_alone() {
    let good = [
        ("http://127.0.0.1:7464", "http://127.0.0.1:7464", true),
        ("http://127.8.9.1", "http://127.8.9.1", true),
        ("http://[::1]:7464/", "http://[::1]:7464", true),
        ("http://localhost/", "http://localhost", true),
        ("http://LocalHost:1", "http://LocalHost:1", true),
        (
            "https://padclock.example.com",
            "https://padclock.example.com",
            false,
        ),
        (
            "https://padclock.example.com:8443/a/b/",
            "https://padclock.example.com:8443/a/b",
            false,
        ),
        ("https://127.0.0.1", "https://127.0.0.1", true),
        ("https://192.0.2.1", "https://192.0.2.1", false),
    ];
    for (text, shown, loopback) in good {
        let base: BaseUrl = text.parse().unwrap();
        assert_eq!(
            (base.to_string().as_str(), base.is_loopback()),
            (shown, loopback),
            "{text}"
        );
        assert_eq!(base.is_tls(), text.starts_with("https"));
    }
    let bad = [
        ("http://192.0.2.1", BadUrl::PlainHttp),
        ("http://10.0.0.1:7464", BadUrl::PlainHttp),
        ("http://0.0.0.0:7464", BadUrl::PlainHttp),
        ("http://[::]:7464", BadUrl::PlainHttp),
        ("http://[::ffff:127.0.0.1]", BadUrl::PlainHttp),
        ("http://padclock.example.com", BadUrl::PlainHttp),
        ("http://localhost.example.com", BadUrl::PlainHttp),
        ("http://127.0.0.1.example.com", BadUrl::PlainHttp),
        ("http://2130706433", BadUrl::PlainHttp),
        ("http://127.1", BadUrl::PlainHttp),
        ("http://127.0.0.1@example.com", BadUrl::UserInfo),
        ("https://a:b@example.com", BadUrl::UserInfo),
        ("https://example.com?a", BadUrl::Query),
        ("https://example.com/#a", BadUrl::Query),
        ("ws://127.0.0.1", BadUrl::Scheme),
        ("127.0.0.1:7464", BadUrl::Scheme),
        ("", BadUrl::Scheme),
        ("http://", BadUrl::Form),
        ("https://exa mple.com", BadUrl::Form),
        ("https://:443", BadUrl::Form),
    ];
    for (text, why) in bad {
        assert_eq!(text.parse::<BaseUrl>(), Err(why), "{text}");
    }
}

#[test]
fn paths_follow_the_prefix() {
    let base: BaseUrl = "https://example.com/padclock/".parse().unwrap();
    assert_eq!(
        base.join("/v1/jobs?limit=1").unwrap(),
        "https://example.com/padclock/v1/jobs?limit=1"
    );
    let base: BaseUrl = "https://example.com".parse().unwrap();
    assert_eq!(
        base.join("/v1/jobs").unwrap(),
        "https://example.com/v1/jobs"
    );
}

#[test]
fn a_token_is_in_one_sensitive_header() {
    let header = disclose::bearer(&Value::new("pck_abc")).unwrap();
    assert_eq!(header, "Bearer pck_abc");
    assert!(header.is_sensitive());
    assert_eq!(format!("{header:?}"), "Sensitive");
    for bad in [
        "",
        "pck abc",
        "pck_abc\n",
        "pck_abc\r\nX-Evil: 1",
        "pck_\u{e9}",
        "a\0b",
    ] {
        assert!(
            matches!(
                disclose::bearer(&Value::new(bad)),
                Err(ClientError::BadToken)
            ),
            "{bad:?}"
        );
    }
}

#[test]
fn a_client_shows_no_token() {
    let client = Client::new(
        "http://127.0.0.1:1".parse().unwrap(),
        &Value::new("pck_abc"),
    )
    .unwrap();
    assert!(!format!("{client:?}").contains("pck"));
}

#[test]
fn a_value_is_beside_the_fields_as_it_was() {
    let awkward = [
        "plain",
        "\"quoted\" 'and' \\",
        "two\nlines\r\n",
        "\u{0}\u{1}\u{1f}\u{7f}",
        "é 😀 \u{2028}",
        &"\u{1}".repeat(65_536),
    ];
    for text in awkward {
        let new = NewSecret {
            name: "n".to_owned(),
            ttl: Some(60),
            ..NewSecret::default()
        };
        let body = disclose::with_value(&new, &Value::new(text))
            .unwrap()
            .unwrap();
        let read: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            read,
            serde_json::json!({ "name": "n", "ttl": 60, "value": text })
        );
    }
    let not_text = disclose::with_value(&NewSecret::default(), &Value::new(vec![0xff]));
    assert!(matches!(not_text, Err(ClientError::NotText)));
}

#[test]
fn what_is_posted_is_what_the_server_reads() {
    let new = NewSecret {
        name: "n".to_owned(),
        environment: Some("staging".to_owned()),
        scope: Some(crate::secret::Scope::User),
        description: Some("d".to_owned()),
        egress: Some(padclock_vault::EgressPolicy {
            hosts: vec!["a.example".to_owned()],
            ..Default::default()
        }),
        ttl: Some(60),
        reveal: Some(crate::secret::Reveal::Never),
        unmaskable: true,
        rotate_every_days: Some(90),
    };
    let body = disclose::with_value(&new, &Value::new("v\"v"))
        .unwrap()
        .unwrap();
    let read: crate::secret::SecretCreate = serde_json::from_slice(&body).unwrap();
    assert_eq!(read.value.0, Value::new("v\"v"));
    let read = NewSecret {
        name: read.name,
        environment: read.environment,
        scope: Some(read.scope),
        description: read.description,
        egress: read.egress,
        ttl: read.ttl,
        reveal: Some(read.reveal),
        unmaskable: read.unmaskable,
        rotate_every_days: read.rotate_every_days,
    };
    assert_eq!(read, new);
    let change = SecretChange {
        description: Some(None),
        rotate_every_days: Some(Some(7)),
    };
    let read: crate::secret::SecretPatch =
        serde_json::from_slice(&serde_json::to_vec(&change).unwrap()).unwrap();
    assert_eq!(
        (read.description, read.rotate_every_days),
        (Some(None), Some(Some(7)))
    );
}

fn reply(status: u16, body: &str) -> Reply {
    Reply {
        status,
        headers: HeaderMap::new(),
        body: body.to_owned().into(),
    }
}

#[test]
fn failures_are_read_from_their_envelope_alone() {
    let envelope = |code: &str| {
        format!(
            r#"{{"error":{{"code":"{code}","message":"m","details":[{{"field":"f","code":"c","message":"x"}},7],"request_id":"r"}}}}"#
        )
    };
    let table = [
        (400, "validation_error", ErrorCode::ValidationError),
        (409, "conflict", ErrorCode::Conflict),
        (401, "of_tomorrow", ErrorCode::Unauthorized),
        (403, "of_tomorrow", ErrorCode::Forbidden),
        (422, "of_tomorrow", ErrorCode::ValidationError),
        (428, "of_tomorrow", ErrorCode::PreconditionFailed),
        (500, "of_tomorrow", ErrorCode::Internal),
        (504, "of_tomorrow", ErrorCode::Unavailable),
    ];
    for (status, word, code) in table {
        let Err(ClientError::Refused(body)) = answer::success(reply(status, &envelope(word)))
        else {
            panic!("{status} {word}")
        };
        assert_eq!(
            (
                body.code,
                body.message.as_str(),
                body.details.len(),
                body.request_id.as_str()
            ),
            (code, "m", 1, "r")
        );
    }
    for body in [
        "",
        "<html>",
        "{}",
        r#"{"error":"text"}"#,
        r#"{"error":{"code":"conflict"}}"#,
        "[]",
    ] {
        assert!(
            matches!(
                answer::success(reply(502, body)),
                Err(ClientError::Foreign { status: 502 })
            ),
            "{body}"
        );
    }
    assert!(matches!(
        answer::success(reply(302, "")),
        Err(ClientError::Redirected { status: 302 })
    ));
    assert_eq!(answer::success(reply(304, "")).unwrap().status, 304);
}

#[test]
fn an_answer_keeps_what_this_version_does_not_know() {
    let mut sent = reply(200, r#"{"id":"i","name":"n","colour":"blue"}"#);
    sent.headers
        .insert("etag", HeaderValue::from_static("\"3\""));
    let read: super::Answer<crate::me::Named> = answer::read(sent).unwrap();
    assert_eq!(
        (read.it.name.as_str(), read.etag.as_deref()),
        ("n", Some("\"3\""))
    );
    assert_eq!(read.json["colour"], "blue");
    // What can't be read is not repeated.
    let error = answer::read::<crate::me::Named>(reply(200, "sk_live_echoed")).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("sk_live"));
    let error =
        answer::read::<crate::me::Named>(reply(200, r#"{"id":["sk_live_echoed"]}"#)).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("sk_live"));
}

#[test]
fn what_may_pass_by_itself_is_told_apart() {
    let refused = |code| {
        ClientError::Refused(Box::new(crate::ErrorBody {
            code,
            message: String::new(),
            details: Vec::new(),
            request_id: String::new(),
        }))
    };
    for error in [
        refused(ErrorCode::Unavailable),
        refused(ErrorCode::RateLimited),
        ClientError::Foreign { status: 503 },
    ] {
        assert!(error.is_passing(), "{error:?}");
    }
    for error in [
        refused(ErrorCode::Internal),
        refused(ErrorCode::Unauthorized),
        ClientError::Foreign { status: 404 },
        ClientError::NotText,
    ] {
        assert!(!error.is_passing(), "{error:?}");
    }
}

proptest! {
    #[test]
    fn whatever_is_given_as_an_address_plain_http_stays_here(text in "(https?|ftp)?(://)?[a-z0-9.:@\\[\\]/?#%-]{0,30}") {
        if let Ok(base) = text.parse::<BaseUrl>() {
            prop_assert!(base.is_tls() || base.is_loopback(), "{text}");
            prop_assert_eq!(base.to_string().parse::<BaseUrl>(), Ok(base));
        }
    }

    #[test]
    fn any_text_arrives_as_it_was(text in any::<String>(), name in any::<String>()) {
        let new = NewSecret { name: name.clone(), ..NewSecret::default() };
        let body = disclose::with_value(&new, &Value::new(text.as_str())).unwrap().unwrap();
        let read: serde_json::Value = serde_json::from_slice(&body).unwrap();
        prop_assert_eq!(read, serde_json::json!({ "name": name, "value": text }));
    }

    #[test]
    fn a_failure_that_is_not_padclocks_is_never_repeated(status in 400u16..600, noise in "[a-z{}\\[\\]\":, ]{0,40}") {
        let body = format!("{noise}sk_live_echoed");
        if let Err(error) = answer::success(reply(status, &body)) {
            let said = format!("{error} {error:?}");
            prop_assert!(!said.contains("sk_live"));
        } else {
            prop_assert!(false, "a failure was taken for a success");
        }
    }
}
