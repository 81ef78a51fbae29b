//! `POST /v1/jobs/import`: jobs of a crontab or another scheduler's document, paused; credentials among them become secrets.
//! What is read and what becomes of it is `padclock_import`'s to say.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use padclock_api::import::{ImportLeftOut, ImportRequest, Imported, ImportedJob, ImportedSecret};
use padclock_api::job::JobState;
use padclock_api::secret::{ALL_ENVIRONMENTS, Reveal, Scope, SecretCreate, SubmittedValue};
use padclock_api::{ErrorEnvelope, JobId, SecretId};
use padclock_import::{
    Existing, ExistingJob, Format, Options, Plan, PlannedJob, PlannedSecret, Settled, credentials,
    guess, read_beside,
};
use padclock_job::Moment;
use padclock_store::NewJob;
use zeroize::Zeroizing;

use super::{CreateParams, compile};
use crate::auth::{Caller, OwnSecrets, WriteJobs, of_job};
use crate::failure::{Answer, Failure, stored};
use crate::handlers::secrets;
use crate::input::{Body, Params};
use crate::state::App;
use crate::{plaintext, random};

/// The most jobs of one import.
const MOST_JOBS: usize = 1_000;
const PAGE: u32 = 100;
const PATH: &str = "/v1/jobs/import";

/// Makes jobs, paused, of a crontab or another scheduler's document; with `dry_run=true` it only says which.
#[utoipa::path(post, path = "/v1/jobs/import", tag = "jobs", request_body = ImportRequest,
    params(("dry_run" = Option<bool>, Query,)),
    responses((status = 201, body = Imported), (status = 200, body = Imported), (status = 400, body = ErrorEnvelope)))]
