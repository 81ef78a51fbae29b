//! `/v1/jobs`: what is to run, when, and with which references.

pub(crate) mod edit;
pub(crate) mod import;
mod unresolved;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use padclock_api::ids::JobKind;
use padclock_api::job::{Job as Answered, JobState, Preview};
use padclock_api::{ErrorEnvelope, Execution, ExecutionId, JobId, Page};
use padclock_job::{Anchor, Definition, InitialState, Job, Moment, Warning};
use padclock_store::{JobRow, NewJob, StoreError};
use serde::Deserialize;

use super::{page, put, reserve, tagged};
use crate::auth::{Caller, Permission, Read, WriteJobs, of_job};
use crate::failure::{Answer, Failure, problems, stored};
use crate::input::{Body, Params, PathId, cursor, page_size};
use crate::state::App;
use crate::{plaintext, random};

/// The times that an answer about one job tells.
const PREVIEWED: usize = 5;
const MOST_PREVIEWED: usize = 100;

fn compile(definition: Definition, id: JobId, created_at: Moment) -> Answer<Arc<Job>> {
    let anchor = Anchor {
        job_id: &id.to_string(),
        created_at,
    };
    Job::compile(definition, &anchor)
        .map(Arc::new)
        .map_err(problems)
}

/// Compiles what is stored; it was compiled before it was stored.
pub(crate) fn recompile(row: &JobRow) -> Answer<Arc<Job>> {
    compile(row.definition.clone(), row.id, row.created_at)
}

fn preview(job: &Job, now: Moment, count: usize) -> Preview {
    Preview {
        next: job.preview(now, count),
        description: job.describe(),
        dst_notes: job.dst_notes(now),
    }
}

/// What ran last of a job. The newest execution need not have begun: it may be queued, or have been skipped.
#[derive(Default)]
struct Newest {
    execution: Option<Execution>,
    started_at: Option<Moment>,
}

async fn newest(app: &App, jobs: Vec<JobId>) -> Answer<HashMap<JobId, Newest>> {
    let mut newest: HashMap<JobId, Newest> = HashMap::new();
    for (job, started_at) in app
        .store
        .last_started(jobs.clone())
        .await
        .map_err(stored("job"))?
    {
        newest.entry(job).or_default().started_at = Some(started_at);
    }
    for execution in app
        .store
        .newest_executions(jobs)
        .await
        .map_err(stored("job"))?
    {
        let job = execution.job_id;
        newest.entry(job).or_default().execution = Some(execution);
    }
    Ok(newest)
}

fn answered(row: JobRow, newest: Newest, job: Option<(&Job, Moment)>) -> Answered {
    Answered {
        id: row.id,
        definition: Definition {
            state: None,
            ..row.definition
        },
        state: row.state,
        generation: row.generation,
        next_run_at: row.due.map(|due| due.run_at),
        last_run_at: newest.started_at,
        last_execution: newest.execution,
        preview: job.map(|(job, now)| preview(job, now, PREVIEWED)),
        warnings: job.map(|(job, _)| warnings(job)).unwrap_or_default(),
        unresolved_secrets: None,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

/// What its author should know: of the definition's sense, and of credentials in it.
fn warnings(job: &Job) -> Vec<Warning> {
    let mut warnings = job.warnings();
    warnings.extend(plaintext::warnings(job.definition()));
    warnings
}

async fn whole(app: &App, row: JobRow, status: StatusCode) -> Answer<Response> {
    let job = recompile(&row)?;
    let now = app.store.now().await.map_err(stored("job"))?;
    let newest = newest(app, vec![row.id])
        .await?
        .remove(&row.id)
        .unwrap_or_default();
    let (revision, whose) = (row.revision, (row.workspace, row.owner));
    let mut answer = answered(row, newest, Some((&job, now)));
    unresolved::add(app, whose, &job, &mut answer).await?;
    Ok(tagged(status, &answer, revision))
}

async fn one<P: Permission>(app: &App, caller: &Caller<P>, id: JobId) -> Answer<JobRow> {
    let row = app
        .store
        .get_job(caller.workspace(), id)
        .await
        .map_err(stored("job"))?;
    caller.sees_job(&row)?;
    Ok(row)
}

/// What a creation may ask for beside the job.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateParams {
    #[serde(default)]
    dry_run: bool,
}

/// Saves a job, or with `dry_run=true` only checks it.
#[utoipa::path(post, path = "/v1/jobs", tag = "jobs", request_body = Definition,
    params(("dry_run" = Option<bool>, Query,)),
    responses((status = 201, body = Answered), (status = 200, body = Answered), (status = 400, body = ErrorEnvelope)))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller<WriteJobs>,
    Params(params): Params<CreateParams>,
    headers: HeaderMap,
    body: Body<Definition>,
) -> Answer<Response> {
    let now = app.store.now().await.map_err(stored("job"))?;
    let fresh: JobId = random::id(now);
    caller.may_use_environment(of_job(&body.value))?;
    let paused = body.value.state == Some(InitialState::Paused);
    let job = compile(body.value.clone(), fresh, now)?;
    let asked = app.store.workspace_settings(caller.workspace()).await;
    let refuse = asked.map_err(stored("workspace"))?.refuse_plaintext_secrets;
    plaintext::check(job.definition(), refuse)?;
    if params.dry_run {
        refuse_the_past(&job, now, paused)?;
        let mut answer = tried(&job, fresh, now, &caller, paused);
        let whose = (caller.workspace(), caller.user());
        unresolved::add(&app, whose, &job, &mut answer).await?;
        return Ok(Json(answer).into_response());
    }
    let (id, repeated) = reserve(
        &app,
        &caller,
        &headers,
        ("/v1/jobs", &body.raw),
        *fresh.bytes(),
    )
    .await?;
    let id = JobId::from_bytes(id);
    if repeated && let Ok(row) = app.store.get_job(caller.workspace(), id).await {
        return answer_created(&app, row).await;
    }
    refuse_the_past(&job, now, paused)?;
    let job = if id == fresh {
        job
    } else {
        compile(body.value, id, now)?
    };
    let new = NewJob {
        id,
        workspace: caller.workspace(),
        owner: caller.user(),
        created_at: now,
        paused,
        job,
    };
    let made = app.store.create_job(new, caller.actor()).await;
    // Another call with the same key may have made it since.
    if matches!(made, Err(StoreError::Conflict(_)))
        && let Ok(row) = app.store.get_job(caller.workspace(), id).await
    {
        return answer_created(&app, row).await;
    }
    let row = made.map_err(stored("job"))?;
    app.work.notify_one();
    answer_created(&app, row).await
}

