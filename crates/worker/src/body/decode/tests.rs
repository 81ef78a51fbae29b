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
    type Row = (&'static [&'static str], Result<Vec<Coding>, Unknown>);
    let table: [Row; 9] = [
        (&[], Ok(vec![])),
        (&["identity"], Ok(vec![])),
        (&["GZip"], Ok(vec![Gzip])),
        (&["x-gzip"], Ok(vec![Gzip])),
        (&["deflate, br", "zstd"], Ok(vec![Deflate, Brotli, Zstd])),
        (&["gzip,,identity , gzip"], Ok(vec![Gzip, Gzip])),
        (&["compress"], Err(Unknown)),
        (&["gzip, aes128gcm"], Err(Unknown)),
        (&["gzip,gzip,gzip,gzip,gzip,gzip"], Err(Unknown)),
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
        Err(Unknown)
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
    assert_eq!(codings(&headers), Err(Unknown));
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
    let mut reader = undo(codings, Box::pin(bytes)).await?;
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
