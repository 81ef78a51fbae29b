//! What `auth` adds to a rendered request: the `Authorization` header, and the headers of an AWS signature. All that is made of a
//! secret here is told to the redactor.

use crate::address::Url;
use crate::auth::{Auth, Aws};
use crate::buffer::Buffer;
use crate::error::RenderError;
use crate::escape::{self, bad_header_byte};
use crate::fill::{Filler, Variables};
use crate::piece::Text;
use crate::render::Line;
use crate::sigv4::{Message, Signer, Stamp, is_s3, sha256_hex};

/// The name under which the redactor knows what was made of credentials that are written out.
const WRITTEN_OUT: &str = "auth";

/// A rendered request to which only `auth` is missing.
pub(crate) struct Unsigned<'a> {
    pub method: &'static str,
    pub url: &'a Url,
    pub body: &'a [u8],
    /// Whether a secret stands in the body: then its hash is one too.
    pub secret_body: bool,
}

/// Appends what `auth` makes. A token that has to be asked for is put in by whoever asks.
pub(crate) fn authorize<'a>(
    filler: &mut Filler<'a>,
    vars: &Variables<'_>,
    auth: &'a Auth,
    request: &Unsigned<'_>,
    headers: &mut Vec<Line>,
) -> Result<(), RenderError> {
    let value = match auth {
        Auth::Basic { username, password } => basic(filler, username, password)?,
        Auth::Bearer { token } => {
            let mut value = Buffer::with_capacity(7 + token.likely_len());
            value.extend(b"Bearer ");
            filler.text(token, &mut value)?;
            value
        }
        Auth::Aws(aws) => signature(filler, vars, aws, request, headers)?,
        Auth::Token(_) => return Ok(()),
    };
    headers.push(Line::secret("Authorization", value));
    Ok(())
}

/// RFC 7617.
fn basic<'a>(
    filler: &mut Filler<'a>,
    username: &'a Text,
    password: &'a Text,
) -> Result<Buffer, RenderError> {
    let mut pair = Buffer::with_capacity(username.likely_len() + password.likely_len() + 1);
    filler.text(username, &mut pair)?;
    if pair.as_slice().contains(&b':') {
        return Err(credentials("username", "holds a colon, which would end it"));
    }
    check_credential("username", pair.as_slice())?;
    let password_from = pair.len() + 1;
    pair.push(b':');
    filler.text(password, &mut pair)?;
    check_credential("password", &pair.as_slice()[password_from..])?;
    let mut value = Buffer::with_capacity(6 + pair.len().div_ceil(3) * 4);
    value.extend(b"Basic ");
    escape::base64(pair.as_slice(), &mut value);
    if let Some(secret) = password.first_secret().or(username.first_secret()) {
        filler.keep(secret, &value.as_slice()[b"Basic ".len()..]);
    }
    Ok(value)
}

/// Appends the headers that an AWS signature needs, and answers the `Authorization` over all of them.
fn signature<'a>(
    filler: &mut Filler<'a>,
    vars: &Variables<'_>,
    aws: &'a Aws,
    request: &Unsigned<'_>,
    headers: &mut Vec<Line>,
) -> Result<Buffer, RenderError> {
    let id = filler.whole(&aws.access_key_id)?;
    check_credential("access_key_id", id.as_slice())?;
    let (region, service) = (
        scope(filler, "region", &aws.region)?,
        scope(filler, "service", &aws.service)?,
    );
    let secret = filler.whole(&aws.secret_access_key)?;
    let name = aws.secret_access_key.first_secret().unwrap_or(WRITTEN_OUT);
    let stamp = Stamp::of(vars.attempt_unix);
    let payload_hash = sha256_hex(request.body);
    headers.push(Line::plain("X-Amz-Date", stamp.as_str()));
    if let Some(token) = &aws.session_token {
        headers.push(Line::secret("X-Amz-Security-Token", filler.whole(token)?));
    }
    if is_s3(service.as_slice()) || service.as_slice() == b"aoss" {
        headers.push(content_hash(filler, name, request, &payload_hash));
    }
    let signed = signed_headers(request.url, headers);
    let message = Message {
        method: request.method,
        path: request.url.path(),
        query: request.url.query(),
        headers: &signed,
        payload_hash: payload_hash.as_slice(),
    };
    let signer = Signer {
        secret: secret.as_slice(),
        stamp: &stamp,
        region: region.as_slice(),
        service: service.as_slice(),
    };
    let signature = signer.sign(&message);
    let mut value = Buffer::with_capacity(256);
    value.extend(b"AWS4-HMAC-SHA256 Credential=");
    value.extend(id.as_slice());
    value.push(b'/');
    signer.write_scope(&mut value);
    value.extend(b", SignedHeaders=");
    value.extend(message.signed_headers().as_bytes());
    value.extend(b", Signature=");
    escape::hex(signature.as_slice(), &mut value);
    filler.keep(name, signature.as_slice());
    filler.keep(name, value.as_slice());
    Ok(value)
}

fn content_hash(
    filler: &mut Filler<'_>,
    name: &str,
    request: &Unsigned<'_>,
    hash: &Buffer,
) -> Line {
    let mut value = Buffer::with_capacity(hash.len());
    value.extend(hash.as_slice());
    if request.secret_body {
        filler.keep(name, value.as_slice());
    }
    Line {
        sensitive: request.secret_body,
        ..Line::secret("X-Amz-Content-Sha256", value)
    }
}

/// All headers that arrive as they are rendered, and the host. Left out are those that the worker writes over, and those that stations
/// on the way change.
fn signed_headers<'h>(url: &'h Url, headers: &'h [Line]) -> Vec<(String, &'h [u8])> {
    const CHANGED: [&str; 4] = [
        "user-agent",
        "accept-encoding",
        "x-amzn-trace-id",
        "idempotency-key",
    ];
    let mut signed = vec![("host".to_owned(), url.authority())];
    for line in headers {
        let name = line.name.to_ascii_lowercase();
        if !CHANGED.contains(&name.as_str()) && !name.starts_with("x-cron-service-") {
            signed.push((name, line.value.as_slice()));
        }
    }
    signed.sort_unstable();
    signed
}

/// A part of the credential scope, which slashes part from the others.
fn scope<'a>(
    filler: &mut Filler<'a>,
    part: &'static str,
    text: &'a Text,
) -> Result<Buffer, RenderError> {
    let value = filler.whole(text)?;
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    if value.len() == 0 || !value.as_slice().iter().all(fits) {
        return Err(credentials(
            part,
            "is not made of letters, digits, '-', '_' and '.'",
        ));
    }
    Ok(value)
}

fn check_credential(part: &'static str, bytes: &[u8]) -> Result<(), RenderError> {
    match bad_header_byte(bytes) {
        Some(_) => Err(credentials(
            part,
            "holds a line break or another control character: store it without, or use the filter trim",
        )),
        None => Ok(()),
    }
}

fn credentials(part: &'static str, what: &'static str) -> RenderError {
    RenderError::Credentials { part, what }
}
