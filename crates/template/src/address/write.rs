//! Rendering an address: where it leads before any secret is opened, and the whole URL. What a value may do there was decided when it
//! was compiled.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use super::{Address, Base, Origin};
use crate::buffer::Buffer;
use crate::error::{RenderError, check_size};
use crate::escape::is_dot_segment;
use crate::expression::{SecretRef, Source};
use crate::fill::{Filler, Found, Secrets, Variables};
use crate::problem::{MAX_URL_BYTES, Problem};
use crate::render::TargetUrl;

/// For texts that hold no secret by construction.
struct NoSecrets;

impl Secrets for NoSecrets {
    fn get(&self, _: &SecretRef) -> Found<'_> {
        Found::Missing
    }
}

/// A rendered URL, and where its parts are.
pub(crate) struct Url {
    pub text: Buffer,
    authority: Range<usize>,
    path: Range<usize>,
}

impl Url {
    /// The host, with its port unless that is the scheme's own: what the `Host` header says.
    pub fn authority(&self) -> &[u8] {
        &self.text.as_slice()[self.authority.clone()]
    }

    pub fn path(&self) -> &[u8] {
        &self.text.as_slice()[self.path.clone()]
    }

    /// Without `?`.
    pub fn query(&self) -> &[u8] {
        let rest = &self.text.as_slice()[self.path.end..];
        rest.strip_prefix(b"?").unwrap_or(rest)
    }
}

impl Address {
    /// Where it leads, from what is not secret.
    pub fn target(&self, vars: &Variables<'_>) -> Result<TargetUrl, RenderError> {
        let origin = self.origin(vars)?;
        let mut filler = Filler::new(vars, &NoSecrets);
        let mut path = Buffer::with_capacity(origin.prefix.len() + self.path.likely_len());
        path.extend(origin.prefix.as_bytes());
        let whole = filler.text_before_secret(&self.path, &mut path)?;
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

    /// The whole URL.
    pub fn write<'a>(
        &'a self,
        vars: &Variables<'_>,
        filler: &mut Filler<'a>,
    ) -> Result<Url, RenderError> {
        let origin = self.origin(vars)?;
        let around = origin.scheme.len() + origin.host.len() + origin.prefix.len() + 10;
        let mut text =
            Buffer::with_capacity(around + self.path.likely_len() + self.query.likely_len());
        let authority = write_origin(&origin, &mut text);
        let path_from = text.len();
        text.extend(origin.prefix.as_bytes());
        let own_from = text.len();
        filler.text(&self.path, &mut text)?;
        if !self.path.is_static() {
            check_dots(&text.as_slice()[own_from..])?;
        }
        let path = path_from..text.len();
        if !self.query.is_empty() {
            text.push(b'?');
            filler.text(&self.query, &mut text)?;
        }
        check_size("URL", MAX_URL_BYTES, text.len())?;
        Ok(Url {
            text,
            authority,
            path,
        })
    }

    fn origin(&self, vars: &Variables<'_>) -> Result<Cow<'_, Origin>, RenderError> {
        let text = match &self.origin {
            Base::Fixed(origin) => return Ok(Cow::Borrowed(origin)),
            Base::Variable { text, .. } => text,
        };
        let rendered = Filler::new(vars, &NoSecrets).whole(text)?;
        let invalid = |reason| RenderError::UrlOrigin { reason };
        let text =
            std::str::from_utf8(rendered.as_slice()).map_err(|_| invalid("it is not UTF-8"))?;
        Origin::parse(text).map(Cow::Owned).map_err(invalid)
    }

    /// Whether an env makes a valid origin; nothing is said when other variables stand in it too.
    pub fn origin_problem(&self, env: &BTreeMap<String, String>) -> Option<Problem> {
        let Base::Variable { text, field } = &self.origin else {
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
}

/// Writes `scheme://host[:port]`, and answers where the host begins and ends.
fn write_origin(origin: &Origin, url: &mut Buffer) -> Range<usize> {
    url.extend(origin.scheme.as_bytes());
    url.extend(b"://");
    let from = url.len();
    url.extend(origin.host.as_bytes());
    if let Some(port) = origin.shown_port() {
        url.push(b':');
        url.extend(port.to_string().as_bytes());
    }
    from..url.len()
}

fn check_dots(path: &[u8]) -> Result<(), RenderError> {
    if path.split(|byte| *byte == b'/').any(is_dot_segment) {
        return Err(RenderError::UrlDotSegment);
    }
    Ok(())
}