pub(crate) async fn import(
    State(app): State<App>,
    caller: Caller<WriteJobs>,
    storing: Caller<OwnSecrets>,
    Params(params): Params<CreateParams>,
    body: Body<ImportRequest>,
) -> Answer<Response> {
    let now = app.store.now().await.map_err(stored("job"))?;
    let existing = existing(&app, &caller).await?;
    let (plan, settled) = planned(body.value, now, &existing)?;
    // Before any secret of it is made: an import is whole or refused.
    let asked = app.store.workspace_settings(caller.workspace()).await;
    let refuse = asked.map_err(stored("workspace"))?.refuse_plaintext_secrets;
    plaintext::check_all(plan.jobs.iter().map(|job| &job.definition), refuse)?;
    if params.dry_run {
        return Ok(Json(told(plan, settled)).into_response());
    }
    let made = make(&app, &caller, &storing, plan, settled, now).await?;
    app.work.notify_one();
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

fn planned(request: ImportRequest, now: Moment, existing: &Existing) -> Answer<(Plan, Settled)> {
    let text = Zeroizing::new(request.text.0);
    let unread =
        |error: padclock_import::Unread| Failure::field("text", "unreadable", error.to_string());
    let format = match request.format.as_deref() {
        None => guess(&text).map_err(unread)?,
        Some(word) => Format::from_word(word).ok_or_else(|| {
            Failure::field(
                "format",
                "unknown_format",
                "must be crontab, trigrun, cron-job.org or padclock",
            )
        })?,
    };
    if format == Format::Env {
        let message = "a .env file holds no jobs: store its values by POST /v1/secrets, or with cronctl import";
        return Err(Failure::field("format", "no_jobs", message));
    }
    let options = Options {
        now,
        zone: request.timezone.as_deref(),
        environment: request.environment.as_deref(),
        system: request.system,
        all: false,
        keep_state: false,
        taken: &BTreeSet::new(),
    };
    let (plan, settled) =
        read_beside(&text, format, &options, &credentials, existing).map_err(unread)?;
    if plan.jobs.len() > MOST_JOBS {
        let message = format!(
            "may hold at most {MOST_JOBS} jobs; it has {}",
            plan.jobs.len()
        );
        return Err(Failure::field("text", "too_many_jobs", message));
    }
    Ok((plan, settled))
}

/// What the workspace has, as far as the caller sees it.
async fn existing(app: &App, caller: &Caller<WriteJobs>) -> Answer<Existing> {
    let mut existing = Existing::default();
    let mut after: Option<JobId> = None;
    loop {
        let rows = app
            .store
            .list_jobs(caller.workspace(), caller.environment(), (after, PAGE))
            .await
            .map_err(stored("job"))?;
        after = rows.last().map(|row| row.id);
        let full = rows.len() == PAGE as usize;
        existing.jobs.extend(rows.into_iter().map(|row| {
            ExistingJob {
                url: row
                    .definition
                    .request
                    .as_ref()
                    .map(|request| request.url.clone()),
                name: row.definition.name,
                kind: row.definition.kind,
                schedule: row.definition.schedule,
            }
        }));
        if !full {
            break;
        }
    }
    let mut after: Option<SecretId> = None;
    loop {
        let (workspace, user, of) = (caller.workspace(), caller.user(), caller.environment());
        let listed = app.store.list_secrets(workspace, user, of, (after, PAGE));
        let rows = listed.await.map_err(stored("secret"))?;
        after = rows.last().map(|row| row.secret.id);
        let full = rows.len() == PAGE as usize;
        let shared = rows
            .into_iter()
            .map(|row| row.secret)
            .filter(|secret| secret.scope == Scope::Workspace);
        existing.secrets.extend(shared.map(|secret| {
            (
                secret.name,
                Some(secret.environment).filter(|name| name != ALL_ENVIRONMENTS),
            )
        }));
        if !full {
            return Ok(existing);
        }
    }
}

/// Each job's secrets, then the job. When something is refused on the way, what was made before it is taken away again: an import
/// is whole or nothing.
async fn make(
    app: &App,
    caller: &Caller<WriteJobs>,
    storing: &Caller<OwnSecrets>,
    plan: Plan,
    settled: Settled,
    now: Moment,
) -> Answer<Imported> {
    let Plan {
        jobs,
        secrets,
        wanted,
        left_out,
        notes,
    } = plan;
    let rest = Plan {
        wanted,
        left_out,
        notes,
        ..Plan::default()
    };
    let mut answer = told(rest, settled);
    answer.dry_run = false;
    let outcome = async {
        for secret in secrets {
            answer.secrets.push(store(app, storing, secret).await?);
        }
        for job in jobs {
            answer.jobs.push(save(app, caller, job, now).await?);
        }
        Ok(())
    };
    match outcome.await {
        Ok(()) => Ok(answer),
        Err(failure) => {
            undo(app, caller, &answer).await?;
            Err(failure)
        }
    }
}

async fn store(
    app: &App,
    storing: &Caller<OwnSecrets>,
    secret: PlannedSecret,
) -> Answer<ImportedSecret> {
    let from = secret.at.iter().map(ToString::to_string).collect();
    let new = SecretCreate {
        name: secret.name,
        value: SubmittedValue(secret.value),
        environment: secret.environment,
        scope: Scope::Workspace,
        description: None,
        egress: secret.egress,
        ttl: None,
        reveal: Reveal::Allowed,
        unmaskable: false,
        rotate_every_days: None,
    };
    let row = secrets::make(app, storing, &HeaderMap::new(), (PATH, &[]), new).await?;
    Ok(ImportedSecret {
        id: Some(row.secret.id),
        name: row.secret.name,
        egress: row.secret.egress,
        from,
    })
}

async fn save(
    app: &App,
    caller: &Caller<WriteJobs>,
    planned: PlannedJob,
    now: Moment,
) -> Answer<ImportedJob> {
    caller.may_use_environment(of_job(&planned.definition))?;
    let id: JobId = random::id(now);
    let job = compile(planned.definition, id, now)?;
    let new = NewJob {
        id,
        workspace: caller.workspace(),
        owner: caller.user(),
        created_at: now,
        paused: true,
        job,
    };
    let row = app
        .store
        .create_job(new, caller.actor())
        .await
        .map_err(stored("job"))?;
    Ok(ImportedJob {
        id: Some(row.id),
        name: row.definition.name,
        state: row.state,
        from: planned.at.to_string(),
        secrets: planned.secrets,
        notes: planned.notes,
    })
}

async fn undo(app: &App, caller: &Caller<WriteJobs>, made: &Imported) -> Answer<()> {
    for id in made.jobs.iter().filter_map(|job| job.id) {
        app.store
            .delete_job(caller.workspace(), id, caller.actor())
            .await
            .map_err(stored("job"))?;
    }
    for id in made.secrets.iter().filter_map(|secret| secret.id) {
        let gone = app
            .store
            .delete_secret(caller.workspace(), id, caller.actor(), caller.user());
        gone.await.map_err(stored("secret"))?;
    }
    Ok(())
}

fn told(plan: Plan, settled: Settled) -> Imported {
    let job = |job: PlannedJob| ImportedJob {
        id: None,
        name: job.definition.name,
        state: JobState::Paused,
        from: job.at.to_string(),
        secrets: job.secrets,
        notes: job.notes,
    };
    let secret = |secret: PlannedSecret| ImportedSecret {
        id: None,
        from: secret.at.iter().map(ToString::to_string).collect(),
        name: secret.name,
        egress: secret.egress,
    };
    let left = plan.left_out.into_iter().map(|left| ImportLeftOut {
        from: left.at.to_string(),
        name: left.name,
        reason: left.reason,
        is_command: left.is_command,
    });
    let note = |note: padclock_import::Note| {
        format!(
            "{}{}",
            note.at.map(|at| format!("{at}: ")).unwrap_or_default(),
            note.text
        )
    };
    Imported {
        dry_run: true,
        jobs: plan.jobs.into_iter().map(job).collect(),
        secrets: plan.secrets.into_iter().map(secret).collect(),
        there_already: settled.jobs.into_iter().map(|(_, name)| name).collect(),
        left_out: left.collect(),
        missing_secrets: plan.wanted.into_iter().map(|wanted| wanted.name).collect(),
        notes: plan.notes.into_iter().map(note).collect(),
    }
}
