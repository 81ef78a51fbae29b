//! Where a redirect leads and what may go there (RFC 9110, 15.4; redaction contract: nothing secret follows to another
//! origin). Pure: the sending is in `attempt`.

use http::header::LOCATION;
use http::{HeaderMap, Method, StatusCode, Uri};
use padclock_redact::Redactor;
use url::Url;

use crate::failure::{Failure, FailureKind};
use crate::outgoing::Outgoing;

/// Redirects that are followed in one attempt.
pub(crate) const MOST: usize = 5;

/// A redirect that is to be followed.
#[derive(Debug)]
pub(crate) struct Next {
    /// The request to send next.
    pub(crate) request: Outgoing,
    /// Whether it still carries secrets, so that their policies must be asked again.
    pub(crate) same_origin: bool,
}

/// The next request, or `None` when the answer is no redirect.
pub(crate) fn next(
    mut sent: Outgoing,
    status: StatusCode,
    headers: &HeaderMap,
    redactor: &Redactor,
) -> Result<Option<Next>, Failure> {
    let Some(location) = location(status, headers) else {
        return Ok(None);
    };
    let location =
        std::str::from_utf8(location?).map_err(|_| refused("its Location is not a URL"))?;
    let from = parse(&sent.uri.to_string())?;
    let mut to = from
        .join(location)
        .map_err(|_| refused("its Location is not a URL"))?;
    if !matches!(to.scheme(), "http" | "https") || to.host_str().is_none() {
        return Err(refused("it leads to something else than http or https"));
    }
    // What a URL says of users never becomes a credential.
    let _ = to.set_username("").and_then(|()| to.set_password(None));
    to.set_fragment(None);
    let same_origin = from.origin() == to.origin();
    change_method(&mut sent, status);
    if !same_origin {
        keep_secrets_here(&mut sent, to.as_str(), redactor)?;
    }
    sent.uri = to
        .as_str()
        .parse::<Uri>()
        .map_err(|_| refused("its Location is not a URL"))?;
    Ok(Some(Next {
        request: sent,
        same_origin,
    }))
}

fn location(status: StatusCode, headers: &HeaderMap) -> Option<Result<&[u8], Failure>> {
    let redirects = matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308);
    let mut values = headers.get_all(LOCATION).iter();
    let first = values.next().filter(|_| redirects)?;
    Some(if values.next().is_some() {
        Err(refused("it has more than one Location"))
    } else {
        Ok(first.as_bytes())
    })
}

fn parse(uri: &str) -> Result<Url, Failure> {
    Url::parse(uri).map_err(|_| Failure::request("invalid_url", "the rendered URL is not valid"))
}

/// 303 asks for a GET; 301 and 302 have always turned a POST into one.
fn change_method(sent: &mut Outgoing, status: StatusCode) {
    let becomes_get = match status.as_u16() {
        303 => sent.method != Method::HEAD,
        301 | 302 => sent.method == Method::POST,
        _ => false,
    };
    if becomes_get {
        sent.method = Method::GET;
        sent.drop_body();
    }
}

/// Leaves everything secret behind, or refuses where that would change what is asked.
fn keep_secrets_here(sent: &mut Outgoing, to: &str, redactor: &Redactor) -> Result<(), Failure> {
    if sent.secret_body {
        return Err(refused(
            "it leads to another origin, and the body carries a secret",
        ));
    }
    if redactor.redact_str(to) != to {
        return Err(refused(
            "it leads to another origin, and its Location carries a secret",
        ));
    }
    sent.strip_secrets();
    Ok(())
}

fn refused(why: &str) -> Failure {
    Failure::new(
        FailureKind::Redirect,
        "redirect_refused",
        format!("the redirect is not followed: {why}"),
    )
}

/// There were more than may be followed.
pub(crate) fn too_many() -> Failure {
    Failure::new(
        FailureKind::Redirect,
        "too_many_redirects",
        format!("more than {MOST} redirects"),
    )
}

#[cfg(test)]
mod tests;
