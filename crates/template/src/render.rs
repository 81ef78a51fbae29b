//! Rendering a compiled request for one attempt: URL, body, headers, and what the redactor must know.
//! The checks of the header block are here; how a single value is looked up and written is in `fill`, a URL in `address`, what `auth`
//! adds in `authorize`.

use padclock_vault::Value;

use crate::authorize::{Unsigned, authorize};
use crate::buffer::Buffer;
use crate::error::{RenderError, check_size};
use crate::escape::bad_header_byte;
use crate::fill::{Filler, Secrets, Variables};
use crate::header::line_length;
use crate::problem::MAX_HEADER_BYTES;
use crate::request::Request;
use crate::webhook;

/// Where a request goes, as far as it is known before any secret is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetUrl {
    /// `http` or `https`.
    pub scheme: &'static str,
    /// Lower-case ASCII, without a final dot; an IPv6 address in brackets.
    pub host: String,
    /// The port, also when it is the scheme's own.
    pub port: u16,
    /// The path as it will be sent, from `/` on; where a secret stands in it, only up to the `/` before that.
    pub path: String,
}

/// A request ready to be sent. Never stored, never shown.
#[derive(Debug)]
pub struct Rendered {
    /// The method in capitals.
    pub method: String,
    /// Absolute, ASCII, without a fragment.
    pub url: Value,
    /// In the order of their names as given; then what `auth` and the body add.
    pub headers: Vec<RenderedHeader>,
    /// The body's bytes.
    pub body: Option<Value>,
    /// What the redactor must know besides the secrets: (secret's name, filter's result, encoded form, or credentials).
    pub derived: Vec<(String, Value)>,
    /// The names whose `secret://name` was sent literally, sorted, without repeats.
    pub unresolved: Vec<String>,
}

/// One header of a rendered request.
#[derive(Debug)]
pub struct RenderedHeader {
    /// The name as the user wrote it.
    pub name: String,
    /// The value: no control characters other than the tab.
    pub value: Value,
    /// Whether a secret may be in it.
    pub sensitive: bool,
}

/// A header whose value can still be read by what signs it.
pub(crate) struct Line {
    pub name: String,
    pub value: Buffer,
    pub sensitive: bool,
}

impl Line {
    /// One that no secret stands in.
    pub fn plain(name: &str, text: &str) -> Self {
        let mut value = Buffer::with_capacity(text.len());
        value.extend(text.as_bytes());
        Self {
            sensitive: false,
            ..Self::secret(name, value)
        }
    }

    /// One that a secret may stand in.
    pub fn secret(name: &str, value: Buffer) -> Self {
        Self {
            name: name.to_owned(),
            value,
            sensitive: true,
        }
    }

    fn checked(self) -> Result<RenderedHeader, RenderError> {
        if bad_header_byte(self.value.as_slice()).is_some() {
            return Err(RenderError::HeaderInjection { header: self.name });
        }
        Ok(RenderedHeader {
            name: self.name,
            value: self.value.into_value(),
            sensitive: self.sensitive,
        })
    }
}

impl Rendered {
    /// Puts the parts together, the headers checked.
    pub(crate) fn of(
        method: &str,
        url: Buffer,
        headers: Vec<Line>,
        body: Option<Buffer>,
        filler: Filler<'_>,
    ) -> Result<Self, RenderError> {
        let block = headers
            .iter()
            .map(|line| line_length(line.name.len(), line.value.len()))
            .sum();
        let headers = headers
            .into_iter()
            .map(Line::checked)
            .collect::<Result<_, _>>()?;
        check_size("header block", MAX_HEADER_BYTES, block)?;
        let Filler {
            derived,
            mut unresolved,
            ..
        } = filler;
        unresolved.sort_unstable();
        unresolved.dedup();
        Ok(Self {
            method: method.to_owned(),
            url: url.into_value(),
            headers,
            body: body.map(Buffer::into_value),
            derived,
            unresolved,
        })
    }
}

impl Request {
    /// Where the request will go, from what is not secret.
    ///
    /// # Errors
    /// When the variables in the URL make no valid origin or path, or are missing.
    pub fn target(&self, vars: &Variables<'_>) -> Result<TargetUrl, RenderError> {
        self.address.target(vars)
    }

    /// Renders the request. A token that has to be asked for ([`Request::token`]) is not in it.
    ///
    /// # Errors
    /// When a secret is missing (`{{secret.KEY}}`) or unreadable, or a value does not fit its place. Nothing may be sent then.
    pub fn render(
        &self,
        vars: &Variables<'_>,
        secrets: &dyn Secrets,
    ) -> Result<Rendered, RenderError> {
        let mut filler = Filler::new(vars, secrets);
        let url = self.address.write(vars, &mut filler)?;
        let mut headers = self.render_headers(&mut filler)?;
        let body = match &self.body {
            Some(text) => Some(filler.whole(text)?),
            None => None,
        };
        let bytes = body.as_ref().map_or(&[][..], Buffer::as_slice);
        // Signatures come last: they are made of all that is sent.
        if let Some(key) = &self.sign_with {
            webhook::sign(&mut filler, vars, key, bytes, &mut headers)?;
        }
        if let Some(auth) = &self.auth {
            let request = Unsigned {
                method: self.method,
                url: &url,
                body: bytes,
                secret_body: self
                    .body
                    .as_ref()
                    .is_some_and(|text| text.first_secret().is_some()),
            };
            authorize(&mut filler, vars, auth, &request, &mut headers)?;
        }
        Rendered::of(self.method, url.text, headers, body, filler)
    }

    fn render_headers<'a>(&'a self, filler: &mut Filler<'a>) -> Result<Vec<Line>, RenderError> {
        let mut rendered = Vec::with_capacity(self.headers.len() + 4);
        for header in &self.headers {
            let line = Line {
                name: header.name.clone(),
                value: filler.whole(&header.value)?,
                sensitive: header.sensitive,
            };
            // Checked before any signature is made of it.
            if bad_header_byte(line.value.as_slice()).is_some() {
                return Err(RenderError::HeaderInjection { header: line.name });
            }
            rendered.push(line);
        }
        Ok(rendered)
    }
}
