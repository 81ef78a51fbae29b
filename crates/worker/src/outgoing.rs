//! A request on its way out: where rendered values become HTTP. The headers that Padclock adds are made here; the values'
//! bytes are moved, not copied, and wiped when the last user drops them.

use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION, CONTENT_TYPE, COOKIE,
    USER_AGENT,
};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Uri};
use http_body_util::Full;
use padclock_template::{Rendered, RenderedHeader};
use padclock_vault::Value;

use crate::failure::Failure;
use crate::texts::Texts;

const SCHEME: &[u8] = b"Bearer ";
const AGENT: &str = concat!("padclock/", env!("CARGO_PKG_VERSION"));

/// A request that can be sent, and again to where a redirect leads.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether a secret stands in the body.
    pub(crate) secret_body: bool,
}

/// A value's bytes for the HTTP library; wiped with the value.
struct Injected(Value);

impl AsRef<[u8]> for Injected {
    #[expect(
        clippy::disallowed_methods,
        reason = "the worker's injection: the bytes go into the request"
    )]
    fn as_ref(&self) -> &[u8] {
        self.0.expose()
    }
}

fn inject(value: Value) -> Bytes {
    Bytes::from_owner(Injected(value))
}

impl Outgoing {
    /// The request of one attempt, with the headers that Padclock adds.
    pub(crate) fn new(
        rendered: Rendered,
        texts: &Texts,
        secret_body: bool,
    ) -> Result<Self, Failure> {
        let mut request = Self::bare(rendered, secret_body)?;
        add_own(&mut request.headers, texts)?;
        Ok(request)
    }

    /// A request that says nothing of the execution it is sent for.
    pub(crate) fn bare(rendered: Rendered, secret_body: bool) -> Result<Self, Failure> {
        let method = Method::from_bytes(rendered.method.as_bytes())
            .map_err(|_| Failure::request("invalid_method", "the method is not an HTTP method"))?;
        let uri = Uri::from_maybe_shared(inject(rendered.url))
            .map_err(|_| Failure::request("invalid_url", "the rendered URL is not valid"))?;
        let mut headers = HeaderMap::with_capacity(rendered.headers.len() + 6);
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        for header in rendered.headers {
            let (name, value) = injected_header(header)?;
            headers.insert(name, value);
        }
        let body = rendered.body.map(inject).unwrap_or_default();
        Ok(Self {
            method,
            uri,
            headers,
            body,
            secret_body,
        })
    }

    /// Puts an access token in, in place of one that was there.
    #[expect(
        clippy::disallowed_methods,
        reason = "the worker's injection: the bytes go into the request"
    )]
    pub(crate) fn bear(&mut self, token: &Value) -> Result<(), Failure> {
        let mut text = Vec::with_capacity(SCHEME.len() + token.len());
        text.extend_from_slice(SCHEME);
        text.extend_from_slice(token.expose());
        let mut value = HeaderValue::from_maybe_shared(inject(Value::new(text)))
            .map_err(|_| injection(&AUTHORIZATION))?;
        value.set_sensitive(true);
        self.headers.insert(AUTHORIZATION, value);
        Ok(())
    }

    /// The request for the client.
    pub(crate) fn into_request(self) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body));
        *request.method_mut() = self.method;
        *request.uri_mut() = self.uri;
        *request.headers_mut() = self.headers;
        request
    }

    /// Takes away all that must not reach another origin: headers that carry a secret, and credentials of any kind.
    pub(crate) fn strip_secrets(&mut self) {
        let sensitive: Vec<_> = self
            .headers
            .iter()
            .filter(|(name, value)| {
                value.is_sensitive() || *name == AUTHORIZATION || *name == COOKIE
            })
            .map(|(name, _)| name.clone())
            .collect();
        for name in sensitive {
            self.headers.remove(name);
        }
    }

    /// Makes it a request without a body.
    pub(crate) fn drop_body(&mut self) {
        self.body = Bytes::new();
        self.secret_body = false;
        for name in [
            CONTENT_TYPE,
            CONTENT_ENCODING,
            CONTENT_LANGUAGE,
            CONTENT_LOCATION,
        ] {
            self.headers.remove(name);
        }
    }
}

fn injected_header(header: RenderedHeader) -> Result<(HeaderName, HeaderValue), Failure> {
    let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(|_| {
        Failure::request(
            "invalid_header",
            format!("`{}` is not the name of a header", header.name),
        )
    })?;
    let mut value =
        HeaderValue::from_maybe_shared(inject(header.value)).map_err(|_| injection(&name))?;
    value.set_sensitive(header.sensitive);
    Ok((name, value))
}

fn injection(name: &HeaderName) -> Failure {
    let message = format!("the value of the header `{name}` would hold a control character");
    Failure::request("header_injection", message)
}

/// The headers by which a target knows an execution: the job's own of these names do not count.
fn add_own(headers: &mut HeaderMap, texts: &Texts) -> Result<(), Failure> {
    let own = [
        (
            HeaderName::from_static("idempotency-key"),
            &texts.execution_id,
        ),
        (
            HeaderName::from_static("x-cron-service-job-id"),
            &texts.job_id,
        ),
        (
            HeaderName::from_static("x-cron-service-execution-id"),
            &texts.execution_id,
        ),
        (
            HeaderName::from_static("x-cron-service-scheduled-for"),
            &texts.scheduled_for,
        ),
        (
            HeaderName::from_static("x-cron-service-attempt"),
            &texts.attempt,
        ),
    ];
    for (name, text) in own {
        let value = HeaderValue::from_str(text).map_err(|_| injection(&name))?;
        headers.insert(name, value);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
