//! Walks the stored chains, in batches, while others write: what a chain held when the walk began is what is verified.

use std::collections::BTreeMap;

use futures_util::future::join;
use padclock_api::WorkspaceId;
use padclock_api::audit::{Hex, SignedHead};
use padclock_job::Moment;
use padclock_vault::{Keyring, Label};

use super::chain::{Chain, Fault, Kept, Record, Report};
use crate::error::{Result, StoreError};
use crate::field::{Row, fields};
use crate::tx::{Sql, Tx};
use crate::{Store, body};

/// Records read at once.
const BATCH: i64 = 10_000;

static WORKSPACES: Sql = Sql::both("SELECT id, name FROM workspaces ORDER BY name");
static OF_HEADS: Sql = Sql::both("SELECT workspace_id FROM audit_heads");
/// Steps from chain to chain along the key: no scan of all records.
static OF_CHAINS: Sql = Sql::both(
    "WITH RECURSIVE found(id) AS (
       SELECT * FROM (SELECT workspace_id FROM audit ORDER BY workspace_id LIMIT 1) AS first
       UNION ALL
       SELECT (SELECT workspace_id FROM audit WHERE workspace_id > found.id ORDER BY workspace_id LIMIT 1)
       FROM found WHERE found.id IS NOT NULL)
     SELECT id FROM found WHERE id IS NOT NULL",
);
static OF_SIGNATURES: Sql = Sql::both("SELECT DISTINCT workspace_id FROM audit_signatures");
static HEAD: Sql = Sql::both("SELECT seq, tag FROM audit_heads WHERE workspace_id = $1");
static LAST: Sql =
    Sql::both("SELECT seq FROM audit WHERE workspace_id = $1 ORDER BY seq DESC LIMIT 1");
static SIGNATURES: Sql = Sql::both(
    "SELECT seq, at, tag, signature FROM audit_signatures WHERE workspace_id = $1 ORDER BY seq",
);
pub(super) static PAGE: Sql = Sql::both(
    "SELECT seq, at, actor, action, target, detail, tag FROM audit
     WHERE workspace_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4",
);

/// Which chains there are, of whatever kind their trace is.
#[derive(Debug, Default)]
struct Chains {
    named: Vec<(WorkspaceId, String)>,
    nameless: Vec<WorkspaceId>,
    /// Ids that are none.
    odd: Vec<String>,
}

async fn chains(tx: &mut dyn Tx) -> Result<Chains> {
    let mut found = Chains::default();
    for mut row in tx.query(&WORKSPACES, &[]).await? {
        found.named.push((row.id(0)?, row.text(1)?));
    }
    for sql in [&OF_HEADS, &OF_CHAINS, &OF_SIGNATURES] {
        for mut row in tx.query(sql, &[]).await? {
            match row.id(0) {
                Ok(id) if found.named.iter().any(|(known, _)| *known == id) => {}
                Ok(id) => found.nameless.push(id),
                Err(_) => {
                    let bytes = row.bytes(0).unwrap_or_default();
                    found.odd.push(Hex(bytes).to_string());
                }
            }
        }
    }
    found.nameless.sort_unstable();
    found.nameless.dedup();
    found.odd.dedup();
    Ok(found)
}

/// Where a chain stands at one moment.
#[derive(Debug)]
struct Standing {
    head: Option<(i64, Vec<u8>)>,
    last: i64,
    unnumbered: bool,
    heads: Vec<(SignedHead, Kept)>,
}

async fn standing(tx: &mut dyn Tx, workspace: WorkspaceId) -> Result<Standing> {
    let head = match tx.query(&HEAD, fields![workspace]).await?.pop() {
        // A head that can't be read is as good as none.
        Some(mut row) => row.int(0).and_then(|seq| Ok((seq, row.bytes(1)?))).ok(),
        None => None,
    };
    let last = tx.query(&LAST, fields![workspace]).await?.pop();
    let place = last.as_ref().map_or(Ok(0), |row| row.int(0));
    let mut heads = Vec::new();
    for mut row in tx.query(&SIGNATURES, fields![workspace]).await? {
        let seq = row.int(0).unwrap_or_default();
        heads.push((signed(workspace, seq, &mut row), Kept::Database));
    }
    Ok(Standing {
        head,
        // What is no number is greater than every number.
        last: place.clone().unwrap_or(i64::MAX),
        unnumbered: place.is_err(),
        heads,
    })
}

