//! From a draft to a request: each credential in it becomes a reference, everything else a literal.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use padclock_template::{AuthSpec, RequestSpec};
use padclock_vault::Place as InRequest;
use zeroize::Zeroizing;

use crate::draft::{Draft, DraftAuth, literal};
use crate::plan::Place;
use crate::secrets::{Context, Secrets, Spoken, TOO_SHORT, Uses};
use crate::shell::Reason;
use crate::url::{self, Parts};
use crate::{form, json_text, names};

const FORM: &str = "application/x-www-form-urlencoded";

/// What came of a draft.
pub(crate) struct Request {
    pub(crate) spec: RequestSpec,
    /// A name for its job.
    pub(crate) name: String,
    /// The secrets it uses.
    pub(crate) secrets: Vec<String>,
    pub(crate) notes: Vec<String>,
    pub(crate) attempts: Option<u32>,
    pub(crate) wait: Option<u32>,
}

/// Makes the request of a draft.
pub(crate) fn request(
    mut draft: Draft,
    at: Place,
    secrets: &mut Secrets<'_>,
) -> Result<Request, Reason> {
    let mut parts = url::parts(&draft.url)?;
    take_authentication(&mut draft, &mut parts);
    settle_body_type(&mut draft);
    refuse_in_host(secrets, &parts)?;
    let method = draft
        .method
        .clone()
        .unwrap_or_else(|| default_method(&draft));
    let mut job = Uses {
        at,
        target: &parts.target,
        names: Vec::new(),
    };
    let path = replaced_path(secrets, &mut job, &parts.path)?;
    let query = match &parts.query {
        Some(query) => format!(
            "?{}",
            form::replace(secrets, &mut job, InRequest::Query, query)?
        ),
        None => String::new(),
    };
    let mut spec = draft.frame(format!("{}{path}{query}", parts.origin), method);
    for (name, value) in &draft.headers {
        let value = header(secrets, &mut job, name, value)?;
        let twice = spec
            .headers
            .keys()
            .any(|other| other.eq_ignore_ascii_case(name));
        if twice || spec.headers.insert(name.clone(), value).is_some() {
            return Err("it gives a header twice");
        }
    }
    if let Some(text) = &draft.body {
        spec.body = Some(body(secrets, &mut job, draft.header("content-type"), text)?.into());
    }
    spec.auth = match &draft.auth {
        Some(auth) => Some(authentication(secrets, &mut job, auth)?),
        None => None,
    };
    let shown = spec.url.split(['?', '{']).next().unwrap_or_default();
    let shown = shown.split_once("://").map_or("", |(_, rest)| rest);
    let (host, path) = shown.split_once('/').unwrap_or((shown, ""));
    let again = draft
        .attempts
        .or((!matches!(spec.method.as_str(), "GET" | "HEAD")).then_some(1));
    Ok(Request {
        name: names::of_url(host, path),
        secrets: job.names,
        notes: draft.notes,
        attempts: again,
        wait: draft.wait,
        spec,
    })
}

/// A secret can't decide where a request goes, and what stands there is shown to everyone.
pub(crate) fn refuse_in_host(secrets: &Secrets<'_>, parts: &Parts) -> Result<(), Reason> {
    let host = Context {
        field: "request.url",
        name: "host",
    };
    if secrets.any(host, &parts.target.host) {
        return Err("a credential stands in its host name, where a secret can't go");
    }
    Ok(())
}

fn default_method(draft: &Draft) -> String {
    if draft.body.is_some() { "POST" } else { "GET" }.to_owned()
}

