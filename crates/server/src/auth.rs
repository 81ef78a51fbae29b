//! Who calls, and whether they may: a handler that names no permission gets no caller.

use std::marker::PhantomData;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header;
use axum::http::request::Parts;
use padclock_api::{ErrorCode, UserId, WorkspaceId};
use padclock_store::{Actor, TokenRow};
use padclock_vault::{Label, token};

use crate::failure::{Answer, Failure, stored};
use crate::state::App;

/// What a member may do in a workspace, from most to least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Viewer,
    Editor,
    Admin,
    Owner,
}

impl Role {
    fn of(word: &str) -> Option<Self> {
        match word {
            "owner" => Some(Self::Owner),
            "admin" => Some(Self::Admin),
            "editor" => Some(Self::Editor),
            "viewer" => Some(Self::Viewer),
            _ => None,
        }
    }
}

/// Something that a role may or may not do; named in the handler's signature.
pub(crate) trait Permission: Send + Sync + 'static {
    /// What it is called in refusals.
    const NAME: &'static str;
    /// The least role that has it.
    const LEAST: Role;
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $word:literal from $least:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) enum $name {}
        impl Permission for $name {
            const NAME: &'static str = $word;
            const LEAST: Role = Role::$least;
        }
    )*};
}

permissions! {
    /// See metadata, jobs and executions.
    Read = "read" from Viewer;
    /// Create, replace and delete one's own secrets.
    OwnSecrets = "secrets:own" from Viewer;
    /// Create, replace and delete the workspace's secrets.
    WriteSecrets = "secrets:write" from Editor;
    /// Write and start jobs.
    WriteJobs = "jobs:write" from Editor;
}

/// A caller who has the permission `P`.
#[derive(Debug)]
pub(crate) struct Caller<P> {
    pub(crate) token: TokenRow,
    from: IpAddr,
    permission: PhantomData<fn() -> P>,
}

impl<P> Caller<P> {
    pub(crate) fn workspace(&self) -> WorkspaceId {
        self.token.workspace
    }

    pub(crate) fn user(&self) -> UserId {
        self.token.user
    }

    /// Refuses a caller who does not have the permission `Q` as well: for calls whose need shows in what they are about.
    pub(crate) fn must<Q: Permission>(&self) -> Answer<()> {
        if has::<Q>(&self.token) {
            Ok(())
        } else {
            Err(forbidden::<Q>(&self.token))
        }
    }

    /// As the audit names them.
    pub(crate) fn actor(&self) -> Actor {
        Actor::Member {
            user: self.token.user,
            token: self.token.id,
            from: self.from.to_string(),
        }
    }
}

fn has<P: Permission>(token: &TokenRow) -> bool {
    Role::of(&token.role).is_some_and(|role| role >= P::LEAST)
}

fn forbidden<P: Permission>(token: &TokenRow) -> Failure {
    let message = format!(
        "the role {} does not have the permission {}",
        token.role,
        P::NAME
    );
    Failure::new(ErrorCode::Forbidden, message)
}

fn unauthorized(message: &str) -> Failure {
    Failure::new(ErrorCode::Unauthorized, message)
}

fn bearer(parts: &Parts) -> Answer<&str> {
    let Some(header) = parts.headers.get(header::AUTHORIZATION) else {
        return Err(unauthorized(
            "a token is needed: Authorization: Bearer TOKEN",
        ));
    };
    let text = header
        .to_str()
        .map_err(|_| unauthorized("the Authorization header is not text"))?;
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("bearer") || token.trim().is_empty() {
        return Err(unauthorized(
            "the Authorization header must be: Bearer TOKEN",
        ));
    }
    Ok(token.trim())
}

/// A token that nobody has: counted, and after too many from one address answered with a wait. One that is right is let in
/// whatever others at its address have tried.
fn unknown(app: &App, from: IpAddr) -> Failure {
    let now = Instant::now();
    if let Some(wait) = app.failures.wait(from, now) {
        let failure = Failure::new(
            ErrorCode::RateLimited,
            "too many wrong tokens from this address",
        );
        return failure.retry_after(wait.as_secs() + 1);
    }
    app.failures.count(from, now);
    unauthorized("the token is unknown or has ended")
}

async fn authenticate(parts: &Parts, app: &App) -> Answer<(TokenRow, IpAddr)> {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let from = peer.map_or(IpAddr::from([0, 0, 0, 0]), |info| info.0.ip());
    let lookup = token::lookup(app.keyring.derived(Label::TokenLookup), bearer(parts)?);
    match app
        .store
        .find_token(lookup)
        .await
        .map_err(stored("token"))?
    {
        Some(row) => Ok((row, from)),
        None => Err(unknown(app, from)),
    }
}

impl<P: Permission> FromRequestParts<App> for Caller<P> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Answer<Self> {
        let (token, from) = authenticate(parts, app).await?;
        if !has::<P>(&token) {
            return Err(forbidden::<P>(&token));
        }
        Ok(Self {
            token,
            from,
            permission: PhantomData,
        })
    }
}