/// A stored head. One that can't be read has a signature that fits nothing.
pub(super) fn signed(workspace: WorkspaceId, seq: i64, row: &mut Row) -> SignedHead {
    SignedHead {
        workspace,
        seq,
        at: row.moment(1).unwrap_or(Moment::from_millis(0)),
        tag: Hex(row.bytes(2).unwrap_or_default()),
        signature: Hex(row.bytes(3).unwrap_or_default()),
    }
}

/// A record as stored, or its place when its columns are not what they should be.
pub(super) fn record(row: &mut Row) -> Result<Record, i64> {
    let seq = row.int(0).unwrap_or_default();
    let mut whole = || -> Result<Record> {
        Ok(Record {
            seq: row.int(0)?,
            at: row.int(1)?,
            actor: row.text(2)?,
            action: row.text(3)?,
            target: row.text(4)?,
            detail: row.text(5)?,
            tag: row.bytes(6)?,
        })
    };
    whole().map_err(|_| seq)
}

impl Store {
    /// Verifies the audit chains: all of them, or the one of the workspace called `only`. `outside` are heads that were
    /// kept outside of the database, read before this was called.
    ///
    /// # Errors
    /// When the database can't be read, the store is locked, or there is no workspace of that name. A broken chain is no
    /// error: its report says what is wrong.
    pub async fn verify_audit(
        &self,
        only: Option<&str>,
        outside: Vec<SignedHead>,
    ) -> Result<Vec<Report>> {
        let keys = self.keys()?;
        let chains = self.read(body!(|tx| chains(tx).await)).await?;
        let mut kept: BTreeMap<WorkspaceId, Vec<SignedHead>> = BTreeMap::new();
        for head in outside {
            kept.entry(head.workspace).or_default().push(head);
        }
        let mut reports = Vec::new();
        for (workspace, name) in chains.named {
            let heads = kept.remove(&workspace).unwrap_or_default();
            if only.is_none_or(|only| only == name) {
                reports.push(self.walk(&keys, workspace, Some(name), heads).await?);
            }
        }
        if only.is_some() {
            return if reports.is_empty() {
                Err(StoreError::NotFound)
            } else {
                Ok(reports)
            };
        }
        // What is left of the heads outside is of chains that are gone as a whole.
        let gone: Vec<_> = kept
            .keys()
            .filter(|id| !chains.nameless.contains(id))
            .copied()
            .collect();
        for workspace in chains.nameless.into_iter().chain(gone) {
            let heads = kept.remove(&workspace).unwrap_or_default();
            let mut report = self.walk(&keys, workspace, None, heads).await?;
            report.faults.retain(|fault| *fault != Fault::NoChain);
            report.faults.insert(0, Fault::UnknownWorkspace);
            reports.push(report);
        }
        let odd = |id| Report::of(id, None, Fault::UnknownWorkspace);
        reports.extend(chains.odd.into_iter().map(odd));
        Ok(reports)
    }

    async fn walk(
        &self,
        keys: &Keyring,
        workspace: WorkspaceId,
        name: Option<String>,
        outside: Vec<SignedHead>,
    ) -> Result<Report> {
        let mut standing = self.read(body!(|tx| standing(tx, workspace).await)).await?;
        standing
            .heads
            .extend(outside.into_iter().map(|head| (head, Kept::File)));
        let (key, public) = (keys.derived(Label::Audit), keys.signing().public());
        let mut chain = Chain::new(key, &public, workspace, name, standing.heads);
        if standing.unnumbered {
            chain.take_unnumbered();
        }
        let mut rows = self.records(workspace, i64::MIN, standing.last).await?;
        while let Some(next) = rows.last().map(|row| row.int(0)) {
            let more = rows.len() >= BATCH as usize;
            // The next batch is read while this one is verified.
            let following = async {
                match more {
                    true => self.records(workspace, next?, standing.last).await,
                    false => Ok(Vec::new()),
                }
            };
            let verify = async {
                for mut row in rows.drain(..) {
                    match record(&mut row) {
                        Ok(record) => chain.take(record),
                        Err(seq) => chain.take_unreadable(seq),
                    }
                }
            };
            let (following, ()) = join(following, verify).await;
            rows = following?;
        }
        Ok(chain.finish(Some(standing.head)))
    }

    /// Records after `after` up to `last`, a batch of them.
    async fn records(&self, workspace: WorkspaceId, after: i64, last: i64) -> Result<Vec<Row>> {
        self.read(body!(|tx| tx
            .query(&PAGE, fields![workspace, after, last, BATCH])
            .await))
            .await
    }
}
