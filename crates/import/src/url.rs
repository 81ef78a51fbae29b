//! URLs as command lines and documents write them: cut into parts, percent-decoded where a credential may stand.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::secrets::Target;
use crate::shell::Reason;

/// All but the unreserved characters (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

const BAD: Reason = "its URL can't be read: write https://host/path";

/// A URL's parts.
pub(crate) struct Parts {
    pub(crate) target: Target,
    /// `scheme://host[:port]`, as written.
    pub(crate) origin: String,
    /// User and password, decoded.
    pub(crate) user: Option<(Zeroizing<String>, Zeroizing<String>)>,
    /// From `/` on, or empty.
    pub(crate) path: Zeroizing<String>,
    /// Behind `?`.
    pub(crate) query: Option<Zeroizing<String>>,
}

/// Cuts a URL; one without a scheme is `http`, as curl has it.
pub(crate) fn parts(text: &str) -> Result<Parts, Reason> {
    let text = text.split('#').next().unwrap_or_default();
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
        None => ("http".to_owned(), text),
    };
    let usual = match scheme.as_str() {
        "http" => 80,
        "https" => 443,
        _ => return Err("its URL is neither http nor https"),
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let (user, authority) = match authority.rsplit_once('@') {
        Some((user, authority)) => (Some(userinfo(user)), authority),
        None => (None, authority),
    };
    let (host, port) = host(authority, usual)?;
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, Some(Zeroizing::new(query.to_owned()))),
        None => (rest, None),
    };
    Ok(Parts {
        origin: format!("{scheme}://{authority}"),
        target: Target { scheme, host, port },
        user,
        path: Zeroizing::new(path.to_owned()),
        query,
    })
}

fn userinfo(text: &str) -> (Zeroizing<String>, Zeroizing<String>) {
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    (decode(user), decode(password))
}

fn host(authority: &str, usual: u16) -> Result<(String, u16), Reason> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().map_err(|_| BAD)?),
        _ => (authority, usual),
    };
    let fits = |c: char| c.is_alphanumeric() || ".-_[]:".contains(c);
    if host.is_empty() || !host.chars().all(fits) {
        return Err(BAD);
    }
    Ok((
        host.to_ascii_lowercase().trim_end_matches('.').to_owned(),
        port,
    ))
}

/// Percent-decoded; as it stands when that gives no text.
pub(crate) fn decode(text: &str) -> Zeroizing<String> {
    let decoded = percent_decode_str(text).decode_utf8();
    Zeroizing::new(decoded.map_or_else(|_| text.to_owned(), std::borrow::Cow::into_owned))
}

/// Percent-encoded for any place of a URL.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}
