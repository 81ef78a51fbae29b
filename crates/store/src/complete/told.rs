//! What is audited of ended attempts: refusals, and ends that came too late; and which ends are merely told again.

use std::sync::Arc;

use padclock_api::Status;
use serde::Deserialize;

use super::{End, Finished, Refused, final_status};
use crate::audit::{Action, Actor, Detail, Entry};
use crate::error::Result;
use crate::field::fields;
use crate::tx::{Sql, Tx};

static HISTORY: Sql = Sql::both(
    "SELECT node, status, attempt_count FROM executions WHERE workspace_id = $1 AND id = $2",
);
static GIVEN_UP: Sql = Sql::both(
    "SELECT id FROM open_executions WHERE id = $1 AND fence = $2 AND status = $3 AND coalesce(node, '') = $4",
);

#[derive(Deserialize)]
struct Numbered {
    number: u32,
}

impl Finished {
    /// The attempt's number. Its JSON is read only where something is out of the ordinary.
    fn number(&self) -> Option<u32> {
        let numbered: Option<Numbered> = serde_json::from_str(&self.attempt).ok();
        numbered.map(|attempt| attempt.number)
    }
}

/// Whether an end that found no lease is recorded already, as this node's: then the answer to it was lost on the way, and
/// it is told again.
async fn repeated(tx: &mut dyn Tx, one: &Finished, node: &Arc<str>) -> Result<bool> {
    let (status, holder) = match &one.end {
        End::Retry { .. } => (Status::Waiting, Arc::clone(node)),
        End::HandBack { .. } => (Status::Queued, Arc::from("")),
        end => {
            let params = fields![one.workspace, one.execution];
            let mut found = tx.query(&HISTORY, params).await?;
            let Some(row) = found.first_mut() else {
                return Ok(false);
            };
            let same_end =
                final_status(end).map(|(status, _)| status) == Status::from_word(&row.text(1)?);
            return Ok(same_end
                && row.opt_text(0)?.as_deref() == Some(&**node)
                && one.number() == Some(row.number(2)?));
        }
    };
    let params = fields![one.execution, one.fence, status.word(), holder];
    Ok(!tx.query(&GIVEN_UP, params).await?.is_empty())
}

fn entry(one: &Finished, node: &Arc<str>, action: Action, detail: Detail) -> Entry {
    Entry {
        workspace: one.workspace,
        actor: Actor::Node(Arc::clone(node)).to_string(),
        action,
        target: one.execution.to_string(),
        detail: Detail {
            job: Some(one.job.to_string()),
            ..detail
        },
    }
}

fn late(one: &Finished, node: &Arc<str>) -> Entry {
    let detail = Detail {
        result: Some("ignored".to_owned()),
        ..Detail::default()
    };
    entry(one, node, Action::ExecutionLateResult, detail)
}

fn refusal(one: &Finished, refused: &Refused, node: &Arc<str>) -> Entry {
    let detail = Detail {
        attempt: one.number(),
        secrets: refused.secrets.clone(),
        host: Some(refused.host.clone()),
        ..Detail::default()
    };
    entry(one, node, Action::SecretRefused, detail)
}

/// What is to be audited of a batch. Marks those as accepted that were accepted before.
pub(super) async fn remarkable(
    tx: &mut dyn Tx,
    done: &[Finished],
    accepted: &mut [bool],
    node: &Arc<str>,
) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for (one, accepted) in done.iter().zip(accepted) {
        if !*accepted && repeated(tx, one, node).await? {
            *accepted = true;
            continue;
        }
        entries.extend(
            one.refused
                .as_ref()
                .map(|refused| refusal(one, refused, node)),
        );
        if !*accepted {
            entries.push(late(one, node));
        }
    }
    Ok(entries)
}
