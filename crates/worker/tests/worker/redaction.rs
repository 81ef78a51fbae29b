//! Nothing that holds a secret is stored, in whatever way the target sends it back.

use async_compression::tokio::bufread::{
    BrotliEncoder, DeflateEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder,
};
use padclock_worker::End;
use tokio::io::AsyncReadExt;

use crate::support::target::{Reply, Target, response};
use crate::support::{Case, everything, stored};

const VALUE: &str = "tok/en+\"with\\all&that<is>special";

/// Runs a job that sends the value in a header, against a target that answers with these bytes.
async fn answered(bytes: Vec<u8>) -> padclock_worker::Completion {
    let target = Target::fixed(bytes).await;
    Case::get(target.url("/"))
        .header("X-Key", "secret://KEY")
        .secret("KEY", VALUE)
        .run()
        .await
}

async fn pack(coding: &str, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match coding {
        "gzip" => GzipEncoder::new(bytes).read_to_end(&mut out).await,
        "deflate" => ZlibEncoder::new(bytes).read_to_end(&mut out).await,
        "raw" => DeflateEncoder::new(bytes).read_to_end(&mut out).await,
        "br" => BrotliEncoder::new(bytes).read_to_end(&mut out).await,
        _ => ZstdEncoder::new(bytes).read_to_end(&mut out).await,
    }
    .unwrap();
    out
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn base64(text: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |part: &[u8]| {
        let bits = part
            .iter()
            .fold(0u32, |bits, &byte| bits << 8 | u32::from(byte))
            << (8 * (3 - part.len()));
        (0..4)
            .map(|place| match place <= part.len() {
                true => ALPHABET[(bits >> (18 - 6 * place) & 63) as usize] as char,
                false => '=',
            })
            .collect::<String>()
    };
    text.as_bytes().chunks(3).map(group).collect()
}

#[tokio::test]
async fn an_echo_is_redacted_in_every_encoding() {
    let json = serde_json::to_string(VALUE).unwrap();
    let forms = [
        VALUE.to_owned(),
        base64(VALUE),
        percent(VALUE),
        json.trim_matches('"').to_owned(),
        hex(VALUE),
    ];
    for form in forms {
        let done = answered(response(200, "", format!("before {form} after").as_bytes())).await;
        assert_eq!(stored(&done), "before [REDACTED:KEY] after", "{form}");
        assert_eq!(done.end, End::Succeeded);
        assert!(!everything(&done).contains(&form));
    }
}

#[tokio::test]
async fn an_echo_under_a_content_coding_is_decoded_and_redacted() {
    let body = format!("before {VALUE} after ").repeat(20);
    let expected = "before [REDACTED:KEY] after ".repeat(20);
    for (name, coding) in [
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("deflate", "deflate"),
        ("deflate", "raw"),
        ("br", "br"),
        ("zstd", "zstd"),
    ] {
        let packed = pack(coding, body.as_bytes()).await;
        let done = answered(response(
            200,
            &format!("Content-Encoding: {name}\r\n"),
            &packed,
        ))
        .await;
        assert_eq!(stored(&done), expected, "{coding}");
        let recorded = done.attempt.response.unwrap();
        assert_eq!(
            (recorded.body_bytes, recorded.truncated, recorded.note),
            (body.len() as u64, false, None)
        );
    }
    let stacked = pack("br", &pack("zstd", body.as_bytes()).await).await;
    let done = answered(response(
        200,
        "Content-Encoding: zstd\r\nContent-Encoding: br\r\n",
        &stacked,
    ))
    .await;
    assert_eq!(stored(&done), expected);
}

#[tokio::test]
async fn a_body_that_can_not_be_decoded_is_not_stored() {
    let packed = pack("gzip", VALUE.repeat(100).as_bytes()).await;
    let garbage = [b"\x1f\x8b\x08\0\0\0\0\0\0\0".as_slice(), VALUE.as_bytes()].concat();
    let table = [
        ("gzip", VALUE.as_bytes()),
        ("gzip", &garbage),
        ("gzip", &packed[..packed.len() / 2]),
        ("br", VALUE.as_bytes()),
        ("zstd", VALUE.as_bytes()),
        ("deflate", VALUE.as_bytes()),
        ("compress", VALUE.as_bytes()),
        ("gzip, unheard-of", &packed),
        ("gzip,gzip,gzip,gzip,gzip,gzip", &packed),
    ];
    for (coding, body) in table {
        let done = answered(response(
            200,
            &format!("Content-Encoding: {coding}\r\n"),
            body,
        ))
        .await;
        let recorded = done.attempt.response.as_ref().unwrap();
        assert_eq!(recorded.body, None, "{coding}");
        assert!(
            recorded.note.as_ref().unwrap().contains("not stored"),
            "{coding}"
        );
        assert!(!everything(&done).contains(VALUE), "{coding}");
        assert_eq!(done.end, End::Succeeded, "the status counts");
    }
}

#[tokio::test]
async fn an_answer_that_names_a_coding_and_has_no_body_is_empty() {
    let target = Target::fixed(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 512\r\n\r\n".to_vec(),
    )
    .await;
    let mut case = Case::get(target.url("/"));
    case.request.method = "HEAD".to_owned();
    assert_eq!(stored(&case.run().await), "");
    let done = answered(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            .to_vec(),
    )
    .await;
    assert_eq!(done.attempt.response.unwrap().body.as_deref(), Some(""));
}

#[tokio::test]
async fn headers_and_status_words_are_redacted() {
    let value = "abcdefghijKLMNOP";
    let lines = format!(
        "HTTP/1.1 418 {value}\r\nX-Echo: a {value} b\r\nX-{value}: 1\r\nSet-Cookie: t={value}\r\nSet-Cookie: u=2\r\nLocation: http://x/?k={value}\r\nContent-Length: 0\r\n\r\n"
    );
    let target = Target::fixed(lines.into_bytes()).await;
    let done = Case::get(target.url("/"))
        .header("X-Key", "secret://KEY")
        .secret("KEY", value)
        .run()
        .await;
    let headers = &done.attempt.response.as_ref().unwrap().headers;
    assert_eq!(headers["x-echo"], "a [REDACTED:KEY] b");
    assert_eq!(headers["set-cookie"], "t=[REDACTED:KEY], u=2");
    assert_eq!(headers["location"], "http://x/?k=[REDACTED:KEY]");
    assert_eq!(headers["[REDACTED:KEY]"], "1", "{headers:?}");
    assert!(
        !everything(&done)
            .to_ascii_lowercase()
            .contains(&value.to_ascii_lowercase())
    );
}

#[tokio::test]
async fn a_value_cut_by_chunks_or_by_the_end_of_reading_is_not_seen() {
    let chunked = VALUE
        .bytes()
        .map(|byte| format!("1\r\n{}\r\n", byte as char))
        .collect::<String>();
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let done = answered(format!("{head}{chunked}0\r\n\r\n").into_bytes()).await;
    assert_eq!(stored(&done), "[REDACTED:KEY]");
    // The connection breaks in the middle of the value.
    let half = &VALUE[..VALUE.len() / 2];
    let cut = format!("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbefore {half}").into_bytes();
    let target = Target::new(move |_| Reply::Close(cut.clone())).await;
    let done = Case::get(target.url("/"))
        .header("X-Key", "secret://KEY")
        .secret("KEY", VALUE)
        .run()
        .await;
    assert!(stored(&done).starts_with("bef"), "{}", stored(&done));
    assert!(
        !everything(&done).contains(&half[..5]),
        "{}",
        everything(&done)
    );
}

#[tokio::test]
async fn the_read_limit_never_leaves_half_a_value() {
    // The limit falls inside the value, wherever that is.
    for inside in [1, 5, VALUE.len() - 1] {
        let mut body = "y".repeat(1000 - inside).into_bytes();
        body.extend_from_slice(VALUE.as_bytes());
        let target = Target::fixed(response(200, "", &body)).await;
        let mut case = Case::get(target.url("/"))
            .header("X-Key", "secret://KEY")
            .secret("KEY", VALUE);
        case.settings.body_read = 1000;
        let done = case.run().await;
        let recorded = done.attempt.response.as_ref().unwrap();
        assert!(recorded.truncated);
        assert_eq!(recorded.body_bytes, 1000);
        assert!(
            recorded
                .body
                .as_ref()
                .unwrap()
                .bytes()
                .all(|byte| byte == b'y'),
            "{inside}: {:?}",
            recorded.body
        );
    }
}

#[tokio::test]
async fn what_filters_made_of_a_value_is_redacted_too() {
    let target = Target::new(|seen| {
        Reply::ok(format!(
            "you sent {} and {}",
            seen.header("x-hash"),
            seen.header("x-b64")
        ))
    })
    .await;
    let case = Case::get(target.url("/"))
        .header("X-Hash", "{{secret.KEY | sha256}}")
        .header("X-B64", "{{secret.KEY | base64}}")
        .secret("KEY", VALUE);
    let done = case.run().await;
    assert_eq!(stored(&done), "you sent [REDACTED:KEY] and [REDACTED:KEY]");
    assert!(!everything(&done).contains(&base64(VALUE)));
}

#[tokio::test]
async fn the_authorization_made_of_user_and_password_is_redacted() {
    let target = Target::new(|seen| Reply::ok(seen.header("authorization"))).await;
    let mut case = Case::get(target.url("/")).secret("PASSWORD", VALUE);
    let (username, password) = ("someone".to_owned(), "{{secret.PASSWORD}}".to_owned());
    case.request.auth = Some(padclock_template::AuthSpec::Basic { username, password });
    let done = case.run().await;
    assert!(
        !everything(&done).contains(&base64(&format!("someone:{VALUE}"))),
        "{}",
        everything(&done)
    );
    assert!(stored(&done).contains("[REDACTED:PASSWORD]"));
}

#[tokio::test]
async fn binary_bodies_are_redacted_as_bytes_and_shown_with_replacements() {
    let body = [b"\xff\xfe\0".as_slice(), VALUE.as_bytes(), b"\x80\x81"].concat();
    let done = answered(response(200, "", &body)).await;
    let recorded = done.attempt.response.unwrap();
    assert_eq!(
        recorded.body.as_deref(),
        Some("\u{fffd}\u{fffd}\0[REDACTED:KEY]\u{fffd}\u{fffd}")
    );
    assert!(recorded.note.unwrap().contains("UTF-8"));
    assert_eq!(recorded.body_bytes, body.len() as u64);
}

#[tokio::test]
async fn a_value_that_the_job_writes_out_itself_is_redacted_where_it_stands() {
    let target = Target::new(|_| Reply::ok("")).await;
    let case = Case::post(
        target.url(&format!("/?plain={}", "0123456789abcdef")),
        "body 0123456789abcdef",
    )
    .header("X-Key", "secret://KEY")
    .header("X-Plain", "0123456789abcdef")
    .secret("KEY", "0123456789abcdef");
    let done = case.run().await;
    let request = done.attempt.request.unwrap();
    assert_eq!(request.url, target.url("/?plain=[REDACTED:KEY]"));
    assert_eq!(request.headers["x-plain"], "[REDACTED:KEY]");
    assert_eq!(request.body.as_deref(), Some("body [REDACTED:KEY]"));
}

#[tokio::test]
async fn an_error_does_not_repeat_the_address() {
    // Nobody listens here, and the query holds a value.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut case = Case::get(format!("http://{address}/path-of-it")).secret("KEY", VALUE);
    case.request
        .query
        .insert("k".to_owned(), "{{secret.KEY}}".to_owned());
    let done = case.run().await;
    assert_eq!(crate::support::code(&done), "connect");
    let message = crate::support::message(&done);
    assert!(
        !message.contains("path-of-it") && !message.contains("k="),
        "{message}"
    );
}
