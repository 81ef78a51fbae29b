//! Signing in by password, and out.

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use padclock_api::secret::SubmittedValue;
use padclock_api::{SessionId, UserId, WorkspaceId};
use padclock_store::NewSession;
use serde::Deserialize;

use super::{NOT_OURS, believed, to, told};
use crate::auth::session::{self, Visitor};
use crate::failure::{Answer, Failure, stored};
use crate::state::App;
use crate::{password, random};

const WRONG: &str = "There is no such account, or the password is another one.";

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn<'a> {
    problem: Option<String>,
    csrf: &'a str,
    next: &'a str,
    email: &'a str,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Submitted {
    csrf: String,
    #[serde(default)]
    next: String,
    email: String,
    password: SubmittedValue,
}

/// Where to go afterwards: a path of ours, or the first page.
fn onward(next: &str) -> &str {
    let ours = next.starts_with('/')
        && !next.starts_with("//")
        && next
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if ours { next } else { "/" }
}

pub(super) async fn page_for(visitor: &Visitor, problem: Option<String>, next: &str) -> Response {
    let status = if problem.is_some() {
        StatusCode::FORBIDDEN
    } else {
        StatusCode::OK
    };
    let template = SignIn {
        problem,
        csrf: visitor.csrf(),
        next,
        email: "",
    };
    super::page(status, visitor, &template)
}

pub(super) async fn page_of(visitor: &Visitor, next: &str) -> Response {
    page_for(visitor, None, next).await
}

pub(super) async fn submit(
    State(app): State<App>,
    visitor: Visitor,
    headers: HeaderMap,
    Form(form): Form<Submitted>,
) -> Response {
    let next = onward(&form.next).to_owned();
    if !believed(&visitor, &headers, &form.csrf) {
        return page_for(&visitor, Some(NOT_OURS.to_owned()), &next).await;
    }
    match enter(&app, &visitor, form).await {
        Ok(Some(cookie)) => to(&next, Some(cookie)),
        Ok(None) => page_for(&visitor, Some(WRONG.to_owned()), &next).await,
        Err(failure) => page_for(&visitor, Some(told(&failure)), &next).await,
    }
}

/// Opens a session for who shows the right password; answers its cookie.
async fn enter(app: &App, visitor: &Visitor, form: Submitted) -> Answer<Option<HeaderValue>> {
    let email = form.email.trim().to_lowercase();
    app.failures.admit(&visitor.from)?;
    app.logins.admit(email.as_str())?;
    // Counted before it is looked at, so that many at once are not all looked at; one that is right is taken back.
    app.count_failure(visitor.from, &email);
    let account = app.store.find_account(email.clone()).await;
    let account = account.map_err(stored("account"))?;
    let hash = account.as_ref().map(|account| account.password.clone());
    let right = password::matches(form.password.0, hash).await?;
    let workspace = account
        .as_ref()
        .and_then(|account| account.workspaces.first().copied());
    let (Some(account), Some(workspace)) = (account, workspace) else {
        return Ok(None);
    };
    if !right {
        let refused = app
            .store
            .refuse_session(workspace, account.user, visitor.from.to_string());
        refused.await.map_err(stored("account"))?;
        return Ok(None);
    }
    app.forgive(visitor.from, &email);
    open(app, visitor, account.user, workspace).await.map(Some)
}

/// Opens a session; answers its cookie.
pub(super) async fn open(
    app: &App,
    visitor: &Visitor,
    user: UserId,
    workspace: WorkspaceId,
) -> Answer<HeaderValue> {
    let text = session::fresh();
    let id: SessionId = random::id(random::wall_clock());
    let new = NewSession {
        id,
        lookup: session::lookup(&app.keyrings.now(), &text),
        user,
        workspace,
        lasts: session::LASTS * 1_000,
    };
    app.store
        .open_session(new, visitor.from.to_string())
        .await
        .map_err(stored("session"))?;
    session::opens(&text, app.secure_cookies).ok_or_else(|| {
        Failure::new(
            padclock_api::ErrorCode::Internal,
            "the session's cookie could not be made",
        )
    })
}

pub(super) async fn page(visitor: Visitor, Query(next): Query<Next>) -> Response {
    if visitor.session.is_some() {
        return to(onward(&next.next), None);
    }
    page_of(&visitor, onward(&next.next)).await
}

#[derive(Debug, Deserialize)]
pub(super) struct Out {
    csrf: String,
}

pub(super) async fn out(
    State(app): State<App>,
    visitor: Visitor,
    headers: HeaderMap,
    Form(form): Form<Out>,
) -> Response {
    if !believed(&visitor, &headers, &form.csrf) {
        return page_for(&visitor, Some(NOT_OURS.to_owned()), "/").await;
    }
    if let (Some(row), Some(actor)) = (&visitor.session, visitor.actor())
        && let Err(error) = app.store.close_session(row.workspace, row.id, actor).await
    {
        return page_for(&visitor, Some(told(&stored("session")(error))), "/").await;
    }
    to("/sign-in", session::closes(app.secure_cookies))
}

#[cfg(test)]
mod tests {
    use super::onward;

    #[test]
    fn nobody_is_sent_to_another_site() {
        assert_eq!(onward("/pair?code=ABCD"), "/pair?code=ABCD");
        for bad in [
            "",
            "https://evil.test/",
            "//evil.test",
            "/\\evil.test",
            "javascript:alert(1)",
            "/a\r\nSet-Cookie: x",
        ] {
            assert_eq!(onward(bad), "/", "{bad}");
        }
    }
}
