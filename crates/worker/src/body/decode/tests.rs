//! Each content coding, alone and stacked, whole and broken.

use http::HeaderValue;
use tokio::io::AsyncReadExt;

use super::*;

fn headers(fields: &[(http::HeaderName, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(name, HeaderValue::from_static(value));
    }
    headers
}

#[test]
fn codings_are_read_in_order() {
    use Coding::{Brotli, Deflate, Gzip, Zstd};
    type Row = (&'static [&'static str], Result<Vec<Coding>, Refused>);
    let table: [Row; 11] = [
        (&[], Ok(vec![])),
        (&["identity"], Ok(vec![])),
        (&["GZip"], Ok(vec![Gzip])),
        (&["x-gzip"], Ok(vec![Gzip])),
        (&["deflate, br"], Ok(vec![Deflate, Brotli])),
        (&["deflate, br", "zstd"], Err(Refused::TooMany)),
        (&["br", "identity", "zstd"], Ok(vec![Brotli, Zstd])),
        (&["gzip,,identity , gzip"], Ok(vec![Gzip, Gzip])),
        (&["compress"], Err(Refused::Unknown)),
        (&["gzip, aes128gcm"], Err(Refused::Unknown)),
        (&["gzip, gzip, gzip"], Err(Refused::TooMany)),
    ];
    for (values, expected) in table {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(CONTENT_ENCODING, HeaderValue::from_static(value));
        }
        assert_eq!(codings(&headers), expected, "{values:?}");
    }
}

#[test]
fn a_transfer_coding_that_stays_on_the_body_counts_as_unknown() {
    assert_eq!(
        codings(&headers(&[(TRANSFER_ENCODING, "gzip, chunked")])),
        Err(Refused::Unknown)
    );
    assert_eq!(
        codings(&headers(&[(TRANSFER_ENCODING, "chunked")])),
        Ok(vec![])
    );
}

#[test]
fn a_coding_that_is_not_text_is_unknown() {
    let mut headers = HeaderMap::new();
    headers.insert(
        CONTENT_ENCODING,
        HeaderValue::from_bytes(b"g\xfcip").unwrap(),
    );
    assert_eq!(codings(&headers), Err(Refused::Unknown));
}

async fn encode(coding: &str, text: &[u8]) -> Vec<u8> {
    use async_compression::tokio::bufread::{
        BrotliEncoder, DeflateEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder,
    };
    let mut out = Vec::new();
    match coding {
        "gzip" => GzipEncoder::new(text).read_to_end(&mut out).await,
        "zlib" => ZlibEncoder::new(text).read_to_end(&mut out).await,
        "deflate" => DeflateEncoder::new(text).read_to_end(&mut out).await,
        "br" => BrotliEncoder::new(text).read_to_end(&mut out).await,
        _ => ZstdEncoder::new(text).read_to_end(&mut out).await,
    }
    .unwrap();
    out
}

async fn undone(codings: &[Coding], bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut reader = undo(codings, Box::pin(bytes), u64::MAX).await?;
    let mut out = Vec::new();
    reader.read_to_end(&mut out).await?;
    Ok(out)
}

#[tokio::test]
async fn every_coding_is_undone_alone_and_stacked() {
    let text = b"the same text again, the same text again, the same text again".repeat(50);
    let table = [
        ("gzip", Coding::Gzip),
        ("zlib", Coding::Deflate),
        ("deflate", Coding::Deflate),
        ("br", Coding::Brotli),
        ("zstd", Coding::Zstd),
    ];
    for (outer, outer_coding) in table {
        let once = encode(outer, &text).await;
        assert_eq!(
            undone(&[outer_coding], &once).await.unwrap(),
            text,
            "{outer}"
        );
        for (inner, inner_coding) in table {
            let twice = encode(outer, &encode(inner, &text).await).await;
            assert_eq!(
                undone(&[inner_coding, outer_coding], &twice).await.unwrap(),
                text,
                "{inner} in {outer}"
            );
        }
        assert!(
            undone(&[outer_coding], &once[..once.len() / 2])
                .await
                .is_err(),
            "half of {outer}"
        );
        assert!(
            undone(&[outer_coding], b"this is no compressed text at all")
                .await
                .is_err(),
            "none of {outer}"
        );
    }
}

#[tokio::test]
async fn gzip_and_zstd_may_have_several_parts() {
    for (name, coding) in [("gzip", Coding::Gzip), ("zstd", Coding::Zstd)] {
        let mut both = encode(name, b"first ").await;
        both.extend(encode(name, b"second").await);
        assert_eq!(
            undone(&[coding], &both).await.unwrap(),
            b"first second",
            "{name}"
        );
    }
}

/// Empty gzip members, packed `layers` times more: nearly no bytes, and under them no text but a lot of work.
async fn nothing_packed(members: usize, layers: usize) -> Vec<u8> {
    let mut packed = encode("gzip", b"").await.repeat(members);
    for _ in 0..layers {
        packed = encode("gzip", &packed).await;
    }
    packed
}

#[tokio::test]
async fn between_two_layers_there_is_a_limit_too() {
    let bomb = nothing_packed(50_000, 1).await;
    assert!(bomb.len() < 8_000, "{}", bomb.len());
    let codings = [Coding::Gzip, Coding::Gzip];
    let limit = 100_000;
    let mut reader = undo(&codings, Box::pin(bomb.as_slice()), limit)
        .await
        .unwrap();
    let error = reader.read_to_end(&mut Vec::new()).await.unwrap_err();
    let broken = error.get_ref().unwrap().downcast_ref();
    assert!(
        matches!(broken, Some(crate::body::Broken::Limit)),
        "{error}"
    );
    // Exactly the limit may pass.
    let text = vec![b'a'; 100_000];
    let packed = encode("gzip", &text).await;
    let mut reader = undo(&[Coding::Gzip], Box::pin(packed.as_slice()), limit)
        .await
        .unwrap();
    let mut out = Vec::new();
    assert_eq!(reader.read_to_end(&mut out).await.unwrap(), text.len());
}

#[tokio::test]
async fn other_tasks_have_their_turns_while_nothing_is_decoded() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    let bomb = nothing_packed(50_000, 1).await;
    let turns = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&turns);
    let other = tokio::spawn(async move {
        loop {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
        }
    });
    // Nothing here waits for anything from outside: each turn of the other task was given by the reader.
    let decoded = undone(&[Coding::Gzip, Coding::Gzip], &bomb).await.unwrap();
    other.abort();
    assert_eq!(decoded, b"");
    let turns = turns.load(Ordering::SeqCst);
    assert!(turns > 20, "1 MB of members in {turns} turns");
}

/// The same bytes for ever.
struct Endless(Vec<u8>);

impl tokio::io::AsyncRead for Endless {
    fn poll_read(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        out: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        let room = out.remaining() / self.0.len();
        out.put_slice(&self.0.repeat(room));
        std::task::Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn a_deadline_ends_what_would_never_end() {
    let members = Endless(encode("gzip", b"").await);
    let reader: Reader<'_> = Box::pin(BufReader::new(members));
    let mut reader = undo(&[Coding::Gzip], reader, u64::MAX).await.unwrap();
    let mut out = Vec::new();
    let endless = reader.read_to_end(&mut out);
    let ended = tokio::time::timeout(std::time::Duration::from_millis(50), endless).await;
    assert!(ended.is_err());
}