async fn answer_created(app: &App, row: JobRow) -> Answer<Response> {
    let location = format!("/v1/jobs/{}", row.id);
    let mut response = whole(app, row, StatusCode::CREATED).await?;
    put(&mut response, header::LOCATION, &location);
    Ok(response)
}

/// A job whose time is over already would never run: its author means something else.
fn refuse_the_past(job: &Job, now: Moment, paused: bool) -> Answer<()> {
    match job.exhausted(now) {
        Some(problem) if !paused => Err(problems(vec![problem])),
        _ => Ok(()),
    }
}

fn tried(job: &Job, id: JobId, now: Moment, caller: &Caller<WriteJobs>, paused: bool) -> Answered {
    let row = JobRow {
        id,
        workspace: caller.workspace(),
        owner: caller.user(),
        state: if paused {
            JobState::Paused
        } else {
            JobState::Active
        },
        generation: 1,
        revision: 1,
        created_at: now,
        updated_at: now,
        definition: job.definition().clone(),
        due: if paused { None } else { job.first_due(now) },
    };
    answered(row, Newest::default(), Some((job, now)))
}

/// What a list of jobs may ask for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListParams {
    limit: Option<u32>,
    cursor: Option<String>,
    #[serde(default)]
    unresolved: bool,
}

/// Lists jobs; with `unresolved=true` those that name what means no secret now.
#[utoipa::path(get, path = "/v1/jobs", tag = "jobs",
    params(("limit" = Option<u32>, Query,), ("cursor" = Option<String>, Query,), ("unresolved" = Option<bool>, Query,)),
    responses((status = 200, body = Page<Answered>)))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller<Read>,
    Params(params): Params<ListParams>,
) -> Answer<Response> {
    let (limit, after) = (page_size(params.limit)?, cursor(params.cursor.as_deref())?);
    if params.unresolved {
        return unresolved::list(&app, &caller, limit, after).await;
    }
    let rows = app
        .store
        .list_jobs(caller.workspace(), caller.environment(), (after, limit))
        .await
        .map_err(stored("job"))?;
    let ids = rows.iter().map(|row| row.id).collect();
    let mut newest = newest(&app, ids).await?;
    let jobs: Vec<Answered> = rows
        .into_iter()
        .map(|row| {
            let newest = newest.remove(&row.id).unwrap_or_default();
            answered(row, newest, None)
        })
        .collect();
    Ok(page("/v1/jobs", jobs, limit, |job| job.id.to_string()))
}

/// One job.
#[utoipa::path(get, path = "/v1/jobs/{id}", tag = "jobs", params(("id" = String, Path,)),
    responses((status = 200, body = Answered), (status = 404, body = ErrorEnvelope)))]
pub(crate) async fn get(
    State(app): State<App>,
    caller: Caller<Read>,
    PathId(id): PathId<JobKind>,
) -> Answer<Response> {
    let row = one(&app, &caller, id).await?;
    whole(&app, row, StatusCode::OK).await
}

