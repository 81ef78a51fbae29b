//! The request by which a client asks for an access token with its own credentials (RFC 6749 section 4.4). What becomes of the answer,
//! and how long a token is kept, is not known here.

use aws_lc_rs::digest;

use crate::address::Address;
use crate::buffer::Buffer;
use crate::error::RenderError;
use crate::escape;
use crate::fill::{Filler, Secrets, Variables};
use crate::piece::Text;
use crate::render::{Line, Rendered, TargetUrl};
use crate::spec::ClientAuth;

/// A compiled token request. Its credentials stand in the place `auth`, and go to the token's host alone.
#[derive(Debug)]
pub struct TokenRequest {
    pub(crate) address: Address,
    pub(crate) id: Text,
    pub(crate) secret: Text,
    pub(crate) form: Text,
    pub(crate) by: ClientAuth,
}

/// The parts of one rendering.
struct Parts {
    url: Buffer,
    authorization: Option<Buffer>,
    body: Buffer,
}

impl TokenRequest {
    /// The method of every token request.
    pub const METHOD: &'static str = "POST";

    /// Where the request will go; nothing of it is secret.
    ///
    /// # Errors
    /// When the variables in the URL make no valid origin or path, or are missing.
    pub fn target(&self, vars: &Variables<'_>) -> Result<TargetUrl, RenderError> {
        self.address.target(vars)
    }

    /// The secret that the token comes from, for the name that its placeholder has; none when the credentials are written out.
    pub fn secret_name(&self) -> Option<&str> {
        self.secret.first_secret().or(self.id.first_secret())
    }

    /// Renders the request.
    ///
    /// # Errors
    /// When a secret is missing or unreadable, or a value does not fit its place. Nothing may be sent then.
    pub fn render(
        &self,
        vars: &Variables<'_>,
        secrets: &dyn Secrets,
    ) -> Result<Rendered, RenderError> {
        let mut filler = Filler::new(vars, secrets);
        let parts = self.parts(vars, &mut filler)?;
        let mut headers = vec![
            Line::plain("Accept", "application/json"),
            Line::plain("Content-Type", "application/x-www-form-urlencoded"),
        ];
        if let Some(value) = parts.authorization {
            if let Some(name) = self.secret_name() {
                filler.keep(name, &value.as_slice()[BASIC.len()..]);
            }
            headers.push(Line::secret("Authorization", value));
        }
        Rendered::of(Self::METHOD, parts.url, headers, Some(parts.body), filler)
    }

    /// What tells this request from another: the SHA-256 of all that it says. Given stand-ins for its secrets, it depends on none.
    ///
    /// # Errors
    /// As [`TokenRequest::render`].
    pub fn identity(
        &self,
        vars: &Variables<'_>,
        secrets: &dyn Secrets,
    ) -> Result<[u8; 32], RenderError> {
        let parts = self.parts(vars, &mut Filler::new(vars, secrets))?;
        let authorization = parts.authorization.unwrap_or_default();
        let mut digest = digest::Context::new(&digest::SHA256);
        for part in [&parts.url, &authorization, &parts.body] {
            digest.update(&(part.len() as u64).to_be_bytes());
            digest.update(part.as_slice());
        }
        let mut identity = [0; 32];
        identity.copy_from_slice(digest.finish().as_ref());
        Ok(identity)
    }

    fn parts<'a>(
        &'a self,
        vars: &Variables<'_>,
        filler: &mut Filler<'a>,
    ) -> Result<Parts, RenderError> {
        let url = self.address.write(vars, filler)?.text;
        let mut body = filler.whole(&self.form)?;
        let authorization = match self.by {
            ClientAuth::Basic => Some(self.basic(filler)?),
            ClientAuth::Post => {
                body.extend(b"&client_id=");
                filler.text(&self.id, &mut body)?;
                body.extend(b"&client_secret=");
                filler.text(&self.secret, &mut body)?;
                None
            }
        };
        Ok(Parts {
            url,
            authorization,
            body,
        })
    }

    /// Both are percent-encoded by now, so that neither can hold the colon between them.
    fn basic<'a>(&'a self, filler: &mut Filler<'a>) -> Result<Buffer, RenderError> {
        let mut pair = filler.whole(&self.id)?;
        pair.push(b':');
        filler.text(&self.secret, &mut pair)?;
        let mut value = Buffer::with_capacity(BASIC.len() + pair.len().div_ceil(3) * 4);
        value.extend(BASIC);
        escape::base64(pair.as_slice(), &mut value);
        Ok(value)
    }
}

const BASIC: &[u8] = b"Basic ";
