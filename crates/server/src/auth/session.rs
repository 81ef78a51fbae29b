//! Who is signed in by a browser's cookie, and whether a form was really sent from one of our own pages.

use std::convert::Infallible;
use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use padclock_store::{Actor, Credential, SessionRow};
use padclock_vault::{Keyring, Label, Randomness};

use super::peer;
use crate::random::System;
use crate::state::App;

/// How long a session lasts, used or not: seven days, in seconds.
pub(crate) const LASTS: i64 = 7 * 86_400;
const SESSION: &str = "padclock_session";
const FORM: &str = "padclock_form";

/// Random text that nobody guesses: 256 bits.
pub(crate) fn fresh() -> String {
    let mut bytes = [0; 32];
    System::default().fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The keyed hash under which a session is stored.
pub(crate) fn lookup(keyring: &Keyring, text: &str) -> [u8; 32] {
    keyring
        .derived(Label::Cookie)
        .mac(&[b"padclock/1 session", text.as_bytes()])
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value.to_owned())
}

/// A `Set-Cookie` that no script reads and no other site sends along with a form.
fn set(name: &str, value: &str, seconds: i64, secure: bool) -> Option<HeaderValue> {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    HeaderValue::from_str(&text).ok()
}

/// The cookie that opens a session.
pub(crate) fn opens(text: &str, secure: bool) -> Option<HeaderValue> {
    set(SESSION, text, LASTS, secure)
}

/// The cookie that ends one.
pub(crate) fn closes(secure: bool) -> Option<HeaderValue> {
    set(SESSION, "", 0, secure)
}

/// Who looks at a page, signed in or not.
#[derive(Debug)]
pub(crate) struct Visitor {
    pub(crate) session: Option<SessionRow>,
    pub(crate) from: IpAddr,
    /// The `Set-Cookie` of a visitor who had none.
    pub(crate) sets: Option<HeaderValue>,
    tag: String,
}

/// Binds a form to the browser it was made for, and to the session in it.
fn tag(keyring: &Keyring, form: &str, session: Option<&SessionRow>) -> String {
    let session = session.map_or([0; 16], |row| *row.id.bytes());
    let mac = keyring
        .derived(Label::Cookie)
        .mac(&[b"padclock/1 form", form.as_bytes(), &session]);
    URL_SAFE_NO_PAD.encode(mac)
}

impl Visitor {
    /// What a form must bring back.
    pub(crate) fn csrf(&self) -> &str {
        &self.tag
    }

    /// Whether a form with this tag is one that this browser was given.
    pub(crate) fn sent(&self, given: &str) -> bool {
        let (given, own) = (given.as_bytes(), self.tag.as_bytes());
        self.sets.is_none() && aws_lc_rs::constant_time::verify_slices_are_equal(given, own).is_ok()
    }

    /// As the audit names them.
    pub(crate) fn actor(&self) -> Option<Actor> {
        self.session.as_ref().map(|row| Actor::Member {
            user: row.user,
            by: Credential::Session(row.id),
            from: self.from.to_string(),
        })
    }
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let keyring = app.keyrings.now();
        let session = match cookie(&parts.headers, SESSION).filter(|text| text.len() == 43) {
            Some(text) => app.store.find_session(lookup(&keyring, &text)).await,
            None => Ok(None),
        };
        // A store that does not answer signs nobody in.
        let session = session.unwrap_or_else(|error| {
            tracing::warn!(%error, "a session could not be looked up");
            None
        });
        let given = cookie(&parts.headers, FORM).filter(|text| text.len() == 43);
        let sets = given.is_none();
        let form = given.unwrap_or_else(fresh);
        Ok(Self {
            tag: tag(&keyring, &form, session.as_ref()),
            session,
            from: peer(parts),
            sets: sets
                .then(|| set(FORM, &form, LASTS, app.secure_cookies))
                .flatten(),
        })
    }
}

/// Whether a form comes from a page of this server: browsers say so in `Origin`, and one that does not say is refused.
pub(crate) fn same_origin(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let origin = text(header::ORIGIN).and_then(|origin| origin.split_once("://"));
    match (origin, text(header::HOST)) {
        (Some((_, authority)), Some(host)) => authority.eq_ignore_ascii_case(host),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(header::HeaderName, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    #[test]
    fn a_form_must_come_from_this_very_host() {
        let host = (header::HOST, "cron.example.com");
        let from = |origin| same_origin(&headers(&[host.clone(), (header::ORIGIN, origin)]));
        assert!(from("https://cron.example.com"));
        assert!(from("https://CRON.example.com"));
        assert!(!from("https://cron.example.com.evil.test"));
        assert!(!from("https://evil.test"));
        assert!(!from("https://cron.example.com:8443"));
        assert!(!from("null"));
        assert!(!same_origin(&headers(&[host])));
        assert!(!same_origin(&headers(&[(header::ORIGIN, "https://x")])));
    }

    #[test]
    fn a_cookie_is_found_among_others_by_its_whole_name() {
        let found = |line| cookie(&headers(&[(header::COOKIE, line)]), SESSION);
        assert_eq!(found("a=b; padclock_session=x"), Some("x".to_owned()));
        assert_eq!(found("xpadclock_session=x"), None);
        assert_eq!(found("padclock_session"), None);
    }

    #[test]
    fn cookies_are_closed_to_scripts_and_other_sites() {
        let opened = opens("x", true).unwrap();
        let opened = opened.to_str().unwrap();
        for part in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/"] {
            assert!(opened.contains(part), "{part}");
        }
        assert!(!closes(false).unwrap().to_str().unwrap().contains("Secure"));
    }
}
