//! Everything that is kept of a workspace, as texts by place, for a search; and every sealed version of its secrets to search for.
//! Nothing here opens a value.

use padclock_api::ids::{ApprovalKind, ExecutionKind, JobKind, Kind, SecretKind, TokenKind};
use padclock_api::{Id, WorkspaceId};

use crate::error::Result;
use crate::field::{Field, Row, fields};
use crate::resolve::{SealedSecret, decode};
use crate::tx::{Sql, Tx};
use crate::{Store, body};

/// A kind of thing that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptIn {
    /// Jobs' definitions.
    Jobs,
    /// Executions that are not over.
    OpenExecutions,
    /// History.
    Executions,
    /// The audit.
    Audit,
    /// Keys of repeated creations.
    Idempotency,
    /// Names and descriptions of secrets.
    Secrets,
    /// Names of tokens.
    Tokens,
    /// What waits for an approval, or was decided.
    Approvals,
}

/// Where a page ended.
#[derive(Debug, Clone)]
pub struct After(Field);

/// One thing that is kept, and its texts by column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptTexts {
    /// Its id as people know it.
    pub id: String,
    /// Its texts.
    pub texts: Vec<(&'static str, String)>,
}

struct Reading {
    sql: &'static Sql,
    /// The columns behind the id.
    columns: &'static [&'static str],
    page: u32,
}

static JOBS: Sql = Sql::both(
    "SELECT id, name, definition FROM jobs WHERE workspace_id = $1 AND id > $2 ORDER BY id LIMIT $3",
);
static OPEN: Sql = Sql::both(
    "SELECT id, node, secrets, unresolved, warnings, attempts FROM open_executions
     WHERE workspace_id = $1 AND id > $2 ORDER BY id LIMIT $3",
);
static EXECUTIONS: Sql = Sql::both(
    "SELECT id, reason, node, job_name, secrets, unresolved, warnings, attempts FROM executions
     WHERE workspace_id = $1 AND id > $2 ORDER BY id LIMIT $3",
);
static AUDIT: Sql = Sql::both(
    "SELECT seq, actor, action, target, detail FROM audit WHERE workspace_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
);
static IDEMPOTENCY: Sql = Sql::both(
    "SELECT fingerprint, key FROM idempotency WHERE workspace_id = $1 AND key > $2 ORDER BY key LIMIT $3",
);
static SECRETS: Sql = Sql::both(
    "SELECT id, name, environment, description, egress FROM secrets WHERE workspace_id = $1 AND id > $2 ORDER BY id LIMIT $3",
);
static TOKENS: Sql = Sql::both(
    "SELECT id, name, permissions, environment, cidrs FROM tokens WHERE workspace_id = $1 AND id > $2 ORDER BY id LIMIT $3",
);
static APPROVALS: Sql = Sql::both(
    "SELECT id, kind, proposal FROM approvals WHERE workspace_id = $1 AND id > $2 ORDER BY id LIMIT $3",
);
static EVERY_VERSION: Sql = Sql::both(
    "SELECT s.workspace_id, s.name, s.id, s.owner_id, s.environment, v.version, s.expires_at, s.egress,
       v.term, v.origin_term, v.wrapped_key, v.ciphertext
     FROM secrets s JOIN secret_versions v ON v.secret_id = s.id
     WHERE s.workspace_id = $1 ORDER BY s.id, v.version DESC",
);

