//! A caller whose permission the handler asks for itself, so that it can record a refusal.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::{Caller, Permission, authenticate};
use crate::failure::{Answer, Failure};
use crate::state::App;

/// A known caller who may lack the permission `P`.
#[derive(Debug)]
pub(crate) struct Asking<P>(Caller<P>);

/// A known caller, whatever they may do.
#[derive(Debug)]
pub(crate) struct Anyone<'a, P>(&'a Caller<P>);

impl<P> Anyone<'_, P> {
    pub(crate) fn workspace(&self) -> padclock_api::WorkspaceId {
        self.0.workspace()
    }

    pub(crate) fn user(&self) -> padclock_api::UserId {
        self.0.user()
    }

    pub(crate) fn actor(&self) -> padclock_store::Actor {
        self.0.actor()
    }
}

impl<P: Permission> Asking<P> {
    /// Who asks, for the record.
    pub(crate) fn anyone(&self) -> Anyone<'_, P> {
        Anyone(&self.0)
    }

    /// The caller, if they have the permission.
    pub(crate) fn granted(&self) -> Answer<&Caller<P>> {
        self.0.must::<P>().map(|()| &self.0)
    }
}

impl<P: Permission> FromRequestParts<App> for Asking<P> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Answer<Self> {
        let (identity, from) = authenticate(parts, app).await?;
        Ok(Self(Caller {
            identity,
            from,
            permission: std::marker::PhantomData,
        }))
    }
}
