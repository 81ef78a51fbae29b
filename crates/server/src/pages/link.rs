//! Links that work once: the owner's set-up, and invitations.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use padclock_api::ErrorCode;
use padclock_api::secret::SubmittedValue;
use padclock_store::{Joined, Joining, LinkKind, LinkRow};
use padclock_vault::{Label, token};
use serde::Deserialize;

use super::{NOT_OURS, believed, page, sign_in, to, told};
use crate::auth::session::Visitor;
use crate::failure::{Answer, Failure, stored};
use crate::state::App;
use crate::{password, random};

#[derive(Template)]
#[template(path = "link.html")]
struct Page<'a> {
    problem: Option<String>,
    csrf: &'a str,
    title: &'a str,
    text: &'a str,
    action: &'a str,
    button: &'a str,
    link: &'a str,
    known: Option<&'a str>,
    name: &'a str,
    email: &'a str,
}

// No `Debug`: a link opens a workspace.
#[derive(Deserialize)]
pub(super) struct Submitted {
    csrf: String,
    link: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: Option<SubmittedValue>,
}

fn show(
    visitor: &Visitor,
    kind: LinkKind,
    form: Option<&Submitted>,
    problem: Option<String>,
) -> Response {
    let (title, text, action, button) = match kind {
        LinkKind::SetUp => (
            "Set up Padclock",
            "You are the owner. Choose what you sign in with.",
            "/setup",
            "Set it up",
        ),
        LinkKind::Invitation => (
            "Join a workspace",
            "Somebody has invited you to share their workspace's jobs and credentials.",
            "/invite",
            "Join",
        ),
    };
    let known = visitor
        .session
        .as_ref()
        .filter(|_| kind == LinkKind::Invitation)
        .map(|row| row.user_name.as_str());
    let status = if problem.as_deref() == Some(NOT_OURS) {
        StatusCode::FORBIDDEN
    } else if problem.is_some() {
        StatusCode::BAD_REQUEST
    } else {
        StatusCode::OK
    };
    let template = Page {
        problem,
        csrf: visitor.csrf(),
        title,
        text,
        action,
        button,
        link: form.map_or("", |form| &form.link),
        known,
        name: form.map_or("", |form| &form.name),
        email: form.map_or("", |form| &form.email),
    };
    page(status, visitor, &template)
}

pub(super) async fn set_up_page(visitor: Visitor) -> Response {
    show(&visitor, LinkKind::SetUp, None, None)
}

pub(super) async fn invite_page(visitor: Visitor) -> Response {
    show(&visitor, LinkKind::Invitation, None, None)
}

pub(super) async fn set_up(
    State(app): State<App>,
    visitor: Visitor,
    headers: HeaderMap,
    Form(form): Form<Submitted>,
) -> Response {
    submit(&app, &visitor, &headers, form, LinkKind::SetUp).await
}

pub(super) async fn join(
    State(app): State<App>,
    visitor: Visitor,
    headers: HeaderMap,
    Form(form): Form<Submitted>,
) -> Response {
    submit(&app, &visitor, &headers, form, LinkKind::Invitation).await
}

async fn submit(
    app: &App,
    visitor: &Visitor,
    headers: &HeaderMap,
    mut form: Submitted,
    kind: LinkKind,
) -> Response {
    if !believed(visitor, headers, &form.csrf) {
        return show(visitor, kind, Some(&form), Some(NOT_OURS.to_owned()));
    }
    let joined = match accept(app, visitor, &mut form, kind).await {
        Ok(joined) => joined,
        Err(failure) => return show(visitor, kind, Some(&form), Some(told(&failure))),
    };
    match sign_in::open(app, visitor, joined.user, joined.workspace).await {
        Ok(cookie) => to("/", Some(cookie)),
        Err(_) => to("/sign-in", None),
    }
}

/// The link that was given, counted against its address when there is no such link.
async fn usable(app: &App, visitor: &Visitor, text: &str, kind: LinkKind) -> Answer<LinkRow> {
    app.failures.admit(&visitor.from)?;
    let keyring = app.keyrings.now();
    let lookup = token::link_lookup(keyring.derived(Label::TokenLookup), text.trim());
    let found = app.store.find_link(lookup).await.map_err(stored("link"))?;
    found.filter(|link| link.kind == kind).ok_or_else(|| {
        app.count_failure(visitor.from, "");
        Failure::new(
            ErrorCode::NotFound,
            "this link was used already, has ended, or is not a link of this server",
        )
    })
}

/// An address that mail could be sent to, in lower case.
fn address(text: &str) -> Answer<String> {
    let text = text.trim().to_lowercase();
    let good = text.len() <= 254
        && text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && !domain.is_empty() && !domain.contains('@')
        })
        && !text
            .chars()
            .any(|sign| sign.is_whitespace() || sign.is_control());
    good.then_some(text).ok_or_else(|| {
        Failure::new(
            ErrorCode::ValidationError,
            "the e-mail address must be one such as ada@example.com",
        )
    })
}

async fn joining(visitor: &Visitor, form: &mut Submitted, kind: LinkKind) -> Answer<Joining> {
    let invalid = |message: String| Failure::new(ErrorCode::ValidationError, message);
    if let (LinkKind::Invitation, Some(session)) = (kind, &visitor.session) {
        return Ok(Joining::Known(session.user));
    }
    let name = form.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > 128 || name.chars().any(char::is_control) {
        return Err(invalid("the name must have 1 to 128 characters".to_owned()));
    }
    let email = address(&form.email)?;
    let password = form
        .password
        .take()
        .ok_or_else(|| invalid("a password is needed".to_owned()))?
        .0;
    if let Some(problem) = password::problem(&password) {
        return Err(invalid(problem.trim_end_matches('.').to_owned()));
    }
    Ok(Joining::New {
        user: random::id(random::wall_clock()),
        name,
        email,
        password: password::hash(password).await?,
    })
}

async fn accept(
    app: &App,
    visitor: &Visitor,
    form: &mut Submitted,
    kind: LinkKind,
) -> Answer<Joined> {
    usable(app, visitor, &form.link, kind).await?;
    let joining = joining(visitor, form, kind).await?;
    let keyring = app.keyrings.now();
    let lookup = token::link_lookup(keyring.derived(Label::TokenLookup), form.link.trim());
    app.store
        .accept_link(lookup, joining, visitor.from.to_string())
        .await
        .map_err(stored("link"))
}
