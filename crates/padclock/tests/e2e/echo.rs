//! Targets that send back what they were sent, in every dress: nothing of it is stored or logged. What is in the folder,
//! the database and the logs is looked through when the home is dropped.

use std::sync::Arc;

use async_compression::tokio::write::{
    BrotliEncoder, DeflateEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::client::word;
use crate::home::{Engine, Home, on_both_stores};
use crate::leaks;
use crate::server::{Launch, Server};
use crate::target::{Reply, Target};

on_both_stores!(
    echoed_values_are_masked_in_every_encoding,
    a_long_body_is_redacted_before_it_is_cut,
    a_query_is_masked_in_the_recorded_url
);

const VALUE: &str = "tök/en \"7&8\" = 100%? <yes>";

fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                (byte as char).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// The value in each form that an echo may have, in the middle of other text.
fn forms() -> Vec<(&'static str, String)> {
    let quoted = serde_json::to_string(VALUE).unwrap();
    let hex: String = VALUE.bytes().map(|byte| format!("{byte:02x}")).collect();
    let escaped: String = VALUE
        .encode_utf16()
        .map(|unit| format!("\\u{unit:04x}"))
        .collect();
    let entities = VALUE
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;");
    vec![
        ("plain", VALUE.to_owned()),
        ("json", quoted[1..quoted.len() - 1].to_owned()),
        (
            "json-slash",
            quoted[1..quoted.len() - 1].replace('/', "\\/"),
        ),
        ("json-unicode", escaped),
        ("percent", percent(VALUE)),
        ("percent-lower", percent(VALUE).to_lowercase()),
        ("form", percent(VALUE).replace("%20", "+")),
        ("base64", STANDARD.encode(VALUE)),
        ("base64-1", STANDARD.encode(format!("x{VALUE}tail"))),
        ("base64-2", STANDARD.encode(format!("xy{VALUE}tail"))),
        (
            "base64-url",
            URL_SAFE_NO_PAD.encode(format!("user:{VALUE}")),
        ),
        ("hex", hex.clone()),
        ("hex-upper", hex.to_uppercase()),
        ("html", entities),
    ]
}

async fn encoded(coding: &str, body: &[u8]) -> Vec<u8> {
    macro_rules! through {
        ($encoder:ident) => {{
            let mut encoder = $encoder::new(Vec::new());
            encoder.write_all(body).await.unwrap();
            encoder.shutdown().await.unwrap();
            encoder.into_inner()
        }};
    }
    match coding {
        "gzip" => through!(GzipEncoder),
        "deflate" => through!(ZlibEncoder),
        "raw deflate" => through!(DeflateEncoder),
        "br" => through!(BrotliEncoder),
        "zstd" => through!(ZstdEncoder),
        _ => body.to_vec(),
    }
}

/// A target whose answer is decided by the path: the form's name and the content coding.
async fn echo() -> Target {
    let mut replies = std::collections::HashMap::new();
    for (form, text) in forms() {
        for coding in ["identity", "gzip", "deflate", "br", "zstd"] {
            let body = encoded(coding, format!("you sent: {text} (that was it)").as_bytes()).await;
            let header = if coding == "identity" {
                String::new()
            } else {
                format!("Content-Encoding: {coding}\r\n")
            };
            replies.insert(
                format!("/{form}/{coding}"),
                Reply::response(
                    200,
                    &format!("{header}X-Echo: Bearer {}\r\n", percent(VALUE)),
                    &body,
                ),
            );
        }
    }
    Target::new(move |seen| {
        replies
            .get(&seen.path)
            .cloned()
            .unwrap_or_else(|| Reply::ok("what?"))
    })
    .await
}

async fn echoed_values_are_masked_in_every_encoding(engine: Engine) {
    let (home, target) = (Arc::new(Home::new(engine).await), echo().await);
    // All that can be logged, by the libraries too, is looked through as well.
    let server = Launch::of(&home).env("PADCLOCK_LOG", "trace").start().await;
    server.secret("ECHOED", VALUE).await;
    let mut started = Vec::new();
    for (form, _) in forms() {
        for coding in ["identity", "gzip", "deflate", "br", "zstd"] {
            let request = json!({"url": target.url(&format!("/{form}/{coding}")), "headers": {"X-Key": "{{secret.ECHOED}}"}});
            let job = server
                .client
                .manual(&format!("{form} {coding}"), request)
                .await;
            started.push(server.client.start(&job).await);
        }
    }
    assert!(home.logged().contains("\"level\":\"TRACE\""));
    let planted = [("ECHOED".to_owned(), VALUE.as_bytes().to_vec())];
    for execution in started {
        let execution = server.client.over(&execution).await;
        let response = &execution["attempts"][0]["response"];
        assert_eq!(execution["status"], "succeeded", "{execution}");
        let body = word(response, "body");
        assert!(
            body.starts_with("you sent: ") && body.contains("[REDACTED:ECHOED]"),
            "{}: {body}",
            word(&execution, "job_name")
        );
        assert!(
            body.ends_with("(that was it)"),
            "{}: {body}",
            word(&execution, "job_name")
        );
        let found = leaks::find(
            &planted,
            word(&execution, "job_name"),
            execution.to_string().as_bytes(),
        );
        assert!(found.is_empty(), "{found:?}: {execution}");
        assert_eq!(response["headers"]["x-echo"], "Bearer [REDACTED:ECHOED]");
    }
}

async fn a_long_body_is_redacted_before_it_is_cut(engine: Engine) {
    // The value stands every 61 bytes, so that wherever the kept head ends and the tail begins, one is cut in two.
    let body = format!("{VALUE}{}", "-".repeat(61 - VALUE.len())).repeat(6_000);
    let length = body.len();
    let target = Target::new(move |_| Reply::ok(&body)).await;
    let server = Server::new(engine).await;
    server.secret("ECHOED", VALUE).await;
    let job = server
        .client
        .manual(
            "long",
            json!({"url": target.url("/"), "headers": {"X-Key": "{{secret.ECHOED}}"}}),
        )
        .await;
    let execution = server.client.run(&job).await;
    let response = &execution["attempts"][0]["response"];
    assert_eq!(
        (&response["truncated"], &response["body_bytes"]),
        (&json!(true), &json!(length))
    );
    let kept = word(response, "body");
    assert!(kept.len() <= 70 * 1024, "{}", kept.len());
    for piece in ["tök/", "/en ", "7&8", "100%", "<yes>"] {
        assert!(!kept.contains(piece), "{piece}");
    }
}

async fn a_query_is_masked_in_the_recorded_url(engine: Engine) {
    let (server, target) = (Server::new(engine).await, Target::agreeable().await);
    server.secret("ECHOED", VALUE).await;
    let request = json!({
        "url": target.url("/a/{{secret.ECHOED}}?k={{secret.ECHOED}}"), "method": "POST",
        "auth": {"basic": {"username": "me", "password": "{{secret.ECHOED}}"}}, "body": {"k": "{{secret.ECHOED}}"}
    });
    let job = server.client.manual("url", request).await;
    let execution = server.client.run(&job).await;
    let sent: &Value = &execution["attempts"][0]["request"];
    assert_eq!(
        word(sent, "url"),
        target.url("/a/[REDACTED:ECHOED]?k=[REDACTED:ECHOED]")
    );
    assert_eq!(word(sent, "body"), r#"{"k":"[REDACTED:ECHOED]"}"#);
    assert!(
        sent["headers"]["authorization"]
            .as_str()
            .unwrap()
            .contains("[REDACTED:"),
        "{sent}"
    );
    assert!(!sent.to_string().contains("bWU6"), "{sent}");
}