impl KeptIn {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Jobs,
        Self::OpenExecutions,
        Self::Executions,
        Self::Audit,
        Self::Idempotency,
        Self::Secrets,
        Self::Tokens,
        Self::Approvals,
    ];

    /// The word that is answered.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Jobs => "job",
            Self::OpenExecutions => "open_execution",
            Self::Executions => "execution",
            Self::Audit => "audit",
            Self::Idempotency => "idempotency_key",
            Self::Secrets => "secret",
            Self::Tokens => "token",
            Self::Approvals => "approval",
        }
    }

    fn reading(self) -> Reading {
        let reading = |sql, columns, page| Reading { sql, columns, page };
        match self {
            Self::Jobs => reading(&JOBS, &["name", "definition"], 200),
            // Attempts are wide: few at once.
            Self::OpenExecutions => reading(
                &OPEN,
                &["node", "secrets", "unresolved", "warnings", "attempts"],
                20,
            ),
            Self::Executions => {
                let columns = &[
                    "reason",
                    "node",
                    "job_name",
                    "secrets",
                    "unresolved",
                    "warnings",
                    "attempts",
                ];
                reading(&EXECUTIONS, columns, 20)
            }
            Self::Audit => reading(&AUDIT, &["actor", "action", "target", "detail"], 1_000),
            Self::Idempotency => reading(&IDEMPOTENCY, &["key"], 1_000),
            Self::Secrets => reading(
                &SECRETS,
                &["name", "environment", "description", "egress"],
                500,
            ),
            Self::Tokens => reading(
                &TOKENS,
                &["name", "permissions", "environment", "cidrs"],
                500,
            ),
            Self::Approvals => reading(&APPROVALS, &["kind", "proposal"], 500),
        }
    }

    fn first(self) -> Field {
        match self {
            Self::Audit => Field::Int(-1),
            Self::Idempotency => Field::Word(""),
            _ => Field::Id([0; 16]),
        }
    }

    /// The id of a row as people know it.
    fn id(self, row: &mut Row) -> Result<String> {
        fn of<K: Kind>(row: &Row) -> Result<String> {
            row.id::<K>(0).map(|id: Id<K>| id.to_string())
        }
        match self {
            Self::Jobs => of::<JobKind>(row),
            Self::OpenExecutions | Self::Executions => of::<ExecutionKind>(row),
            Self::Secrets => of::<SecretKind>(row),
            Self::Tokens => of::<TokenKind>(row),
            Self::Audit => row.int(0).map(|seq| seq.to_string()),
            // The key itself may be what is searched for.
            Self::Approvals => of::<ApprovalKind>(row),
            Self::Idempotency => Ok(hex(&row.bytes(0)?)),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

async fn kept(
    tx: &mut dyn Tx,
    workspace: WorkspaceId,
    kept_in: KeptIn,
    after: Field,
) -> Result<(Vec<KeptTexts>, Option<After>)> {
    let reading = kept_in.reading();
    let mut rows = tx
        .query(reading.sql, fields![workspace, after, reading.page])
        .await?;
    let full = rows.len() == reading.page as usize;
    // By the key itself where that is a text, else by the id in front.
    let key_at = usize::from(kept_in == KeptIn::Idempotency);
    let next = rows
        .last()
        .filter(|_| full)
        .and_then(|row| row.0.get(key_at).cloned());
    let one = |row: &mut Row| {
        let id = kept_in.id(row)?;
        let mut texts = Vec::new();
        for (at, column) in reading.columns.iter().enumerate() {
            texts.extend(row.opt_text(at + 1)?.map(|text| (*column, text)));
        }
        Ok(KeptTexts { id, texts })
    };
    let page = rows.iter_mut().map(one).collect::<Result<_>>()?;
    Ok((page, next.map(After)))
}

impl Store {
    /// A page of what is kept of a workspace in one place, and where the next one begins.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn kept(
        &self,
        workspace: WorkspaceId,
        kept_in: KeptIn,
        after: Option<After>,
    ) -> Result<(Vec<KeptTexts>, Option<After>)> {
        let after = after.map_or_else(|| kept_in.first(), |after| after.0);
        self.read(body!(|tx| kept(tx, workspace, kept_in, after).await))
            .await
    }

    /// Every version of every secret of a workspace, sealed, members' own and ended ones included: for a search that stays inside.
    /// Before one is opened, the search must be recorded.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn every_version(&self, workspace: WorkspaceId) -> Result<Vec<SealedSecret>> {
        self.read(body!(|tx| {
            tx.query(&EVERY_VERSION, fields![workspace])
                .await?
                .iter_mut()
                .map(decode)
                .collect()
        }))
        .await
    }
}
