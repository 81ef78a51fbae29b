//! `/v1/executions`: what ran, how it went, again and stop.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use padclock_api::ids::ExecutionKind;
use padclock_api::{
    ErrorCode, ErrorEnvelope, Execution, ExecutionId, JobId, Page, Status, Trigger,
};
use padclock_job::Moment;
use padclock_store::{ExecutionFilter, StoreError};
use serde::Deserialize;

use super::{page, put, reserve};
use crate::auth::{Caller, Read, WriteJobs};
use crate::failure::{Answer, Failure, stored};
use crate::input::{Params, PathId, cursor, page_size};
use crate::random;
use crate::state::App;

/// Which executions to list.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListParams {
    job_id: Option<JobId>,
    status: Option<Status>,
    trigger: Option<Trigger>,
    from: Option<Moment>,
    to: Option<Moment>,
    limit: Option<u32>,
    cursor: Option<String>,
}

impl ListParams {
    /// The query of the next page but for its cursor.
    fn query(&self) -> String {
        let mut query = String::new();
        let parts = [
            ("job_id", self.job_id.map(|id| id.to_string())),
            ("status", self.status.map(|status| status.word().to_owned())),
            (
                "trigger",
                self.trigger.map(|trigger| trigger.word().to_owned()),
            ),
            ("from", self.from.map(|at| at.to_string())),
            ("to", self.to.map(|at| at.to_string())),
        ];
        for (name, value) in parts {
            if let Some(value) = value {
                query.push_str(&format!("&{name}={value}"));
            }
        }
        query
    }
}

/// Lists executions, newest first, without their attempts.
#[utoipa::path(get, path = "/v1/executions", tag = "executions",
    params(("job_id" = Option<String>, Query,), ("status" = Option<Status>, Query,), ("trigger" = Option<Trigger>, Query,),
        ("from" = Option<String>, Query,), ("to" = Option<String>, Query,), ("limit" = Option<u32>, Query,), ("cursor" = Option<String>, Query,)),
    responses((status = 200, body = Page<Execution>)))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller<Read>,
    Params(params): Params<ListParams>,
) -> Answer<Response> {
    let limit = page_size(params.limit)?;
    // A job that the caller may not know of has no executions, like one that is not there.
    if let Some(job) = params.job_id
        && let Err(failure) = caller.sees_what_is_of(&app, job, "job").await
    {
        return match failure.code {
            ErrorCode::NotFound => Ok(page(
                "/v1/executions",
                Vec::<Execution>::new(),
                limit,
                |_| String::new(),
            )),
            _ => Err(failure),
        };
    }
    let filter = ExecutionFilter {
        job: params.job_id,
        status: params.status,
        trigger: params.trigger,
        from: params.from,
        to: params.to,
        before: cursor(params.cursor.as_deref())?,
        environment: caller.environment().map(str::to_owned),
    };
    let found = app
        .store
        .list_executions(caller.workspace(), filter, limit)
        .await
        .map_err(stored("execution"))?;
    let mut response = page("/v1/executions", found, limit, |execution| {
        execution.id.to_string()
    });
    let link = response
        .headers()
        .get(header::LINK)
        .and_then(|link| link.to_str().ok());
    if let Some(link) = link.map(|link| link.replacen(">;", &format!("{}>;", params.query()), 1)) {
        put(&mut response, header::LINK, &link);
    }
    Ok(response)
}

/// One execution, with its attempts.
#[utoipa::path(get, path = "/v1/executions/{id}", tag = "executions", params(("id" = String, Path,)),
    responses((status = 200, body = Execution), (status = 404, body = ErrorEnvelope)))]
pub(crate) async fn get(
    State(app): State<App>,
    caller: Caller<Read>,
    PathId(id): PathId<ExecutionKind>,
) -> Answer<Json<Execution>> {
    one(&app, &caller, id).await.map(Json)
}

/// An execution that the caller may know of.
async fn one<P>(app: &App, caller: &Caller<P>, id: ExecutionId) -> Answer<Execution> {
    let found = app
        .store
        .get_execution(caller.workspace(), id)
        .await
        .map_err(stored("execution"))?;
    caller
        .sees_what_is_of(app, found.job_id, "execution")
        .await?;
    Ok(found)
}

/// As [`one`], where the execution itself is not needed: only a credential of one environment is asked about it.
async fn may_touch<P>(app: &App, caller: &Caller<P>, id: ExecutionId) -> Answer<()> {
    match caller.environment() {
        Some(_) => one(app, caller, id).await.map(drop),
        None => Ok(()),
    }
}

/// The answer to what was started and is not over.
pub(crate) fn accepted(execution: &Execution) -> Response {
    let mut response = (StatusCode::ACCEPTED, Json(execution)).into_response();
    put(
        &mut response,
        header::LOCATION,
        &format!("/v1/executions/{}", execution.id),
    );
    response
}

/// Carries an execution's job out again, for the same due time.
#[utoipa::path(post, path = "/v1/executions/{id}/replay", tag = "executions", params(("id" = String, Path,)),
    responses((status = 202, body = Execution), (status = 404, body = ErrorEnvelope)))]
pub(crate) async fn replay(
    State(app): State<App>,
    caller: Caller<WriteJobs>,
    PathId(id): PathId<ExecutionKind>,
    headers: HeaderMap,
) -> Answer<Response> {
    may_touch(&app, &caller, id).await?;
    let fresh: ExecutionId = random::id(random::wall_clock());
    let call = format!("/v1/executions/{id}/replay");
    let (new, repeated) = reserve(&app, &caller, &headers, (&call, b""), *fresh.bytes()).await?;
    let new = ExecutionId::from_bytes(new);
    if repeated && let Ok(found) = app.store.get_execution(caller.workspace(), new).await {
        return Ok(accepted(&found));
    }
    let started = app
        .store
        .replay(caller.workspace(), id, new, caller.actor())
        .await;
    // Another call with the same key may have started it since.
    if matches!(started, Err(StoreError::Conflict(_)))
        && let Ok(found) = app.store.get_execution(caller.workspace(), new).await
    {
        return Ok(accepted(&found));
    }
    let started = started.map_err(stored("execution"))?;
    app.work.notify_one();
    Ok(accepted(&started))
}

/// Stops an execution: at once when it waits, as soon as its node hears of it when it runs.
#[utoipa::path(post, path = "/v1/executions/{id}/cancel", tag = "executions", params(("id" = String, Path,)),
    responses((status = 202, body = Execution), (status = 404, body = ErrorEnvelope), (status = 409, body = ErrorEnvelope)))]
pub(crate) async fn cancel(
    State(app): State<App>,
    caller: Caller<WriteJobs>,
    PathId(id): PathId<ExecutionKind>,
) -> Answer<Response> {
    may_touch(&app, &caller, id).await?;
    let stopped = app
        .store
        .cancel(caller.workspace(), id, caller.actor())
        .await
        .map_err(|error| match error {
            StoreError::Conflict(_) => {
                Failure::new(ErrorCode::Conflict, "the execution is over already")
            }
            other => stored("execution")(other),
        })?;
    app.ends.notify_one();
    Ok(accepted(&stopped))
}
