//! Who calls, and whether they may: a handler that names no permission gets no caller.

mod address;
mod asking;
mod environment;
mod permission;
pub(crate) mod session;

use std::marker::PhantomData;
use std::net::IpAddr;
use std::time::Instant;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use padclock_api::member::Role as GivenRole;
use padclock_api::{ErrorCode, UserId, WorkspaceId};
use padclock_job::Moment;
use padclock_store::{Actor, By, Credential, TokenRow};
use padclock_vault::{Label, token};
use padclock_worker::Cidr;

use crate::failure::{Answer, Failure, stored};
use crate::random;
use crate::state::App;

pub(crate) use address::ClientAddress;
pub(crate) use asking::Asking;
pub(crate) use environment::of_job;
pub(crate) use permission::{
    ManageMembers, ManageTokens, ManageWorkspace, OwnSecrets, OwnTokens, Permission, Policy, Read,
    ReadAudit, Reveal, Role, ScanHistory, WORDS, WriteJobs, WriteSecrets, grantable,
    within_one_environment,
};

/// Who was let in, by whichever credential, and what that narrows.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) workspace: WorkspaceId,
    pub(crate) workspace_name: String,
    pub(crate) user: UserId,
    pub(crate) user_name: String,
    pub(crate) role: Role,
    pub(crate) by: Credential,
    /// What the credential is called.
    pub(crate) by_name: String,
    /// Permissions beyond the role's, as words.
    pub(crate) grants: String,
    /// The permissions that the credential is narrowed to, as words.
    pub(crate) permissions: Option<String>,
    /// The one environment that the credential is for.
    pub(crate) environment: Option<String>,
    /// The ranges of addresses that the credential is for, as words; whoever calls is in one of them.
    pub(crate) cidrs: Option<String>,
    /// When the credential ends.
    pub(crate) expires_at: Option<Moment>,
}

impl Identity {
    pub(crate) fn has<P: Permission>(&self) -> bool {
        let listed = |words: &str| {
            let mut words = words.split_ascii_whitespace();
            words.any(|word| permission::includes(word, P::NAME))
        };
        let member = self.role >= P::LEAST || (self.role >= P::GRANTED && listed(&self.grants));
        let within = self.environment.is_none() || within_one_environment(P::NAME);
        member && within && self.permissions.as_deref().is_none_or(listed)
    }

    /// Whether the credential has the permission that this word means.
    pub(crate) fn has_word(&self, word: &str) -> bool {
        permission::has_word(self, word)
    }

    /// Whether the credential has something less than its member.
    pub(crate) fn is_narrowed(&self) -> bool {
        self.permissions.is_some() || self.environment.is_some()
    }

    /// Refuses to give a role that has more than the credential itself: a member made by a narrow token would be a wide one.
    pub(crate) fn may_give(&self, role: GivenRole) -> Answer<()> {
        let role = Role::of(role.word());
        if self.cidrs.is_none()
            && role.is_some_and(|role| permission::of_role(role).all(|word| self.has_word(word)))
        {
            return Ok(());
        }
        Err(Failure::new(
            ErrorCode::Forbidden,
            "this token has less than that role: use one that is neither narrowed nor bound to addresses",
        ))
    }

    /// Whether the credential has all that an owner has.
    fn is_owner(&self) -> bool {
        self.role == Role::Owner && WORDS.iter().all(|word| self.has_word(word))
    }

    fn refuse<P: Permission>(&self) -> Failure {
        let message = if self.is_narrowed() {
            format!("this token does not have the permission {}", P::NAME)
        } else {
            format!(
                "the role {} does not have the permission {}",
                self.role.word(),
                P::NAME
            )
        };
        Failure::new(ErrorCode::Forbidden, message)
    }
}

/// A caller who has the permission `P`.
#[derive(Debug)]
pub(crate) struct Caller<P> {
    pub(crate) identity: Identity,
    from: IpAddr,
    permission: PhantomData<fn() -> P>,
}

