//! Letting a command line in: somebody who is signed in types its code and confirms.

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use padclock_store::{PairingRow, SessionRow};
use serde::Deserialize;

use super::{NOT_OURS, believed, home, page, to, told};
use crate::auth::session::Visitor;
use crate::failure::{Answer, stored};
use crate::handlers::pairings::{code_lookup, shown_code};
use crate::state::App;

const UNKNOWN: &str =
    "No command line waits under this code. Codes end after ten minutes; ask for a new one.";

/// What a person should know before they confirm.
struct Waiting {
    name: String,
    address: String,
    at: String,
}

#[derive(Template)]
#[template(path = "pair.html")]
struct Page<'a> {
    problem: Option<String>,
    csrf: &'a str,
    who: &'a str,
    workspace: &'a str,
    code: &'a str,
    waiting: Option<Waiting>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Given {
    #[serde(default)]
    code: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Submitted {
    csrf: String,
    code: String,
    #[serde(default)]
    confirm: Option<String>,
}

fn show(
    visitor: &Visitor,
    session: &SessionRow,
    code: &str,
    found: Result<Option<PairingRow>, String>,
) -> Response {
    let (waiting, problem) = match found {
        Ok(Some(row)) => {
            let waiting = Waiting {
                name: row.name,
                address: row.address,
                at: row.created_at.to_string(),
            };
            (Some(waiting), None)
        }
        Ok(None) => (None, None),
        Err(problem) => (None, Some(problem)),
    };
    let status = if problem.is_some() {
        StatusCode::BAD_REQUEST
    } else {
        StatusCode::OK
    };
    let template = Page {
        problem,
        csrf: visitor.csrf(),
        who: &session.user_name,
        workspace: &session.workspace_name,
        code,
        waiting,
    };
    page(status, visitor, &template)
}

/// The form, with the code that the command line's own link brought along. Nothing is looked up before it is sent.
pub(super) async fn page_with_code(visitor: Visitor, Query(given): Query<Given>) -> Response {
    let code = shown_code(&given.code);
    match &visitor.session {
        Some(session) => show(&visitor, session, &code, Ok(None)),
        None => to(&format!("/sign-in?next=/pair%3Fcode%3D{code}"), None),
    }
}

async fn find(app: &App, visitor: &Visitor, code: &str) -> Answer<Option<PairingRow>> {
    app.failures.admit(&visitor.from)?;
    let lookup = code_lookup(&app.keyrings.now(), code);
    let found = app.store.find_pairing(lookup).await;
    let found = found.map_err(stored("pairing"))?;
    if found.is_none() {
        app.count_failure(visitor.from, "");
    }
    Ok(found)
}

pub(super) async fn submit(
    State(app): State<App>,
    visitor: Visitor,
    headers: HeaderMap,
    Form(form): Form<Submitted>,
) -> Response {
    let (Some(session), Some(actor)) = (&visitor.session, visitor.actor()) else {
        return to("/sign-in?next=/pair", None);
    };
    let code = shown_code(&form.code);
    if !believed(&visitor, &headers, &form.csrf) {
        return show(&visitor, session, &code, Err(NOT_OURS.to_owned()));
    }
    let row = match find(&app, &visitor, &code).await {
        Ok(Some(row)) => row,
        Ok(None) => return show(&visitor, session, &code, Err(UNKNOWN.to_owned())),
        Err(failure) => return show(&visitor, session, &code, Err(told(&failure))),
    };
    if form.confirm.is_none() {
        return show(&visitor, session, &code, Ok(Some(row)));
    }
    let confirmed = app
        .store
        .confirm_pairing(row.id, session.user, session.workspace, actor)
        .await;
    match confirmed {
        Ok(()) => home::say(
            &visitor,
            StatusCode::OK,
            "The command line is signed in",
            "You can close this page and go back to it.",
        ),
        Err(error) => show(
            &visitor,
            session,
            &code,
            Err(told(&stored("pairing")(error))),
        ),
    }
}
