//! `/v1/tokens`: what lets members in, narrowed as they wish. A token is answered once, by the call that made it.

mod ceiling;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use padclock_api::ids::TokenKind;
use padclock_api::token::{Token, TokenCreate, TokenMade};
use padclock_api::{ErrorEnvelope, Page};
use padclock_store::{Credential, NewToken, TokensOf};
use padclock_vault::{Label, token};
use serde::Deserialize;

use super::{check_label, page, put, reserve};
use crate::auth::{Caller, ManageTokens, OwnTokens, Role};
use crate::disclose::{self, Issued};
use crate::failure::{Answer, stored};
use crate::input::{Body, Params, PathId, cursor, page_size};
use crate::random;
use crate::state::App;

/// Those that the caller may know of: their own, or everyone's; of one environment's credential, those of that environment.
fn meant(caller: &Caller<OwnTokens>, everyone: bool) -> TokensOf {
    TokensOf {
        user: (!everyone).then(|| caller.user()),
        environment: caller.environment().map(str::to_owned),
    }
}

/// Makes a token of the caller's, or of a service member. It never has more than the credential that makes it.
#[utoipa::path(post, path = "/v1/tokens", tag = "tokens", request_body = TokenCreate,
    responses((status = 201, body = TokenMade), (status = 400, body = ErrorEnvelope), (status = 403, body = ErrorEnvelope)))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller<OwnTokens>,
    headers: HeaderMap,
    body: Body<TokenCreate>,
) -> Answer<Response> {
    let asked = body.value;
    check_label("name", &asked.name)?;
    let user = asked.for_user.unwrap_or(caller.user());
    let other = user != caller.user();
    let mut holder = None;
    if other {
        caller.must::<ManageTokens>()?;
        let member = app.store.get_member(caller.workspace(), user).await;
        holder = Some(member.map_err(stored("member"))?);
    }
    let own = match caller.identity.by {
        Credential::Token(id) => {
            let of = TokensOf::default();
            let token = app.store.get_token(caller.workspace(), id, of).await;
            Some(token.map_err(stored("token"))?)
        }
        Credential::Session(_) => None,
    };
    let now = app.store.now().await.map_err(stored("token"))?;
    let maker = ceiling::Maker {
        identity: &caller.identity,
        token: own.as_ref(),
        now,
    };
    let narrowed = maker.narrowed(&asked, holder.as_ref())?;
    let call = ("/v1/tokens", &body.raw[..]);
    let (_, repeated) = reserve(&app, &caller, &headers, call, [0; 16]).await?;
    super::refuse_showing_again(repeated)?;
    let keyring = app.keyrings.now();
    let key = keyring.derived(Label::TokenLookup);
    let (text, lookup) = token::issue(key, &mut random::System::default());
    let new = NewToken {
        id: random::id(now),
        lookup,
        name: asked.name,
    };
    let who = (caller.user(), user);
    let made = app
        .store
        .create_token(caller.workspace(), who, new, narrowed, caller.actor())
        .await
        .map_err(stored("member"))?;
    let issued = Issued {
        field: "token",
        before: "",
        value: &text,
    };
    let mut response = disclose::issued(StatusCode::CREATED, &made, &issued)?;
    let location = format!("/v1/tokens/{}", made.id);
    put(&mut response, header::LOCATION, &location);
    Ok(response)
}

/// Which tokens to list.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListParams {
    #[serde(default)]
    all: bool,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Lists the caller's tokens, or with `all=true` everyone's, never what lets one in.
#[utoipa::path(get, path = "/v1/tokens", tag = "tokens",
    params(("all" = Option<bool>, Query,), ("limit" = Option<u32>, Query,), ("cursor" = Option<String>, Query,)),
    responses((status = 200, body = Page<Token>), (status = 403, body = ErrorEnvelope)))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller<OwnTokens>,
    Params(params): Params<ListParams>,
) -> Answer<Response> {
    if params.all {
        caller.must::<ManageTokens>()?;
    }
    let (limit, after) = (page_size(params.limit)?, cursor(params.cursor.as_deref())?);
    let of = meant(&caller, params.all);
    let found = app
        .store
        .list_tokens(caller.workspace(), of, (after, limit))
        .await
        .map_err(stored("token"))?;
    let mut response = page("/v1/tokens", found, limit, |token| token.id.to_string());
    let link = response.headers().get(header::LINK);
    let link = link.and_then(|link| link.to_str().ok());
    if let Some(link) = link
        .filter(|_| params.all)
        .map(|link| link.replacen(">;", "&all=true>;", 1))
    {
        put(&mut response, header::LINK, &link);
    }
    Ok(response)
}

/// What is known of a token.
#[utoipa::path(get, path = "/v1/tokens/{id}", tag = "tokens", params(("id" = String, Path,)),
    responses((status = 200, body = Token), (status = 404, body = ErrorEnvelope)))]
pub(crate) async fn get(
    State(app): State<App>,
    caller: Caller<OwnTokens>,
    PathId(id): PathId<TokenKind>,
) -> Answer<Json<Token>> {
    let of = meant(&caller, caller.has::<ManageTokens>());
    let found = app.store.get_token(caller.workspace(), id, of).await;
    found.map(Json).map_err(stored("token"))
}

/// Ends a token at once: the caller's own, or with the permission anyone's.
#[utoipa::path(delete, path = "/v1/tokens/{id}", tag = "tokens", params(("id" = String, Path,)),
    responses((status = 204), (status = 404, body = ErrorEnvelope)))]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller<OwnTokens>,
    PathId(id): PathId<TokenKind>,
) -> Answer<StatusCode> {
    let of = meant(&caller, caller.has::<ManageTokens>());
    app.store
        .revoke_token(
            caller.workspace(),
            id,
            of,
            (caller.actor(), caller.identity.role == Role::Owner),
        )
        .await
        .map_err(stored("token"))?;
    Ok(StatusCode::NO_CONTENT)
}
