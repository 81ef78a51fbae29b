//! Rendering a compiled request for one attempt: target, URL, headers, body, and what the redactor must know.
//! The checks of whole parts (header block, URL) are here; how a single value is looked up and written is in `fill`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use padclock_vault::Value;

use crate::address::{Base, Origin};
use crate::buffer::Buffer;
use crate::error::{RenderError, check_size};
use crate::escape::{self, bad_header_byte, is_dot_segment};
use crate::expression::{SecretRef, Source};
use crate::fill::{Filler, Found, Secrets, Variables};
use crate::header::{Auth, line_length};
use crate::piece::Text;
use crate::problem::{MAX_HEADER_BYTES, MAX_URL_BYTES, Problem};
use crate::request::Request;

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

/// For texts that hold no secret by construction.
struct NoSecrets;

impl Secrets for NoSecrets {
    fn get(&self, _: &SecretRef) -> Found<'_> {
        Found::Missing
    }
}

impl Request {
    /// Where the request will go, from what is not secret.
    ///
    /// # Errors
    /// When the variables in the URL make no valid origin or path, or are missing.
    pub fn target(&self, vars: &Variables<'_>) -> Result<TargetUrl, RenderError> {
        let origin = self.origin(vars)?;
        let mut filler = Filler::new(vars, &NoSecrets);
        let mut path = Buffer::with_capacity(origin.prefix.len() + self.address.path.likely_len());
        path.extend(origin.prefix.as_bytes());
        let whole = filler.text_before_secret(&self.address.path, &mut path)?;
        let path = path.as_slice();
        let known = match path.iter().rposition(|byte| *byte == b'/') {
            Some(slash) if !whole => &path[..=slash],
            _ => path,
        };
        check_dots(known)?;
        Ok(TargetUrl {
            scheme: origin.scheme,
            host: origin.host.clone(),
            port: origin.port,
            path: String::from_utf8_lossy(known).into_owned(),
        })
    }

    /// Renders the request.
    ///
    /// # Errors
    /// When a secret is missing (`{{secret.KEY}}`) or unreadable, or a value does not fit its place. Nothing may be sent then.
    pub fn render(
        &self,
        vars: &Variables<'_>,
        secrets: &dyn Secrets,
    ) -> Result<Rendered, RenderError> {
        let mut filler = Filler::new(vars, secrets);
        let url = self.render_url(vars, &mut filler)?;
        let headers = self.render_headers(&mut filler)?;
        let body = match &self.body {
            Some(text) => Some(whole(&mut filler, text)?.into_value()),
            None => None,
        };
        let Filler {
            derived,
            mut unresolved,
            ..
        } = filler;
        unresolved.sort_unstable();
        unresolved.dedup();
        Ok(Rendered {
            method: self.method.to_owned(),
            url,
            headers,
            body,
            derived,
            unresolved,
        })
    }

    fn origin(&self, vars: &Variables<'_>) -> Result<Cow<'_, Origin>, RenderError> {
        let text = match &self.address.origin {
            Base::Fixed(origin) => return Ok(Cow::Borrowed(origin)),
            Base::Variable { text, .. } => text,
        };
        let rendered = whole(&mut Filler::new(vars, &NoSecrets), text)?;
        let invalid = |reason| RenderError::UrlOrigin { reason };
        let text =
            std::str::from_utf8(rendered.as_slice()).map_err(|_| invalid("it is not UTF-8"))?;
        Origin::parse(text).map(Cow::Owned).map_err(invalid)
    }

    /// Whether an env makes a valid origin; nothing is said when other variables stand in it too.
    pub(crate) fn origin_problem(&self, env: &BTreeMap<String, String>) -> Option<Problem> {
        let Base::Variable { text, field } = &self.address.origin else {
            return None;
        };
        let only_env = text
            .expressions()
            .all(|expression| matches!(expression.source, Source::Env(_)));
        let error = only_env
            .then(|| self.origin(&Variables::of_env(env)).err())
            .flatten()?;
        Some(Problem {
            field: field.clone(),
            code: "bad_url",
            message: error.to_string(),
            position: Some(0),
        })
    }

    fn render_url<'a>(
        &'a self,
        vars: &Variables<'_>,
        filler: &mut Filler<'a>,
    ) -> Result<Value, RenderError> {
        let origin = self.origin(vars)?;
        let address = &self.address;
        let around = origin.scheme.len() + origin.host.len() + origin.prefix.len() + 10;
        let mut url =
            Buffer::with_capacity(around + address.path.likely_len() + address.query.likely_len());
        write_origin(&origin, &mut url);
        let path_from = url.len();
        filler.text(&address.path, &mut url)?;
        if !address.path.is_static() {
            check_dots(&url.as_slice()[path_from..])?;
        }
        if !address.query.is_empty() {
            url.push(b'?');
            filler.text(&address.query, &mut url)?;
        }
        check_size("URL", MAX_URL_BYTES, url.len())?;
        Ok(url.into_value())
    }

    fn render_headers<'a>(
        &'a self,
        filler: &mut Filler<'a>,
    ) -> Result<Vec<RenderedHeader>, RenderError> {
        let mut rendered = Vec::with_capacity(self.headers.len() + 1);
        for header in &self.headers {
            let value = whole(filler, &header.value)?;
            rendered.push(checked_header(&header.name, value, header.sensitive)?);
        }
        if let Some(auth) = &self.auth {
            let value = authorization(filler, auth)?;
            rendered.push(checked_header("Authorization", value, true)?);
        }
        let block = rendered
            .iter()
            .map(|header| line_length(header.name.len(), header.value.len()))
            .sum();
        check_size("header block", MAX_HEADER_BYTES, block)?;
        Ok(rendered)
    }
}

fn whole<'a>(filler: &mut Filler<'a>, text: &'a Text) -> Result<Buffer, RenderError> {
    let mut out = Buffer::with_capacity(text.likely_len());
    filler.text(text, &mut out)?;
    Ok(out)
}

fn write_origin(origin: &Origin, url: &mut Buffer) {
    url.extend(origin.scheme.as_bytes());
    url.extend(b"://");
    url.extend(origin.host.as_bytes());
    if let Some(port) = origin.shown_port() {
        url.push(b':');
        url.extend(port.to_string().as_bytes());
    }
    url.extend(origin.prefix.as_bytes());
}

fn check_dots(path: &[u8]) -> Result<(), RenderError> {
    if path.split(|byte| *byte == b'/').any(is_dot_segment) {
        return Err(RenderError::UrlDotSegment);
    }
    Ok(())
}

fn checked_header(
    name: &str,
    value: Buffer,
    sensitive: bool,
) -> Result<RenderedHeader, RenderError> {
    if bad_header_byte(value.as_slice()).is_some() {
        return Err(RenderError::HeaderInjection {
            header: name.to_owned(),
        });
    }
    Ok(RenderedHeader {
        name: name.to_owned(),
        value: value.into_value(),
        sensitive,
    })
}

fn authorization<'a>(filler: &mut Filler<'a>, auth: &'a Auth) -> Result<Buffer, RenderError> {
    match auth {
        Auth::Bearer { token } => {
            let mut value = Buffer::with_capacity(7 + token.likely_len());
            value.extend(b"Bearer ");
            filler.text(token, &mut value)?;
            Ok(value)
        }
        Auth::Basic { username, password } => basic(filler, username, password),
    }
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
