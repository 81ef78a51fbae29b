//! Content codings: which a response names, and a reader that undoes them one after the other, in bounded space and turns.

mod meter;

use async_compression::tokio::bufread::{
    BrotliDecoder, DeflateDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder,
};
use async_compression::zstd::DParameter;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, TRANSFER_ENCODING};
use tokio::io::{AsyncBufReadExt, BufReader};

use meter::Meter;
pub(crate) use meter::Reader;

/// More codings than this on one body are not undone: each multiplies what a small answer can cost.
const MOST: usize = 2;
/// The largest zstd window that HTTP allows, 8 MiB (RFC 9659).
const ZSTD_WINDOW_LOG: u32 = 23;

/// One content coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

/// The body's codings are not undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// One of them is not known.
    Unknown,
    /// There are more than [`MOST`].
    TooMany,
}

/// The codings of a body, in the order in which they were put on.
pub(crate) fn codings(headers: &HeaderMap) -> Result<Vec<Coding>, Refused> {
    if listed(headers, TRANSFER_ENCODING)?
        .iter()
        .any(|word| word != "chunked")
    {
        return Err(Refused::Unknown);
    }
    let words = listed(headers, CONTENT_ENCODING)?;
    let found = words
        .iter()
        .filter(|word| *word != "identity")
        .map(|word| match word.as_str() {
            "gzip" | "x-gzip" => Ok(Coding::Gzip),
            "deflate" => Ok(Coding::Deflate),
            "br" => Ok(Coding::Brotli),
            "zstd" => Ok(Coding::Zstd),
            _ => Err(Refused::Unknown),
        });
    let found: Vec<_> = found.collect::<Result<_, _>>()?;
    if found.len() > MOST {
        Err(Refused::TooMany)
    } else {
        Ok(found)
    }
}

/// The lower-case words of a header that is a list.
fn listed(headers: &HeaderMap, name: http::HeaderName) -> Result<Vec<String>, Refused> {
    let mut words = Vec::new();
    for value in headers.get_all(name) {
        let text = value.to_str().map_err(|_| Refused::Unknown)?;
        words.extend(
            text.split(',')
                .map(|word| word.trim().to_ascii_lowercase())
                .filter(|word| !word.is_empty()),
        );
    }
    Ok(words)
}

/// A reader of what is under the codings. No layer gives more than `limit` bytes: more is [`Broken::Limit`](super::Broken).
pub(crate) async fn undo<'r>(
    codings: &[Coding],
    reader: Reader<'r>,
    limit: u64,
) -> std::io::Result<Reader<'r>> {
    let mut reader = Meter::put_on(reader, limit);
    for coding in codings.iter().rev() {
        let decoded: Reader<'r> = match coding {
            Coding::Gzip => {
                let mut decoder = GzipDecoder::new(reader);
                decoder.multiple_members(true);
                Box::pin(BufReader::new(decoder))
            }
            Coding::Deflate => deflate(reader).await?,
            Coding::Brotli => Box::pin(BufReader::new(BrotliDecoder::new(reader))),
            Coding::Zstd => {
                let mut decoder = ZstdDecoder::with_params(
                    reader,
                    &[DParameter::window_log_max(ZSTD_WINDOW_LOG)],
                );
                decoder.multiple_members(true);
                Box::pin(BufReader::new(decoder))
            }
        };
        reader = Meter::put_on(decoded, limit);
    }
    Ok(reader)
}

/// The standard's "deflate" has a zlib wrapper (RFC 9110); some servers leave it out, so look.
async fn deflate(mut reader: Reader<'_>) -> std::io::Result<Reader<'_>> {
    let start = reader.fill_buf().await?;
    let wrapped = match start {
        [first, second, ..] => first & 0x0F == 8 && u16::from_be_bytes([*first, *second]) % 31 == 0,
        [first] => first & 0x0F == 8,
        [] => true,
    };
    Ok(if wrapped {
        Box::pin(BufReader::new(ZlibDecoder::new(reader)))
    } else {
        Box::pin(BufReader::new(DeflateDecoder::new(reader)))
    })
}

#[cfg(test)]
mod tests;
