//! The signature of a request by the Standard Webhooks specification, for `sign_with`: which key a secret is, and the three headers.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::buffer::Buffer;
use crate::error::RenderError;
use crate::escape;
use crate::fill::{Filler, Variables};
use crate::piece::Text;
use crate::render::Line;

/// Secrets are given out with their padding, and copied without it.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const PREFIX: &[u8] = b"whsec_";

/// Appends `webhook-id`, `webhook-timestamp` and `webhook-signature`. The id is the execution's, the same in each attempt, so that a
/// receiver sees a repetition as one.
pub(crate) fn sign<'a>(
    filler: &mut Filler<'a>,
    vars: &Variables<'_>,
    key: &'a Text,
    body: &[u8],
    headers: &mut Vec<Line>,
) -> Result<(), RenderError> {
    let name = key.first_secret().unwrap_or_default();
    let secret = filler.whole(key)?;
    let decoded = decoded(name, secret.as_slice())?;
    if let Some(decoded) = &decoded {
        filler.keep(name, decoded.as_slice());
    }
    let key = decoded.as_ref().unwrap_or(&secret);
    let stamp = vars.attempt_unix.to_string();
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()));
    for part in [
        vars.execution_id.as_bytes(),
        b".",
        stamp.as_bytes(),
        b".",
        body,
    ] {
        context.update(part);
    }
    let tag = context.sign();
    let mut signature = Buffer::with_capacity(48);
    signature.extend(b"v1,");
    escape::base64(tag.as_ref(), &mut signature);
    filler.keep(name, tag.as_ref());
    filler.keep(name, signature.as_slice());
    headers.push(Line::plain("webhook-id", vars.execution_id));
    headers.push(Line::plain("webhook-timestamp", &stamp));
    headers.push(Line::secret("webhook-signature", signature));
    Ok(())
}

/// The key that a secret in the specification's own form is; none for another, which is a key as it stands.
fn decoded(name: &str, secret: &[u8]) -> Result<Option<Buffer>, RenderError> {
    let Some(coded) = secret.strip_prefix(PREFIX) else {
        return Ok(None);
    };
    let coded = coded.trim_ascii();
    let invalid = || RenderError::SigningKey {
        name: name.to_owned(),
    };
    let mut key = Buffer::with_capacity(coded.len());
    let room = key.grow(coded.len());
    let length = LENIENT
        .decode_slice(coded, room)
        .map_err(|_| invalid())
        .and_then(|length| {
            if length == 0 {
                Err(invalid())
            } else {
                Ok(length)
            }
        })?;
    key.shorten(length);
    Ok(Some(key))
}

#[cfg(test)]
mod tests;
