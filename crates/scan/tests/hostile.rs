//! Whatever is read: no panic, spans that fit, no overlap, and nothing of the text in a finding.

#![cfg(test)]

mod make;

use make::Maker;
use padclock_scan::{Context, Step, scan_document, scan_field, scan_text};
use proptest::prelude::*;
use serde_json::json;

fn fits(text: &str) {
    let mut end = 0;
    for finding in scan_text(text) {
        assert!(
            finding.span.start >= end && finding.span.end > finding.span.start,
            "{finding:?}"
        );
        assert!(text.get(finding.span.clone()).is_some(), "{finding:?}");
        assert_eq!(
            finding.line,
            text[..finding.span.start].matches('\n').count() + 1
        );
        end = finding.span.end;
    }
}

#[test]
fn long_and_repeated_text_is_read_to_its_end() {
    let pieces = [
        "password=",
        "token",
        "token=token=",
        "eyJ",
        "eyJeyJ.eyJ.",
        "-----BEGIN PRIVATE KEY-----",
        "://",
        "://a:",
        "@",
        "glpat-",
        "\"password\": \"",
        "key\\\"",
        "sk-sk-",
        "xoxb-1",
        "bearer ",
        "basic ",
        "cookie:a=",
        "curl -u a:",
        "Q~",
        "-us1",
        ":AA",
        "SG.",
        "'",
        "\u{e9}password\u{e9}=",
        "pck_",
        "{",
        "${",
    ];
    let secret = Maker::new(5).fill("ghp_{A36}");
    for piece in pieces {
        let text = format!("{} {secret}", piece.repeat(40_000 / piece.len()));
        fits(&text);
        let last = scan_text(&text).into_iter().next_back();
        assert_eq!(
            last.map(|one| text[one.span].to_owned()),
            Some(secret.clone()),
            "{piece}"
        );
    }
}

#[test]
fn a_credential_is_found_wherever_a_long_line_holds_it() {
    let mut maker = Maker::new(8);
    let secret = maker.fill("AKIA{X16}");
    for at in [0, 1, 63, 64, 65, 4_095, 4_096, 1_000_000] {
        let text = format!("{}{secret}{}", ".".repeat(at), " ".repeat(1_000_000));
        assert_eq!(scan_text(&text).len(), 1, "{at}");
    }
}

#[test]
fn a_field_is_read_by_its_name() {
    let mut maker = Maker::new(9);
    let token = maker.fill("{A32}");
    let found = |context, text: &str| {
        scan_field(context, text)
            .into_iter()
            .map(|one| (one.rule, text[one.span].to_owned()))
            .collect::<Vec<_>>()
    };
    let bearer = format!("Bearer {token}");
    assert_eq!(
        found(Context::Header("Authorization"), &bearer),
        [("http-bearer", token.clone())]
    );
    assert_eq!(
        found(Context::Header("authorization"), &format!("Hmac {token}")),
        [("generic-secret", token.clone())]
    );
    assert_eq!(
        found(Context::Header("X-Api-Key"), &token),
        [("generic-secret", token.clone())]
    );
    assert_eq!(
        found(Context::Query("key"), &token),
        [("generic-secret", token.clone())]
    );
    assert_eq!(
        found(Context::Credential("password"), "tulip"),
        [("generic-password", "tulip".to_owned())]
    );
    assert_eq!(
        found(Context::Header("Cookie"), &format!("a=b; sid={token}")),
        [("http-cookie", token.clone())]
    );
    for (context, text) in [
        (Context::Header("X-Request-Id"), token.as_str()),
        (Context::Header("Authorization"), "Bearer {{secret.API}}"),
        (Context::Header("X-Api-Key"), "secret://api_key"),
        (Context::Credential("password"), "{{secret.DB}}"),
        (Context::Credential("token"), "secret://db"),
        (Context::Query("page"), "2"),
        (Context::Named("region"), "eu-central-1"),
        (Context::Text, token.as_str()),
    ] {
        assert_eq!(found(context, text), [], "{context:?} {text}");
    }
}

#[test]
fn a_document_is_read_by_its_places() {
    let mut maker = Maker::new(10);
    let (a, b, c) = (
        maker.fill("{A32}"),
        maker.fill("{A24}"),
        maker.fill("sk_live_{A24}"),
    );
    let document = json!({
        "name": "report", "request": {
            "url": "https://api.example.com/x", "headers": { "X-Api-Key": a, "Accept": "text/csv" },
            "auth": { "basic": { "username": "ops", "password": "tulip" } },
            "body": { "items": [{ "note": "ok" }, { "client_secret": b }] },
        },
        "env": { "KEY": c, "REGION": "eu" },
    });
    let found = scan_document(&document);
    let paths: Vec<(String, &str)> = found
        .iter()
        .map(|one| (one.path(), one.finding.rule))
        .collect();
    let expected = [
        ("env.KEY", "stripe-key"),
        ("request.auth.basic.password", "generic-password"),
        ("request.body.items[1].client_secret", "generic-secret"),
        ("request.headers.X-Api-Key", "generic-secret"),
    ];
    assert_eq!(paths, expected.map(|(path, rule)| (path.to_owned(), rule)));
    assert_eq!(found[2].steps[3], Step::Index(1));
    assert!(!format!("{found:?}").contains("tulip"));
}

proptest! {
    #[test]
    fn any_text_can_be_read(text in any::<String>()) {
        fits(&text);
    }

    #[test]
    fn any_text_of_telling_pieces_can_be_read(pieces in prop::collection::vec(prop::sample::select(vec![
        "password", "=", ":", "\"", "\\", "'", " ", "\n", "token", "Bearer ", "://", "@", "eyJ", ".", "abc123XYZ", "-----BEGIN ", "PRIVATE KEY-----", "\u{1f600}", "<", ">", "-u",
        "curl", "--", "key", "SK", "AKIA", "0123456789abcdef", "hooks.slack.com/", "services/", "?", "&", "sig=", "discord.com", "/api/webhooks/", "cookie:", "basic ", "{{", "}}", "\u{e9}",
    ]), 0..60)) {
        fits(&pieces.concat());
    }
}
