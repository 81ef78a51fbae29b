//! `GET /v1/secrets/:id/usage`: which jobs a secret is used by, and when it was used last.

use axum::Json;
use axum::extract::State;
use padclock_api::ids::SecretKind;
use padclock_api::secret::{Secret, SecretUsage, SecretUser};
use padclock_api::{ErrorCode, ErrorDetail, ErrorEnvelope, JobId};
use padclock_store::JobUse;

use super::one;
use crate::auth::{Caller, Permission, Read};
use crate::failure::{Answer, Failure, detail, stored};
use crate::input::{Paging, Params, PathId, cursor};
use crate::state::App;

/// Jobs looked at in one step.
const STEP: u32 = 500;
/// The users that a refusal names.
const NAMED: usize = 100;

fn user(found: JobUse) -> SecretUser {
    let JobUse { job, places, meant } = found;
    SecretUser {
        id: job.id,
        environment: job.definition.environment().to_owned(),
        name: job.definition.name,
        state: job.state,
        owner: job.owner,
        places,
        resolves_here: meant,
    }
}

/// The jobs that name a secret, a page of them, and whether the name means this very secret for each.
#[utoipa::path(get, path = "/v1/secrets/{id}/usage", tag = "secrets",
    params(("id" = String, Path,), ("limit" = Option<u32>, Query,), ("cursor" = Option<String>, Query,)),
    responses((status = 200, body = SecretUsage), (status = 404, body = ErrorEnvelope)))]
pub(crate) async fn usage(
    State(app): State<App>,
    caller: Caller<Read>,
    PathId(id): PathId<SecretKind>,
    Params(paging): Params<Paging>,
) -> Answer<Json<SecretUsage>> {
    let limit = paging.limit()?;
    let mut after: Option<JobId> = cursor(paging.cursor.as_deref())?;
    let secret = one(&app, &caller, id).await?.secret;
    let mut jobs = Vec::new();
    // A row that only looked like a user leaves a gap: pages are full all the same.
    let next = loop {
        let want = limit - u32::try_from(jobs.len()).unwrap_or(limit);
        let (found, next) = users(&app, &caller, &secret, after, want).await?;
        let seen = found
            .into_iter()
            .filter(|one| caller.sees_job(&one.job).is_ok());
        jobs.extend(seen.map(user));
        after = next;
        if next.is_none() || jobs.len() >= limit as usize {
            break next;
        }
    };
    let mut uses = app
        .store
        .secret_uses(vec![id])
        .await
        .map_err(stored("secret"))?;
    let executions = uses.remove(&id).unwrap_or_default();
    Ok(Json(SecretUsage {
        jobs,
        next_cursor: next.map(|id| id.to_string()),
        automations: Vec::new(),
        last_used_at: executions.first().map(|used| used.at),
        last_execution: executions.first().map(|used| used.execution),
        executions,
    }))
}

async fn users<P: Permission>(
    app: &App,
    caller: &Caller<P>,
    secret: &Secret,
    after: Option<JobId>,
    limit: u32,
) -> Answer<(Vec<JobUse>, Option<JobId>)> {
    app.store
        .secret_users(
            caller.workspace(),
            (secret.id, secret.name.clone()),
            after,
            limit,
        )
        .await
        .map_err(stored("secret"))
}

/// Refuses when a job uses the secret, and says which jobs do.
pub(super) async fn refuse_in_use<P: Permission>(
    app: &App,
    caller: &Caller<P>,
    secret: &Secret,
) -> Answer<()> {
    let (mut named, mut count): (Vec<ErrorDetail>, u64) = (Vec::new(), 0);
    let mut after = None;
    loop {
        let (found, next) = users(app, caller, secret, after, STEP).await?;
        for one in found.into_iter().filter(|one| one.meant) {
            count += 1;
            if named.len() < NAMED {
                let text = format!("{} {}", one.job.id, one.job.definition.name);
                named.push(detail("jobs", "in_use", text));
            }
        }
        after = next;
        if next.is_none() {
            break;
        }
    }
    if count == 0 {
        return Ok(());
    }
    let message = match named.as_slice() {
        [only] => format!("the job {} uses this secret", only.message),
        _ => format!("{count} jobs use this secret; see details"),
    };
    Err(Failure::new(ErrorCode::Conflict, message).with(named))
}
