//! `/v1/audit`: who did what, and the chain itself.

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use padclock_api::audit::{AuditRecord, SignedHead, record_id, record_seq};
use padclock_api::ids::AuditKind;
use padclock_api::{ErrorEnvelope, Page, WorkspaceId};
use padclock_job::Moment;
use padclock_store::{Action, AuditFilter, Detail, StoreError};
use serde::{Deserialize, Serialize};

use super::put;
use crate::auth::{Caller, ReadAudit};
use crate::failure::{Answer, stored};
use crate::input::{Params, cursor, page_size};
use crate::state::App;

/// Records sent at once.
const BATCH: u32 = 1_000;

/// Which records to list.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListParams {
    actor: Option<String>,
    action: Option<String>,
    target: Option<String>,
    from: Option<Moment>,
    to: Option<Moment>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Lists the audit, newest first. A page may hold fewer records than asked for, even none, and have a next one: it ends where
/// much was looked through and little fitted.
#[utoipa::path(get, path = "/v1/audit", tag = "audit",
    params(("actor" = Option<String>, Query, description = "a user's or token's id, a node's name, or an address"),
        ("action" = Option<String>, Query, description = "such as secret.reveal; secret. for all that begin so"),
        ("target" = Option<String>, Query,), ("from" = Option<String>, Query,), ("to" = Option<String>, Query,),
        ("limit" = Option<u32>, Query,), ("cursor" = Option<String>, Query,)),
    responses((status = 200, body = Page<AuditRecord>), (status = 403, body = ErrorEnvelope)))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller<ReadAudit>,
    Params(params): Params<ListParams>,
) -> Answer<Json<Page<AuditRecord>>> {
    let limit = page_size(params.limit)?;
    let before = cursor::<AuditKind>(params.cursor.as_deref())?.map(record_seq);
    let filter = AuditFilter {
        actor: params.actor,
        action: params.action,
        target: params.target,
        from: params.from,
        to: params.to,
        before,
    };
    let workspace = caller.workspace();
    let found = app.store.list_audit(workspace, filter, limit).await;
    let page = found.map_err(stored("record"))?;
    let next_cursor = page
        .next
        .map(|(seq, at)| record_id(workspace, seq, at).to_string());
    Ok(Json(Page {
        items: page.records,
        next_cursor,
    }))
}

/// What an export still has to send.
struct Export {
    app: App,
    workspace: WorkspaceId,
    after: i64,
    /// Where the chain stood when the export began, and when that was.
    until: (i64, Moment),
    tag: Vec<u8>,
}

impl Export {
    async fn next(mut self) -> Result<Option<(Bytes, Option<Self>)>, StoreError> {
        let mut text = Vec::new();
        if self.after < self.until.0 {
            let lines = self
                .app
                .store
                .audit_lines(self.workspace, self.after, BATCH)
                .await?;
            if lines.is_empty() {
                return Err(StoreError::Damaged(
                    "the audit chain ends before its head".to_owned(),
                ));
            }
            for line in lines.into_iter().filter(|line| line.seq <= self.until.0) {
                write(&mut text, &line)?;
                (self.after, self.tag) = (line.seq, line.tag.0);
            }
            return Ok(Some((text.into(), Some(self))));
        }
        let keyring = self.app.keyrings.now();
        let (seq, at) = self.until;
        write(
            &mut text,
            &SignedHead::sign(keyring.signing(), self.workspace, seq, at, self.tag),
        )?;
        Ok(Some((text.into(), None)))
    }
}

fn write(text: &mut Vec<u8>, line: &impl Serialize) -> Result<(), StoreError> {
    serde_json::to_writer(&mut *text, line)
        .map_err(|error| StoreError::Damaged(error.to_string()))?;
    text.push(b'\n');
    Ok(())
}

/// Exports the chain: a JSON line for each record with its tag, oldest first, and at the end a signed head. The export itself
/// is its last record.
#[utoipa::path(get, path = "/v1/audit/export", tag = "audit",
    responses((status = 200, content_type = "application/x-ndjson", body = String), (status = 403, body = ErrorEnvelope)))]
pub(crate) async fn export(State(app): State<App>, caller: Caller<ReadAudit>) -> Answer<Response> {
    let workspace = caller.workspace();
    let (actor, target) = (caller.actor(), workspace.to_string());
    app.store
        .record(
            workspace,
            &actor,
            Action::AuditExport,
            target,
            Detail::default(),
        )
        .await
        .map_err(stored("record"))?;
    let (now, heads) = app.store.audit_heads().await.map_err(stored("record"))?;
    let seq = heads
        .iter()
        .find(|head| head.workspace == workspace)
        .map_or(0, |head| head.seq);
    let export = Export {
        app,
        workspace,
        after: 0,
        until: (seq, now),
        tag: Vec::new(),
    };
    let batches = stream::try_unfold(Some(export), |left| async move {
        match left {
            Some(export) => export.next().await,
            None => Ok(None),
        }
    });
    let mut response = Body::from_stream(batches).into_response();
    put(&mut response, header::CONTENT_TYPE, "application/x-ndjson");
    Ok(response)
}
