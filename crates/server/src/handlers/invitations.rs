//! `/v1/invitations`: links that make a member of whoever accepts them. Accepting is the pages' matter.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use padclock_api::ids::LinkKind;
use padclock_api::invitation::{Invitation, InvitationCreate, InvitationMade};
use padclock_api::{ErrorEnvelope, Page};
use padclock_store::NewInvitation;
use padclock_vault::{Label, token};

use super::{page, reserve};
use crate::auth::{Caller, ManageMembers};
use crate::disclose::{self, Issued};
use crate::failure::{Answer, Failure, stored};
use crate::input::{Body, Paging, Params, PathId, cursor};
use crate::random;
use crate::state::App;

/// How long a link works when nothing else is said, and at most, in seconds.
const USUAL: u64 = 7 * 86_400;
const LONGEST: u64 = 30 * 86_400;
const SHORTEST: u64 = 60;
/// The longest e-mail address (RFC 5321, section 4.5.3.1, as corrected).
const MAX_EMAIL: usize = 254;

/// Invites someone. The link in the answer is shown this once.
#[utoipa::path(post, path = "/v1/invitations", tag = "invitations", request_body = InvitationCreate,
    responses((status = 201, body = InvitationMade), (status = 400, body = ErrorEnvelope), (status = 403, body = ErrorEnvelope)))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller<ManageMembers>,
    headers: HeaderMap,
    body: Body<InvitationCreate>,
) -> Answer<Response> {
    let InvitationCreate {
        email,
        role,
        expires_in,
    } = body.value;
    let email = email.map(checked_email).transpose()?;
    caller.identity.may_give(role)?;
    let lasts = expires_in.unwrap_or(USUAL);
    if !(SHORTEST..=LONGEST).contains(&lasts) {
        let message = format!("must be {SHORTEST} to {LONGEST} seconds");
        return Err(Failure::field("expires_in", "out_of_range", message));
    }
    let call = ("/v1/invitations", &body.raw[..]);
    let (_, repeated) = reserve(&app, &caller, &headers, call, [0; 16]).await?;
    super::refuse_showing_again(repeated)?;
    let keyring = app.keyrings.now();
    let key = keyring.derived(Label::TokenLookup);
    let (text, lookup) = token::issue_link(key, &mut random::System::default());
    let new = NewInvitation {
        id: random::id(random::wall_clock()),
        lookup,
        role,
        email,
        lasts: i64::try_from(lasts * 1000).unwrap_or(i64::MAX),
    };
    let made = app
        .store
        .create_invitation(caller.workspace(), new, caller.by())
        .await
        .map_err(stored("invitation"))?;
    let before = format!("{}/invite#", app.public_url);
    let issued = Issued {
        field: "url",
        before: &before,
        value: &text,
    };
    disclose::issued(StatusCode::CREATED, &made, &issued)
}

fn checked_email(text: String) -> Answer<String> {
    let parts = text.split_once('@');
    let fits = parts
        .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'));
    let clean = text
        .chars()
        .all(|character| !character.is_control() && !character.is_whitespace());
    if !fits || !clean || text.len() > MAX_EMAIL {
        let message = format!("must be an e-mail address of at most {MAX_EMAIL} bytes");
        return Err(Failure::field("email", "bad_email", message));
    }
    Ok(text.to_lowercase())
}

/// Lists the invitations that can still be accepted, never their links.
#[utoipa::path(get, path = "/v1/invitations", tag = "invitations",
    params(("limit" = Option<u32>, Query,), ("cursor" = Option<String>, Query,)),
    responses((status = 200, body = Page<Invitation>)))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller<ManageMembers>,
    Params(paging): Params<Paging>,
) -> Answer<Response> {
    let (limit, after) = (paging.limit()?, cursor(paging.cursor.as_deref())?);
    let found = app
        .store
        .list_invitations(caller.workspace(), after, limit)
        .await
        .map_err(stored("invitation"))?;
    Ok(page("/v1/invitations", found, limit, |invitation| {
        invitation.id.to_string()
    }))
}

/// Ends an invitation: its link works no more.
#[utoipa::path(delete, path = "/v1/invitations/{id}", tag = "invitations", params(("id" = String, Path,)),
    responses((status = 204), (status = 404, body = ErrorEnvelope)))]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller<ManageMembers>,
    PathId(id): PathId<LinkKind>,
) -> Answer<StatusCode> {
    app.store
        .revoke_invitation(caller.workspace(), id, caller.actor())
        .await
        .map_err(stored("invitation"))?;
    Ok(StatusCode::NO_CONTENT)
}
