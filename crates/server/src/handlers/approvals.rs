//! `/v1/approvals`: what one admin asks for and another decides.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use padclock_api::approval::{Approval, ApprovalState};
use padclock_api::ids::ApprovalKind;
use padclock_api::{ApprovalId, ErrorCode, ErrorEnvelope, Page};
use padclock_store::{Decided, Decision, NotDecided, Resealed, StoreError};
use serde::Deserialize;

use super::page;
use crate::auth::{Caller, Policy};
use crate::failure::{Answer, Failure, detail, stored, unsealed};
use crate::input::{Params, PathId, cursor, page_size};
use crate::keys;
use crate::state::App;

/// What a list may ask for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListParams {
    limit: Option<u32>,
    cursor: Option<String>,
    state: Option<ApprovalState>,
}

/// Approvals are about all environments: a token of one of them has no part in them.
fn of_all_environments(caller: &Caller<Policy>) -> Answer<()> {
    match caller.environment() {
        None => Ok(()),
        Some(own) => Err(Failure::new(
            ErrorCode::Forbidden,
            format!("this token is for the environment {own} alone"),
        )),
    }
}

/// Lists approvals.
#[utoipa::path(get, path = "/v1/approvals", tag = "approvals",
    params(("state" = Option<String>, Query,), ("limit" = Option<u32>, Query,), ("cursor" = Option<String>, Query,)),
    responses((status = 200, body = Page<Approval>)))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller<Policy>,
    Params(params): Params<ListParams>,
) -> Answer<Response> {
    of_all_environments(&caller)?;
    let (limit, after) = (page_size(params.limit)?, cursor(params.cursor.as_deref())?);
    let found = app
        .store
        .list_approvals(caller.workspace(), params.state, after, limit)
        .await
        .map_err(stored("approval"))?;
    let path = match params.state {
        None => "/v1/approvals".to_owned(),
        Some(state) => format!("/v1/approvals?state={}", state.word()),
    };
    Ok(page(&path, found, limit, |one| one.id.to_string()))
}

/// One approval.
#[utoipa::path(get, path = "/v1/approvals/{id}", tag = "approvals", params(("id" = String, Path,)),
    responses((status = 200, body = Approval), (status = 404, body = ErrorEnvelope)))]
pub(crate) async fn get(
    State(app): State<App>,
    caller: Caller<Policy>,
    PathId(id): PathId<ApprovalKind>,
) -> Answer<Json<Approval>> {
    of_all_environments(&caller)?;
    let found = app
        .store
        .get_approval(caller.workspace(), id)
        .await
        .map_err(stored("approval"))?;
    Ok(Json(found.approval))
}

fn decision(caller: &Caller<Policy>, id: ApprovalId) -> Decision {
    Decision {
        workspace: caller.workspace(),
        id,
        user: caller.user(),
        actor: caller.actor(),
    }
}

fn answered(decided: Decided) -> Answer<Json<Approval>> {
    let why = match decided {
        Decided::Done(approval) => return Ok(Json(*approval)),
        Decided::Refused(why) => why,
    };
    Err(match why {
        NotDecided::OwnProposal => Failure::new(
            ErrorCode::Forbidden,
            "you have asked for this yourself: another admin has to approve it",
        ),
        NotDecided::NotAnother => Failure::new(
            ErrorCode::Forbidden,
            "a service member can't approve, nor one who has joined since: another admin has to",
        ),
        NotDecided::Closed => Failure::new(
            ErrorCode::Conflict,
            "the approval was decided on before, or its time is over",
        ),
        NotDecided::ProposerGone => Failure::new(
            ErrorCode::Conflict,
            "who asked for this is no admin any more: ask for it yourself, and let another admin approve",
        ),
        NotDecided::SecretChanged => Failure::new(
            ErrorCode::Conflict,
            "the secret has changed since, has ended, or is gone: ask again",
        ),
    })
}

/// Approves what another admin asked for, and does it.
#[utoipa::path(post, path = "/v1/approvals/{id}/approve", tag = "approvals", params(("id" = String, Path,)),
    responses((status = 200, body = Approval), (status = 403, body = ErrorEnvelope), (status = 404, body = ErrorEnvelope), (status = 409, body = ErrorEnvelope)))]
pub(crate) async fn approve(
    State(app): State<App>,
    caller: Caller<Policy>,
    PathId(id): PathId<ApprovalKind>,
) -> Answer<Json<Approval>> {
    of_all_environments(&caller)?;
    let failed = stored("approval");
    let found = app
        .store
        .get_approval(caller.workspace(), id)
        .await
        .map_err(&failed)?;
    let refused = |why| app.store.refuse_approval(decision(&caller, id), why);
    // Said first, and again in the transaction that approves: nothing is opened for who may not approve.
    if found.approval.created_by == caller.user() {
        return answered(refused(NotDecided::OwnProposal).await.map_err(&failed)?);
    }
    if found.approval.state != ApprovalState::Pending {
        return answered(refused(NotDecided::Closed).await.map_err(&failed)?);
    }
    let target = found.approval.target;
    let sealed = app
        .store
        .sealed_version(caller.workspace(), target, caller.user());
    let sealed = match sealed.await {
        Ok(sealed) => sealed,
        Err(StoreError::NotFound) => {
            return answered(refused(NotDecided::SecretChanged).await.map_err(&failed)?);
        }
        Err(error) => return Err(failed(error)),
    };
    let egress = found.approval.proposal.egress;
    // Learnt first, so that the keyring to seal with opens it too.
    let term = sealed.sealed.term;
    app.keyrings.for_term(term).await.map_err(unsealed)?;
    let keyring = app.keyrings.to_seal(1).await.map_err(unsealed)?;
    let resealed = keys::rebind(&keyring, &sealed, egress.as_ref());
    let resealed = resealed.map_err(|error| {
        let details = vec![detail("", error.code(), error.to_string())];
        Failure::new(ErrorCode::Conflict, error.to_string()).with(details)
    })?;
    let new = Resealed {
        secret: target,
        from_version: sealed.version,
        egress,
        sealed: resealed,
    };
    let decided = app.store.approve_policy(decision(&caller, id), new).await;
    answered(decided.map_err(failed)?)
}

/// Rejects what was asked for, or takes it back.
#[utoipa::path(post, path = "/v1/approvals/{id}/reject", tag = "approvals", params(("id" = String, Path,)),
    responses((status = 200, body = Approval), (status = 404, body = ErrorEnvelope), (status = 409, body = ErrorEnvelope)))]
pub(crate) async fn reject(
    State(app): State<App>,
    caller: Caller<Policy>,
    PathId(id): PathId<ApprovalKind>,
) -> Answer<Json<Approval>> {
    of_all_environments(&caller)?;
    let decided = app.store.reject_approval(decision(&caller, id)).await;
    answered(decided.map_err(stored("approval"))?)
}
