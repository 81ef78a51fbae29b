//! `/v1/scan`: credentials in plain text in what a workspace has defined.

pub(crate) mod history;

use axum::Json;
use axum::extract::State;
use padclock_api::scan::ScanFinding;
use padclock_api::{ErrorEnvelope, Page};
use padclock_scan::InDocument;
use padclock_store::JobRow;

use crate::auth::{Caller, Read};
use crate::failure::{Answer, stored};
use crate::input::{Paging, Params, cursor};
use crate::plaintext;
use crate::state::App;

fn told(row: &JobRow, one: InDocument) -> ScanFinding {
    ScanFinding {
        job_id: row.id,
        job_name: row.definition.name.clone(),
        field: one.path(),
        rule: one.finding.rule.to_owned(),
        title: one.finding.title.to_owned(),
        line: one.finding.line,
        column: one.finding.column,
        suggested_name: one.finding.suggested_name,
    }
}

/// Looks through the definitions of a workspace's jobs. A page holds what was found in the next `limit` jobs, which may be nothing.
#[utoipa::path(get, path = "/v1/scan", tag = "scan",
    params(("limit" = Option<u32>, Query,), ("cursor" = Option<String>, Query,)),
    responses((status = 200, body = Page<ScanFinding>), (status = 400, body = ErrorEnvelope)))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller<Read>,
    Params(paging): Params<Paging>,
) -> Answer<Json<Page<ScanFinding>>> {
    let (limit, after) = (paging.limit()?, cursor(paging.cursor.as_deref())?);
    let rows = app
        .store
        .list_jobs(caller.workspace(), caller.environment(), (after, limit))
        .await
        .map_err(stored("job"))?;
    let full = rows.len() == limit as usize;
    let next_cursor = rows.last().filter(|_| full).map(|row| row.id.to_string());
    let found = |row: &JobRow| {
        let findings = plaintext::findings(&row.definition);
        findings
            .into_iter()
            .map(|one| told(row, one))
            .collect::<Vec<_>>()
    };
    Ok(Json(Page {
        items: rows.iter().flat_map(found).collect(),
        next_cursor,
    }))
}
