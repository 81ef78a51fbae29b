//! The audit chain: who did what, in order, each record's tag covering the one before it.
//!
//! Records are written in the transaction of what they report, so either both are durable or neither. The fields are
//! an allow-list: nothing here can hold a value. What changes no row is recorded by `Store::record` (in `record`), which is
//! durable when it answers: a value that is read back is opened after it, never before.

mod action;
mod chain;
mod heads;
mod list;
mod record;
mod verify;

use std::collections::BTreeMap;

use padclock_api::{SessionId, TokenId, UserId, WorkspaceId};
use padclock_vault::DerivedKey;
use serde::Serialize;

use crate::error::{Result, StoreError};
use crate::field::{Field, fields};
use crate::tx::{Batch, Rows, Sql, Tx};

pub use action::Action;
pub use chain::{Chain, Fault, Kept, Record, Report};
pub use heads::Head;
pub use list::{AuditFilter, AuditPage};
pub(crate) use record::Recorder;

/// What a member shows to be let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// An API token.
    Token(TokenId),
    /// A browser's session.
    Session(SessionId),
}

impl std::fmt::Display for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Token(id) => id.fmt(f),
            Self::Session(id) => id.fmt(f),
        }
    }
}

/// Who acts, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A member, by a token or a session, from an address.
    Member {
        /// The member.
        user: UserId,
        /// What was shown.
        by: Credential,
        /// The peer's address.
        from: String,
    },
    /// Somebody who is not known yet, or whose credential was refused.
    Stranger {
        /// The peer's address.
        from: String,
    },
    /// A node, on behalf of a job.
    Node(std::sync::Arc<str>),
    /// Padclock itself, at start or by an operator's command on its host.
    System,
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Member { user, by, from } => write!(f, "{user} {by} {from}"),
            Self::Stranger { from } => write!(f, "stranger {from}"),
            Self::Node(name) => write!(f, "node {name}"),
            Self::System => f.write_str("system"),
        }
    }
}

/// A secret as a record names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SecretUse {
    /// Its name.
    pub name: String,
    /// Which one of that name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The version that was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
}

/// What a record may say beyond who, what and when.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Detail {
    /// A secret's or a job's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A version number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// The attempt that uses secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// The job of an execution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// How often, where one record stands for several events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// The secrets that are used, or refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretUse>,
    /// The host that a secret was not sent to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// A secret's egress policy, as JSON or `anywhere`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The one before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_before: Option<String>,
    /// The member whose a job has become.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// How it ended, where that is not plain from the action.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
}

/// One record, before it has its place in the chain.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub workspace: WorkspaceId,
    pub actor: String,
    pub action: Action,
    pub target: String,
    pub detail: Detail,
}

static LOCK_HEAD: Sql = Sql::each(
    "SELECT seq, tag FROM audit_heads WHERE workspace_id = $1",
    "SELECT seq, tag FROM audit_heads WHERE workspace_id = $1 FOR UPDATE",
);
static MOVE_HEAD: Sql = Sql::each(
    "UPDATE audit_heads SET seq = $1, tag = $2 WHERE workspace_id = $3",
    "UPDATE audit_heads h SET seq = k.seq, tag = k.tag
     FROM unnest($1::bigint[], $2::bytea[], $3::bytea[]) AS k(seq, tag, workspace_id) WHERE h.workspace_id = k.workspace_id",
);
static INSERT: Sql = Sql::each(
    "INSERT INTO audit (workspace_id, seq, at, actor, action, target, detail, tag) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    "INSERT INTO audit (workspace_id, seq, at, actor, action, target, detail, tag)
     SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[])",
);
static INSERT_HEAD: Sql =
    Sql::both("INSERT INTO audit_heads (workspace_id, seq, tag) VALUES ($1, 0, $2)");

/// Starts the chain of a new workspace.
pub(crate) async fn start_chain(tx: &mut dyn Tx, workspace: WorkspaceId) -> Result<()> {
    tx.execute(&INSERT_HEAD, fields![workspace, Vec::<u8>::new()])
        .await
        .map(drop)
}

/// Appends records to their workspaces' chains. It takes the lock of each chain: call it last in a transaction.
pub(crate) async fn append(
    tx: &mut dyn Tx,
    key: &DerivedKey,
    at: i64,
    entries: Vec<Entry>,
) -> Result<()> {
    let mut chains: BTreeMap<WorkspaceId, Vec<Entry>> = BTreeMap::new();
    for entry in entries {
        chains.entry(entry.workspace).or_default().push(entry);
    }
    // Chains are locked in the order of their ids, so that two nodes never wait for each other.
    for (workspace, entries) in chains {
        let head = tx.query(&LOCK_HEAD, fields![workspace]).await?.pop();
        let mut head =
            head.ok_or_else(|| StoreError::Damaged("a workspace has no audit chain".to_owned()))?;
        let (mut seq, mut previous) = (head.int(0)?, head.bytes(1)?);
        let mut rows = Rows {
            width: 8,
            fields: Vec::with_capacity(entries.len() * 8),
        };
        for entry in entries {
            seq += 1;
            let detail = serde_json::to_string(&entry.detail)
                .map_err(|error| StoreError::Damaged(error.to_string()))?;
            let mut record = Record {
                seq,
                at,
                actor: entry.actor,
                action: entry.action.word().to_owned(),
                target: entry.target,
                detail,
                tag: Vec::new(),
            };
            record.tag = record.expected(key, workspace, &previous).to_vec();
            previous.clone_from(&record.tag);
            rows.fields.extend([
                Field::from(workspace),
                seq.into(),
                at.into(),
                record.actor.into(),
                record.action.into(),
                record.target.into(),
                record.detail.into(),
                record.tag.into(),
            ]);
        }
        let head = Rows::new([[seq.into(), previous.into(), Field::from(workspace)]]);
        // Together: the lock is held until the end, so each answer waited for is one that others wait for as well.
        tx.batches(vec![
            Batch::new(&INSERT, rows),
            Batch::new(&MOVE_HEAD, head),
        ])
        .await?;
    }
    Ok(())
}
