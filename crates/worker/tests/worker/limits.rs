//! Answers without an end, without a beginning, too large, too slow, or broken.

use async_compression::tokio::bufread::{GzipEncoder, ZstdEncoder};
use padclock_worker::End;
use tokio::io::AsyncReadExt;

use crate::support::target::{Reply, Target, response};
use crate::support::{Case, code, message, stored};

const MIB: u64 = 1024 * 1024;

#[tokio::test]
async fn an_answer_of_ten_gib_is_read_to_the_limit_and_dropped() {
    let total = 10 * 1024 * MIB;
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {total}\r\n\r\n").into_bytes();
    let mut target = Target::new(move |_| Reply::Flood {
        head: head.clone(),
        chunk: vec![b'z'; 65_536],
        total,
    })
    .await;
    let done = Case::get(target.url("/")).run().await;
    assert_eq!(
        done.end,
        End::Succeeded,
        "the status counts: {:?}",
        done.attempt.error
    );
    let recorded = done.attempt.response.unwrap();
    assert!(recorded.truncated);
    assert_eq!(recorded.body_bytes, 8 * MIB);
    let body = recorded.body.unwrap();
    assert!(
        body.len() < 66_000 && body.contains("bytes dropped"),
        "{}",
        body.len()
    );
    let written = target.flooded.recv().await.unwrap();
    assert!(
        written < 64 * MIB,
        "the connection was dropped after {written} bytes"
    );
}

#[tokio::test]
async fn an_answer_without_an_end_is_cut_at_the_time_out() {
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n".to_vec();
    let target = Target::new(move |_| Reply::Hang(head.clone())).await;
    let done = Case::get(target.url("/")).timeout(1).run().await;
    assert_eq!(code(&done), "timeout");
    assert!(matches!(done.end, End::Retry { .. }));
    assert_eq!(stored(&done), "hello", "what came is kept");
    assert!(done.attempt.response.unwrap().truncated);
    assert!(done.attempt.duration_ms >= 1000);
}

#[tokio::test]
async fn no_answer_at_all_is_a_time_out() {
    let target = Target::new(|_| Reply::Hang(Vec::new())).await;
    let done = Case::get(target.url("/")).timeout(1).run().await;
    assert_eq!(code(&done), "timeout");
    assert_eq!(done.attempt.response, None);
    assert!(done.attempt.request.is_some(), "what was sent is known");
}

#[tokio::test]
async fn a_coded_answer_without_an_end_is_cut_too() {
    let mut packed = Vec::new();
    GzipEncoder::new(&vec![b'a'; 500_000][..])
        .read_to_end(&mut packed)
        .await
        .unwrap();
    let mut head =
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9999999\r\n\r\n".to_vec();
    head.extend_from_slice(&packed[..packed.len() - 20]);
    let target = Target::new(move |_| Reply::Hang(head.clone())).await;
    let done = Case::get(target.url("/")).timeout(1).run().await;
    assert_eq!(code(&done), "timeout");
    assert!(done.attempt.response.unwrap().truncated);
}

#[tokio::test]
async fn bombs_are_defused() {
    let zeros = vec![0u8; 64 * 1024 * 1024];
    let (mut gzip, mut zstd) = (Vec::new(), Vec::new());
    GzipEncoder::new(&zeros[..])
        .read_to_end(&mut gzip)
        .await
        .unwrap();
    ZstdEncoder::new(&zeros[..])
        .read_to_end(&mut zstd)
        .await
        .unwrap();
    for (coding, packed) in [("gzip", gzip), ("zstd", zstd)] {
        let target = Target::fixed(response(
            200,
            &format!("Content-Encoding: {coding}\r\n"),
            &packed,
        ))
        .await;
        let done = Case::get(target.url("/")).run().await;
        assert_eq!(done.end, End::Succeeded, "{coding}");
        let recorded = done.attempt.response.unwrap();
        assert_eq!(
            (recorded.body_bytes, recorded.truncated),
            (8 * MIB, true),
            "{coding}"
        );
    }
}

#[tokio::test]
async fn a_coded_flood_that_decodes_to_nothing_is_dropped() {
    // Empty stored blocks of deflate: five bytes each, and never any output.
    let head = b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: 10737418240\r\n\r\n\x78\x01".to_vec();
    let chunk = b"\x00\x00\x00\xff\xff".repeat(13_000);
    let mut target = Target::new(move |_| Reply::Flood {
        head: head.clone(),
        chunk: chunk.clone(),
        total: 10 * 1024 * MIB,
    })
    .await;
    let done = Case::get(target.url("/")).run().await;
    let recorded = done.attempt.response.unwrap();
    assert!(recorded.truncated);
    assert_eq!(recorded.body_bytes, 0);
    assert!(target.flooded.recv().await.unwrap() < 64 * MIB);
}

/// Empty gzip members, packed `layers` times more.
async fn nothing_packed(members: usize, layers: usize) -> Vec<u8> {
    let mut packed = Vec::new();
    GzipEncoder::new(&b""[..])
        .read_to_end(&mut packed)
        .await
        .unwrap();
    packed = packed.repeat(members);
    for _ in 0..layers {
        let mut outer = Vec::new();
        GzipEncoder::new(&packed[..])
            .read_to_end(&mut outer)
            .await
            .unwrap();
        packed = outer;
    }
    packed
}

