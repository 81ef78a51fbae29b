//! Reading the audit: newest first for people, oldest first and with tags for exports and copies.

use padclock_api::WorkspaceId;
use padclock_api::audit::{AuditActor, AuditLine, AuditRecord, Hex, record_id};
use padclock_job::Moment;
use serde_json::value::RawValue;

use super::chain::Record;
use super::verify::{PAGE, record};
use crate::error::{Result, StoreError};
use crate::field::fields;
use crate::tx::Sql;
use crate::{Store, body};

/// Records that one page looks through at most, so that a filter that fits little costs no more than this.
const LOOKED_AT: i64 = 20_000;
/// Records read at once when looking.
const STEP: i64 = 1_000;
/// How much later than its successors a record may be written, by clocks that were set back.
const DRIFT: i64 = 3_600_000;

static DOWN: Sql = Sql::both(
    "SELECT seq, at, actor, action, target, detail, tag FROM audit
     WHERE workspace_id = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3",
);

/// Which records to list.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Of actors in whose text this word stands: an id, a node's name, an address.
    pub actor: Option<String>,
    /// Of this action; one that ends with a dot fits all that begin so.
    pub action: Option<String>,
    /// About this.
    pub target: Option<String>,
    /// Written at this time or later.
    pub from: Option<Moment>,
    /// Written before this time.
    pub to: Option<Moment>,
    /// Before this place of the chain.
    pub before: Option<i64>,
}

impl AuditFilter {
    fn fits(&self, record: &Record) -> bool {
        let is = |wanted: &Option<String>, text: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == text)
        };
        let action = self.action.as_deref().is_none_or(|wanted| {
            record.action == wanted || (wanted.ends_with('.') && record.action.starts_with(wanted))
        });
        let actor = self.actor.as_deref().is_none_or(|wanted| {
            record.actor == wanted || record.actor.split(' ').any(|word| word == wanted)
        });
        action
            && actor
            && is(&self.target, &record.target)
            && self.from.is_none_or(|from| record.at >= from.millis())
            && self.to.is_none_or(|to| record.at < to.millis())
    }

    /// Whether nothing before this record can fit any more.
    fn is_past(&self, record: &Record) -> bool {
        self.from
            .is_some_and(|from| record.at < from.millis().saturating_sub(DRIFT))
    }
}

/// A page of the audit.
#[derive(Debug, Default)]
pub struct AuditPage {
    /// What fits, newest first.
    pub records: Vec<AuditRecord>,
    /// Where the next page begins, if there may be more: it may be that no record of this page fits and some of the next do.
    pub next: Option<(i64, Moment)>,
}

fn listed(workspace: WorkspaceId, record: Record) -> AuditRecord {
    let at = Moment::from_millis(record.at);
    let detail: serde_json::Value = serde_json::from_str(&record.detail).unwrap_or_default();
    let result = detail
        .get("result")
        .and_then(|word| word.as_str())
        .map(str::to_owned);
    AuditRecord {
        id: record_id(workspace, record.seq, at),
        seq: record.seq,
        at,
        actor: AuditActor::of(&record.actor),
        action: record.action,
        target: record.target,
        detail,
        result,
    }
}

fn line(workspace: WorkspaceId, record: Record) -> Result<AuditLine> {
    let seq = record.seq;
    let detail = RawValue::from_string(record.detail)
        .map_err(|_| StoreError::Damaged(format!("audit record {seq} is altered")))?;
    Ok(AuditLine {
        workspace,
        seq,
        at: Moment::from_millis(record.at),
        actor: record.actor,
        action: record.action,
        target: record.target,
        detail,
        tag: Hex(record.tag),
    })
}

fn damaged(seq: i64) -> StoreError {
    StoreError::Damaged(format!("audit record {seq} is altered"))
}

impl Store {
    /// A workspace's audit, newest first, at most `limit` records.
    ///
    /// # Errors
    /// When the database can't answer, or a record is damaged.
    pub async fn list_audit(
        &self,
        workspace: WorkspaceId,
        filter: AuditFilter,
        limit: u32,
    ) -> Result<AuditPage> {
        self.read(body!(|tx| {
            let mut page = AuditPage::default();
            let (mut before, mut looked) = (filter.before.unwrap_or(i64::MAX), 0);
            loop {
                let rows = tx.query(&DOWN, fields![workspace, before, STEP]).await?;
                let whole = rows.len() as i64 == STEP;
                for mut row in rows {
                    let found = record(&mut row).map_err(damaged)?;
                    (before, looked) = (found.seq, looked + 1);
                    if filter.is_past(&found) {
                        return Ok(page);
                    }
                    let at = Moment::from_millis(found.at);
                    if filter.fits(&found) {
                        page.records.push(listed(workspace, found));
                    }
                    let full = page.records.len() >= limit as usize || looked >= LOOKED_AT;
                    if full {
                        page.next = (before > 1).then_some((before, at));
                        return Ok(page);
                    }
                }
                if !whole {
                    return Ok(page);
                }
            }
        }))
        .await
    }

    /// Records of a chain after the place `after`, oldest first, at most `limit`, exactly as they stand.
    ///
    /// # Errors
    /// When the database can't answer, or a record's columns are not what they should be.
    pub async fn audit_lines(
        &self,
        workspace: WorkspaceId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<AuditLine>> {
        self.read(body!(|tx| {
            let rows = tx
                .query(&PAGE, fields![workspace, after, i64::MAX, limit])
                .await?;
            rows.into_iter()
                .map(|mut row| line(workspace, record(&mut row).map_err(damaged)?))
                .collect()
        }))
        .await
    }
}
