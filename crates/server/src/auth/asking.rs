//! A caller whose permission the handler asks for itself, so that it can record a refusal.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::{Caller, Permission, authenticate};
use crate::failure::{Answer, Failure};
use crate::state::App;

/// A known caller who may lack the permission `P`.
#[derive(Debug)]
pub(crate) struct Asking<P>(Caller<P>);

impl<P: Permission> Asking<P> {
    /// Who asks, whatever they may do: for looking, and for the record.
    pub(crate) fn caller(&self) -> &Caller<P> {
        &self.0
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
            permission: PhantomData,
        }))
    }
}
