//! Where a secret may be sent, as calls: who may change it, and the policy that its present jobs need.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use padclock_api::approval::{Approval, PolicyRequest};
use padclock_api::secret::{ProposedPolicy, Scope, Secret};
use padclock_api::{ErrorCode, ErrorDetail, ErrorEnvelope, SecretId};
use padclock_store::{JobUse, NewApproval};
use padclock_vault::EgressPolicy;

use super::put;
use crate::auth::{Caller, Permission, Policy, Read};
use crate::failure::{Answer, Failure, detail, stored};
use crate::input::{Body, PathId, if_match};
use crate::state::App;
use crate::{keys, propose, random};

/// Notes what is wrong with a policy.
pub(crate) fn check(policy: Option<&EgressPolicy>, details: &mut Vec<ErrorDetail>) {
    let problems = policy.and_then(|policy| policy.validate().err());
    for problem in problems.unwrap_or_default() {
        let field = if problem.field.is_empty() {
            "egress".to_owned()
        } else {
            format!("egress.{}", problem.field)
        };
        details.push(detail(&field, "bad_policy", problem.message));
    }
}

/// Jobs looked at in one step.
const STEP: u32 = 500;

fn same(one: Option<&EgressPolicy>, other: Option<&EgressPolicy>) -> bool {
    EgressPolicy::hash(one) == EgressPolicy::hash(other)
}

/// The policy that a new value is to have instead of the present one; none when it keeps that. Giving a workspace's secret
/// another policy needs the permission; one's own secret is one's own, since no admin sees it.
pub(crate) fn with_value<P>(
    caller: &Caller<P>,
    secret: &Secret,
    given: Option<Option<EgressPolicy>>,
) -> Answer<Option<Option<EgressPolicy>>> {
    let changed = given.filter(|policy| !same(policy.as_ref(), secret.egress.as_ref()));
    if changed.is_some() && secret.scope == Scope::Workspace {
        caller.must::<Policy>()?;
    }
    Ok(changed)
}

/// Refuses to keep a policy that the present value is not sealed under: it was altered in the database, and a new value must not
/// be bound to it unseen.
pub(crate) async fn keep_present<P>(app: &App, caller: &Caller<P>, id: SecretId) -> Answer<()> {
    let sealed = app
        .store
        .sealed_version(caller.workspace(), id, caller.user())
        .await
        .map_err(stored("secret"))?;
    if keys::opens(&app.keyrings.now(), &sealed) {
        return Ok(());
    }
    let message = "the present value does not open: its row or its egress policy was altered, or its key is gone; \
                   give `egress` together with the new value, to say where this one may be sent";
    let details = vec![detail("egress", "secret_unreadable", message)];
    Err(Failure::new(ErrorCode::Conflict, message).with(details))
}

/// Asks for another policy without the value: a second admin decides.
#[utoipa::path(post, path = "/v1/secrets/{id}/policy", tag = "secrets", params(("id" = String, Path,)), request_body = PolicyRequest,
    responses((status = 202, body = Approval), (status = 400, body = ErrorEnvelope), (status = 404, body = ErrorEnvelope)))]
pub(crate) async fn policy(
    State(app): State<App>,
    caller: Caller<Policy>,
    PathId(id): PathId<padclock_api::ids::SecretKind>,
    headers: HeaderMap,
    body: Body<PolicyRequest>,
) -> Answer<Response> {
    request(&app, &caller, id, (&headers, body.value.egress)).await
}

/// As [`policy`], for whichever call it came by.
pub(crate) async fn request<P: Permission>(
    app: &App,
    caller: &Caller<P>,
    id: SecretId,
    (headers, egress): (&HeaderMap, Option<EgressPolicy>),
) -> Answer<Response> {
    let mut details = Vec::new();
    check(egress.as_ref(), &mut details);
    if !details.is_empty() {
        return Err(Failure::invalid(details));
    }
    let row = super::secrets::one(app, caller, id).await?;
    caller.may_use_environment(&row.secret.environment)?;
    if row.secret.scope == Scope::User {
        let message = "nobody else sees your own secret, so nobody can approve: give the policy together with a new value (PUT)";
        return Err(Failure::field("egress", "needs_value", message));
    }
    caller.must::<Policy>()?;
    if same(egress.as_ref(), row.secret.egress.as_ref()) {
        let message = "the secret has this policy already";
        return Err(Failure::field("egress", "unchanged", message));
    }
    let new = NewApproval {
        id: random::id(random::wall_clock()),
        workspace: caller.workspace(),
        secret: id,
        egress,
        expected: if_match(headers)?,
    };
    let approval = app
        .store
        .propose_policy(new, caller.actor(), caller.user())
        .await
        .map_err(stored("secret"))?;
    let mut response = (StatusCode::ACCEPTED, Json(&approval)).into_response();
    put(
        &mut response,
        header::LOCATION,
        &format!("/v1/approvals/{}", approval.id),
    );
    Ok(response)
}

/// The policy that the jobs which name a secret need today.
#[utoipa::path(get, path = "/v1/secrets/{id}/proposed-policy", tag = "secrets", params(("id" = String, Path,)),
    responses((status = 200, body = ProposedPolicy), (status = 404, body = ErrorEnvelope)))]
pub(crate) async fn proposed(
    State(app): State<App>,
    caller: Caller<Read>,
    PathId(id): PathId<padclock_api::ids::SecretKind>,
) -> Answer<Json<ProposedPolicy>> {
    let secret = super::secrets::one(&app, &caller, id).await?.secret;
    let mut proposal = propose::Proposal::default();
    let mut after = None;
    loop {
        let of = (secret.id, secret.name.clone());
        let found = app
            .store
            .secret_users(caller.workspace(), of, after, STEP)
            .await
            .map_err(stored("secret"))?;
        let (users, next) = found;
        for JobUse {
            job: row, places, ..
        } in users.into_iter().filter(|one| one.meant)
        {
            if caller.sees_job(&row).is_err() {
                proposal
                    .note("jobs of other environments use it too; this token does not see them");
            } else if let Ok(job) = super::jobs::recompile(&row) {
                proposal.add((row.id, &caller.identity.workspace_name), &job, places);
            } else {
                let name = &row.definition.name;
                proposal.note(&format!("the job {name} can't be read and was left out"));
            }
        }
        after = next;
        if after.is_none() {
            return Ok(Json(proposal.finish()));
        }
    }
}
