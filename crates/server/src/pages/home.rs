//! The first page: who is signed in, and how to go on from there.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::{page, to};
use crate::auth::session::Visitor;
use crate::state::App;

/// A page that says one thing.
#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    problem: Option<String>,
    csrf: &'a str,
    title: &'a str,
    text: &'a str,
    who: Option<&'a str>,
    workspace: &'a str,
    role: &'a str,
    url: &'a str,
}

/// Says that something is done, or why not.
pub(super) fn say(visitor: &Visitor, status: StatusCode, title: &str, text: &str) -> Response {
    let home = Home {
        problem: None,
        csrf: visitor.csrf(),
        title,
        text,
        who: None,
        workspace: "",
        role: "",
        url: "",
    };
    page(status, visitor, &home)
}

pub(super) async fn home(State(app): State<App>, visitor: Visitor) -> Response {
    let Some(session) = &visitor.session else {
        return to("/sign-in", visitor.sets.clone());
    };
    let home = Home {
        problem: None,
        csrf: visitor.csrf(),
        title: "You are signed in",
        text: "This node keeps credentials, and runs the jobs that need them.",
        who: Some(&session.user_name),
        workspace: &session.workspace_name,
        role: &session.role,
        url: &app.public_url,
    };
    page(StatusCode::OK, &visitor, &home)
}