#[tokio::test]
async fn a_nested_bomb_of_nothing_ends_at_the_limit() {
    let bomb = nothing_packed(600_000, 1).await;
    assert!(bomb.len() < 64 * 1024, "{}", bomb.len());
    let reply = response(200, "Content-Encoding: gzip, gzip\r\n", &bomb);
    let target = Target::fixed(reply).await;
    let done = Case::get(target.url("/")).timeout(60).run().await;
    assert_eq!(done.end, End::Succeeded, "{}", message(&done));
    let recorded = done.attempt.response.unwrap();
    assert!(recorded.truncated);
    assert_eq!(recorded.body_bytes, 0);
}

#[tokio::test]
async fn more_than_two_codings_are_not_undone() {
    let bomb = nothing_packed(1_000, 2).await;
    let reply = response(200, "Content-Encoding: gzip, gzip, gzip\r\n", &bomb);
    let target = Target::fixed(reply).await;
    let done = Case::get(target.url("/")).run().await;
    assert_eq!(done.end, End::Succeeded);
    let recorded = done.attempt.response.unwrap();
    assert_eq!(recorded.body, None);
    let note = recorded.note.unwrap();
    assert!(note.contains("more than two content codings"), "{note}");
}

#[tokio::test]
async fn head_and_tail_are_kept_after_redaction() {
    let secret = "secret-value-of-sixteen";
    let body = format!("{secret}{}{secret}", "ü".repeat(100_000));
    let target = Target::fixed(response(200, "", body.as_bytes())).await;
    let done = Case::get(target.url("/"))
        .header("X-Key", "secret://KEY")
        .secret("KEY", secret)
        .run()
        .await;
    let kept = stored(&done);
    assert!(kept.starts_with("[REDACTED:KEY]ü") && kept.ends_with("ü[REDACTED:KEY]"));
    let marker_at = kept.find("\n[… ").unwrap();
    let dropped: usize = kept[marker_at + 6..]
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let marker = format!("\n[… {dropped} bytes dropped …]\n").len();
    assert_eq!(
        kept.len() - marker + dropped,
        200_000 + 2 * "[REDACTED:KEY]".len()
    );
    assert!(kept.len() - marker <= 64 * 1024);
}

#[tokio::test]
async fn a_target_that_closes_early_is_tried_again() {
    let replies: [(&str, Vec<u8>); 4] = [
        ("before the answer", Vec::new()),
        ("within the status line", b"HTTP/1.1 20".to_vec()),
        (
            "within the headers",
            b"HTTP/1.1 200 OK\r\nContent-Le".to_vec(),
        ),
        (
            "within the body",
            b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_vec(),
        ),
    ];
    for (when, bytes) in replies {
        let target = Target::new(move |_| Reply::Close(bytes.clone())).await;
        let done = Case::get(target.url("/")).run().await;
        assert_eq!(
            code(&done),
            "connection_closed",
            "{when}: {}",
            message(&done)
        );
        assert!(matches!(done.end, End::Retry { .. }), "{when}");
    }
}

#[tokio::test]
async fn what_is_not_http_is_not_tried_again() {
    for bytes in [
        b"SSH-2.0-OpenSSH_9.9\r\n\r\n".to_vec(),
        b"HTTP/1.1 9999 X\r\n\r\n".to_vec(),
    ] {
        let target = Target::new(move |_| Reply::Close(bytes.clone())).await;
        let done = Case::get(target.url("/")).run().await;
        assert_eq!(code(&done), "protocol", "{}", message(&done));
        assert!(matches!(done.end, End::Failed { .. }));
    }
}

#[tokio::test]
async fn a_header_block_has_a_limit() {
    let long = format!(
        "HTTP/1.1 200 OK\r\nX-Long: {}\r\nContent-Length: 0\r\n\r\n",
        "l".repeat(100_000)
    )
    .into_bytes();
    let many: String = (0..300)
        .map(|number| format!("X-{number}: 1\r\n"))
        .collect();
    let many = format!("HTTP/1.1 200 OK\r\n{many}Content-Length: 0\r\n\r\n").into_bytes();
    for bytes in [long, many] {
        let target = Target::new(move |_| Reply::Close(bytes.clone())).await;
        let done = Case::get(target.url("/")).run().await;
        assert_eq!(
            code(&done),
            "response_headers_too_large",
            "{}",
            message(&done)
        );
    }
}

#[tokio::test]
async fn headers_without_an_end_have_one() {
    let head = b"HTTP/1.1 200 OK\r\n".to_vec();
    let mut target = Target::new(move |_| Reply::Flood {
        head: head.clone(),
        chunk: b"X-More: 1\r\n".repeat(1000),
        total: 10 * 1024 * MIB,
    })
    .await;
    let done = Case::get(target.url("/")).run().await;
    assert_eq!(
        code(&done),
        "response_headers_too_large",
        "{}",
        message(&done)
    );
    assert!(target.flooded.recv().await.unwrap() < 64 * MIB);
}