/// `https://user:password@host/` and `Authorization: Basic …` are what `auth` says better.
fn take_authentication(draft: &mut Draft, parts: &mut Parts) {
    if let Some((user, password)) = parts.user.take() {
        draft
            .auth
            .get_or_insert(DraftAuth::Basic { user, password });
    }
    let index = draft
        .headers
        .iter()
        .position(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let Some(index) = index else { return };
    if draft.auth.is_some() {
        // Both curl and a job send the header that was written out.
        draft.auth = None;
    }
    let basic = basic(&draft.headers[index].1);
    if let Some((user, password)) = basic {
        draft.headers.remove(index);
        draft.auth = Some(DraftAuth::Basic { user, password });
    }
}

fn basic(header: &str) -> Option<(Zeroizing<String>, Zeroizing<String>)> {
    let (scheme, rest) = header.trim().split_once(' ')?;
    let decoded = Zeroizing::new(
        STANDARD
            .decode(rest.trim())
            .ok()
            .filter(|_| scheme.eq_ignore_ascii_case("basic"))?,
    );
    let text = std::str::from_utf8(&decoded).ok()?;
    let (user, password) = text
        .split_once(':')
        .filter(|(_, password)| password.len() >= 4)?;
    Some((
        Zeroizing::new(user.to_owned()),
        Zeroizing::new(password.to_owned()),
    ))
}

/// A body whose type nobody gave: curl calls everything a form.
fn settle_body_type(draft: &mut Draft) {
    let Some(body) = &draft.body else { return };
    if draft.header("content-type").is_some() {
        return;
    }
    let json = body.trim_start().starts_with(['{', '['])
        && serde_json::from_str::<serde::de::IgnoredAny>(body).is_ok();
    let kind = match () {
        () if json => "application/json",
        () if body.contains('=') => FORM,
        () => "text/plain",
    };
    if json {
        draft.note("its body is JSON and was sent as a form; it is sent as application/json now");
    }
    draft.default_header("Content-Type", kind);
}

fn replaced_path(
    secrets: &mut Secrets<'_>,
    job: &mut Uses<'_>,
    path: &str,
) -> Result<String, Reason> {
    let at = Spoken {
        context: Context {
            field: "request.url",
            name: "",
        },
        place: InRequest::Url,
    };
    // A credential may span several segments; where it has no escapes the path is looked at as a whole.
    if !path.contains('%') {
        let found = secrets.replace(job, at, path, None, &literal)?;
        return Ok(found.unwrap_or_else(|| literal(path)));
    }
    let mut segments = Vec::new();
    for segment in path.split('/') {
        let found = secrets.replace(job, at, &url::decode(segment), None, &|text| {
            literal(&url::encode(text))
        })?;
        segments.push(found.unwrap_or_else(|| literal(segment)));
    }
    Ok(segments.join("/"))
}

fn header(
    secrets: &mut Secrets<'_>,
    job: &mut Uses<'_>,
    name: &str,
    value: &str,
) -> Result<String, Reason> {
    let field = format!("request.headers.{name}");
    let at = Spoken {
        context: Context {
            field: &field,
            name,
        },
        place: InRequest::Header,
    };
    let whole = whole_header(name, value);
    if whole.as_ref().is_some_and(|span| span.len() < 4) {
        return Err(TOO_SHORT);
    }
    let found = secrets.replace(job, at, value, whole, &literal)?;
    Ok(found.unwrap_or_else(|| literal(value)))
}

/// The part of a header that is a credential by the header's name: what follows the scheme of an `Authorization`.
pub(crate) fn whole_header(name: &str, value: &str) -> Option<std::ops::Range<usize>> {
    if !names::tells_credential(name) || value.trim().is_empty() {
        return None;
    }
    let lead = value.len() - value.trim_start().len();
    let end = value.trim_end().len();
    let lower = name.to_ascii_lowercase();
    let scheme = lower
        .ends_with("authorization")
        .then(|| value[lead..end].find(' '))
        .flatten();
    let start = scheme.map_or(lead, |at| lead + at + 1);
    let start = end - value[start..end].trim_start().len();
    (start < end).then_some(start..end)
}

fn authentication(
    secrets: &mut Secrets<'_>,
    job: &mut Uses<'_>,
    auth: &DraftAuth,
) -> Result<AuthSpec, Reason> {
    let (name, text) = match auth {
        DraftAuth::Basic { password, .. } => ("password", password),
        DraftAuth::Bearer(token) => ("token", token),
    };
    let at = Spoken {
        context: Context {
            field: "request.auth",
            name,
        },
        place: InRequest::Auth,
    };
    let whole = (!text.is_empty()).then_some(0..text.len());
    let found = secrets
        .replace(job, at, text, whole, &literal)?
        .unwrap_or_default();
    Ok(match auth {
        DraftAuth::Basic { user, .. } => {
            let at = Spoken {
                context: Context {
                    field: "request.auth.username",
                    name: "username",
                },
                place: InRequest::Auth,
            };
            // Some services take a key for the user and no password.
            let by_place = (text.is_empty() && user.len() >= 16).then_some(0..user.len());
            let username = secrets.replace(job, at, user, by_place, &literal)?;
            AuthSpec::Basic {
                username: username.unwrap_or_else(|| literal(user)),
                password: found,
            }
        }
        DraftAuth::Bearer(_) => AuthSpec::Bearer { token: found },
    })
}

fn body(
    secrets: &mut Secrets<'_>,
    job: &mut Uses<'_>,
    content_type: Option<&str>,
    text: &str,
) -> Result<String, Reason> {
    let essence = content_type
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    if essence == FORM {
        return form::replace(secrets, job, InRequest::Body, text);
    }
    if essence.ends_with("json") {
        return json_text::replace(secrets, job, text);
    }
    let at = Spoken {
        context: Context {
            field: "request.body",
            name: "",
        },
        place: InRequest::Body,
    };
    let found = secrets.replace(job, at, text, None, &literal)?;
    Ok(found.unwrap_or_else(|| literal(text)))
}