impl<P> Caller<P> {
    pub(crate) fn workspace(&self) -> WorkspaceId {
        self.identity.workspace
    }

    pub(crate) fn user(&self) -> UserId {
        self.identity.user
    }

    /// Whether the caller has the permission `Q` as well.
    pub(crate) fn has<Q: Permission>(&self) -> bool {
        self.identity.has::<Q>()
    }

    /// Refuses a caller who does not have the permission `Q` as well: for calls whose need shows in what they are about.
    pub(crate) fn must<Q: Permission>(&self) -> Answer<()> {
        if self.has::<Q>() {
            Ok(())
        } else {
            Err(self.identity.refuse::<Q>())
        }
    }

    /// Who changes members, as the store's rules ask.
    pub(crate) fn by(&self) -> By {
        By {
            user: self.user(),
            owner: self.identity.is_owner(),
            actor: self.actor(),
        }
    }

    /// As the audit names them.
    pub(crate) fn actor(&self) -> Actor {
        Actor::Member {
            user: self.identity.user,
            by: self.identity.by,
            from: self.from.to_string(),
        }
    }
}

fn unauthorized(message: &str) -> Failure {
    Failure::new(ErrorCode::Unauthorized, message)
}

pub(crate) fn bearer(parts: &Parts) -> Answer<&str> {
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
    app.tries.count(from);
    if let Some(wait) = app.failures.wait(&from, now) {
        let failure = Failure::new(
            ErrorCode::RateLimited,
            "too many wrong tokens from this address",
        );
        return failure.retry_after(wait.as_secs() + 1);
    }
    app.failures.count(from, now);
    unauthorized("the token is unknown or has ended")
}

/// The address that a call comes from, as the outermost layer has found it.
pub(crate) fn peer(parts: &Parts) -> IpAddr {
    let client = parts.extensions.get::<ClientAddress>();
    client.map_or(IpAddr::from([0, 0, 0, 0]), |client| client.0)
}

/// Whether an address is in one of the ranges. A range that can't be read holds none.
fn within(cidrs: &str, from: IpAddr) -> bool {
    cidrs
        .split_ascii_whitespace()
        .filter_map(|word| word.parse::<Cidr>().ok())
        .any(|range| range.contains(from))
}

fn identity(row: TokenRow, from: IpAddr) -> Answer<Identity> {
    if row
        .cidrs
        .as_deref()
        .is_some_and(|cidrs| !within(cidrs, from))
    {
        return Err(Failure::new(
            ErrorCode::Forbidden,
            "this token may not be used from this address",
        ));
    }
    let role = Role::of(&row.role).ok_or_else(|| unauthorized("the member has no role"))?;
    Ok(Identity {
        workspace: row.workspace,
        workspace_name: row.workspace_name,
        user: row.user,
        user_name: row.user_name,
        role,
        by: Credential::Token(row.id),
        by_name: row.name,
        grants: row.grants,
        permissions: row.permissions,
        environment: row.environment,
        cidrs: row.cidrs,
        expires_at: row.expires_at,
    })
}

async fn authenticate(parts: &Parts, app: &App) -> Answer<(Identity, IpAddr)> {
    let from = peer(parts);
    let keyring = app.keyrings.now();
    let lookup = token::lookup(keyring.derived(Label::TokenLookup), bearer(parts)?);
    let found = app.store.find_token(lookup).await;
    match found.map_err(stored("token"))? {
        Some(row) => {
            let id = row.id;
            let identity = identity(row, from)?;
            app.token_uses.note(id, random::wall_clock());
            Ok((identity, from))
        }
        None => Err(unknown(app, from)),
    }
}

impl<P: Permission> FromRequestParts<App> for Caller<P> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Answer<Self> {
        let (identity, from) = authenticate(parts, app).await?;
        if !identity.has::<P>() {
            return Err(identity.refuse::<P>());
        }
        Ok(Self {
            identity,
            from,
            permission: PhantomData,
        })
    }
}
