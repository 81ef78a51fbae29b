//! The address of a server, and the rule that plain `http` goes to loopback only (the security contract, "On the wire").

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};

use super::ClientError;

/// Where a server is: `https://padclock.example.com`, or `http://127.0.0.1:7464` on this machine. A path in front of
/// `/v1` is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    scheme: Scheme,
    authority: Authority,
    /// Without a slash at its end.
    prefix: String,
}

/// The text is not the address of a server that a token may be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    /// It can't be read as a URL, or names no host.
    #[error("it is not a URL; give one like https://padclock.example.com")]
    Form,
    /// It has no scheme, or another one than these.
    #[error("it must begin with https://, or with http:// for this machine itself")]
    Scheme,
    /// It holds a user or a password.
    #[error("it must hold no user and no password; the token is given apart")]
    UserInfo,
    /// It holds a query.
    #[error("it must end with the host, the port or a path; leave out what follows the ?")]
    Query,
    /// Plain `http` to another machine.
    #[error(
        "plain http would show the token to the network; use https (http is for localhost, 127.0.0.0/8 and ::1)"
    )]
    PlainHttp,
}

impl BaseUrl {
    /// Whether it names this machine itself: `localhost`, `127.0.0.0/8` or `::1`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(self.authority.host())
    }

    /// Whether calls to it go over TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// The URI of a path with its query, `/v1/…`.
    pub(super) fn join(&self, path: &str) -> Result<Uri, ClientError> {
        let path = PathAndQuery::try_from(format!("{}{path}", self.prefix))
            .map_err(|_| ClientError::Unwritable)?;
        let uri = Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(path);
        uri.build().map_err(|_| ClientError::Unwritable)
    }
}

fn is_loopback(host: &str) -> bool {
    let inner = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    match inner {
        Some(v6) => v6
            .parse::<Ipv6Addr>()
            .is_ok_and(|address| address.is_loopback()),
        None => {
            host.eq_ignore_ascii_case("localhost")
                || host
                    .parse::<Ipv4Addr>()
                    .is_ok_and(|address| address.is_loopback())
        }
    }
}

impl FromStr for BaseUrl {
    type Err = BadUrl;

    fn from_str(text: &str) -> Result<Self, BadUrl> {
        if !text.contains("://") {
            return Err(BadUrl::Scheme);
        }
        let parts = text.parse::<Uri>().map_err(|_| BadUrl::Form)?.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(BadUrl::Form);
        };
        if scheme != Scheme::HTTP && scheme != Scheme::HTTPS {
            return Err(BadUrl::Scheme);
        }
        if authority.as_str().contains('@') {
            return Err(BadUrl::UserInfo);
        }
        if text.contains(['?', '#']) {
            return Err(BadUrl::Query);
        }
        if authority.host().is_empty() {
            return Err(BadUrl::Form);
        }
        if scheme == Scheme::HTTP && !is_loopback(authority.host()) {
            return Err(BadUrl::PlainHttp);
        }
        let path = parts.path_and_query.as_ref().map_or("", PathAndQuery::path);
        Ok(Self {
            scheme,
            authority,
            prefix: path.trim_end_matches('/').to_owned(),
        })
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.prefix)
    }
}