/// Deletes a job. Its history stays until it ages out.
#[utoipa::path(delete, path = "/v1/jobs/{id}", tag = "jobs", params(("id" = String, Path,)),
    responses((status = 204), (status = 404, body = ErrorEnvelope)))]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller<WriteJobs>,
    PathId(id): PathId<JobKind>,
) -> Answer<StatusCode> {
    caller.sees_what_is_of(&app, id, "job").await?;
    app.store
        .delete_job(caller.workspace(), id, caller.actor())
        .await
        .map_err(stored("job"))?;
    app.ends.notify_one();
    Ok(StatusCode::NO_CONTENT)
}

/// Starts an execution now, whatever the schedule says.
#[utoipa::path(post, path = "/v1/jobs/{id}/run-now", tag = "jobs", params(("id" = String, Path,)),
    responses((status = 202, body = Execution), (status = 404, body = ErrorEnvelope)))]
pub(crate) async fn run_now(
    State(app): State<App>,
    caller: Caller<WriteJobs>,
    PathId(id): PathId<JobKind>,
    headers: HeaderMap,
) -> Answer<Response> {
    caller.sees_what_is_of(&app, id, "job").await?;
    let fresh: ExecutionId = random::id(random::wall_clock());
    let call = format!("/v1/jobs/{id}/run-now");
    let (execution, repeated) =
        reserve(&app, &caller, &headers, (&call, b""), *fresh.bytes()).await?;
    let execution = ExecutionId::from_bytes(execution);
    if repeated && let Ok(found) = app.store.get_execution(caller.workspace(), execution).await {
        return Ok(super::executions::accepted(&found));
    }
    let started = app
        .store
        .run_now(caller.workspace(), id, execution, caller.actor())
        .await;
    // Another call with the same key may have started it since.
    if matches!(started, Err(StoreError::Conflict(_)))
        && let Ok(found) = app.store.get_execution(caller.workspace(), execution).await
    {
        return Ok(super::executions::accepted(&found));
    }
    let started = started.map_err(stored("job"))?;
    app.work.notify_one();
    Ok(super::executions::accepted(&started))
}

/// Stops a job's schedule.
#[utoipa::path(post, path = "/v1/jobs/{id}/pause", tag = "jobs", params(("id" = String, Path,)),
    responses((status = 200, body = Answered), (status = 404, body = ErrorEnvelope)))]
pub(crate) async fn pause(
    State(app): State<App>,
    caller: Caller<WriteJobs>,
    PathId(id): PathId<JobKind>,
) -> Answer<Response> {
    caller.sees_what_is_of(&app, id, "job").await?;
    let row = app
        .store
        .pause_job(caller.workspace(), id, caller.actor())
        .await
        .map_err(stored("job"))?;
    whole(&app, row, StatusCode::OK).await
}

/// Starts a job's schedule again, from now.
#[utoipa::path(post, path = "/v1/jobs/{id}/resume", tag = "jobs", params(("id" = String, Path,)),
    responses((status = 200, body = Answered), (status = 404, body = ErrorEnvelope)))]
pub(crate) async fn resume(
    State(app): State<App>,
    caller: Caller<WriteJobs>,
    PathId(id): PathId<JobKind>,
) -> Answer<Response> {
    let before = one(&app, &caller, id).await?;
    let job = recompile(&before)?;
    let row = app
        .store
        .resume_job(caller.workspace(), id, job, before.revision, caller.actor())
        .await
        .map_err(stored("job"))?;
    app.work.notify_one();
    whole(&app, row, StatusCode::OK).await
}

/// How many of the next times to tell.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NextParams {
    n: Option<usize>,
}

/// The job's next times, with zone, offset and notes on daylight saving.
#[utoipa::path(get, path = "/v1/jobs/{id}/next", tag = "jobs", params(("id" = String, Path,), ("n" = Option<usize>, Query,)),
    responses((status = 200, body = Preview), (status = 404, body = ErrorEnvelope)))]
pub(crate) async fn next(
    State(app): State<App>,
    caller: Caller<Read>,
    PathId(id): PathId<JobKind>,
    Params(params): Params<NextParams>,
) -> Answer<Json<Preview>> {
    let count = params.n.unwrap_or(PREVIEWED);
    if !(1..=MOST_PREVIEWED).contains(&count) {
        return Err(Failure::field(
            "n",
            "out_of_range",
            format!("must be 1 to {MOST_PREVIEWED}"),
        ));
    }
    let job = recompile(&one(&app, &caller, id).await?)?;
    let now = app.store.now().await.map_err(stored("job"))?;
    Ok(Json(preview(&job, now, count)))
}
