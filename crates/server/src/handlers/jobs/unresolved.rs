//! Jobs whose references mean no secret now: said in answers about one job, and listed.

use std::sync::Arc;

use axum::response::Response;
use padclock_api::job::Job as Answered;
use padclock_api::{JobId, UserId, WorkspaceId};
use padclock_job::{Job, Warning};

use super::{answered, newest};
use crate::auth::{Caller, Read};
use crate::failure::{Answer, stored};
use crate::handlers::page_from;
use crate::state::App;

/// Adds to an answer which of the job's references mean nothing now.
pub(super) async fn add(
    app: &App,
    (workspace, owner): (WorkspaceId, UserId),
    job: &Arc<Job>,
    answer: &mut Answered,
) -> Answer<()> {
    let names = app
        .store
        .unresolved_names(workspace, owner, Arc::clone(job))
        .await
        .map_err(stored("job"))?;
    answer
        .warnings
        .extend(names.iter().map(|name| warning(name)));
    answer.unresolved_secrets = Some(names);
    Ok(())
}

fn warning(name: &str) -> Warning {
    Warning {
        field: "request".to_owned(),
        code: "secret_unresolved".to_owned(),
        message: format!(
            "there is no secret {name} that this job may use now: store one of that name in the job's environment or for all"
        ),
    }
}

/// The jobs that name what means no secret now.
pub(super) async fn list(
    app: &App,
    caller: &Caller<Read>,
    limit: u32,
    mut after: Option<JobId>,
) -> Answer<Response> {
    let mut found = Vec::new();
    let next = loop {
        let want = limit - u32::try_from(found.len()).unwrap_or(limit);
        let (some, next) = app
            .store
            .unresolved_jobs(caller.workspace(), after, want)
            .await
            .map_err(stored("job"))?;
        found.extend(
            some.into_iter()
                .filter(|(row, _)| caller.sees_job(row).is_ok()),
        );
        after = next;
        if next.is_none() || found.len() >= limit as usize {
            break next;
        }
    };
    let ids = found.iter().map(|(row, _)| row.id).collect();
    let mut newest = newest(app, ids).await?;
    let jobs: Vec<Answered> = found
        .into_iter()
        .map(|(row, names)| {
            let newest = newest.remove(&row.id).unwrap_or_default();
            Answered {
                unresolved_secrets: Some(names),
                ..answered(row, newest, None)
            }
        })
        .collect();
    let next = next.map(|id| id.to_string());
    Ok(page_from("/v1/jobs?unresolved=true", jobs, limit, next))
}
