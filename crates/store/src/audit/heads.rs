//! Heads of chains: where each stands, and what of that was signed.

use padclock_api::WorkspaceId;
use padclock_api::audit::SignedHead;
use padclock_job::Moment;

use super::verify::signed;
use crate::error::Result;
use crate::field::fields;
use crate::tx::{Batch, Rows, Sql};
use crate::{Store, body};

static HEADS: Sql =
    Sql::both("SELECT workspace_id, seq, tag FROM audit_heads WHERE seq > 0 ORDER BY workspace_id");
static INSERT: Sql = Sql::each(
    "INSERT INTO audit_signatures (workspace_id, seq, at, tag, signature) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
    "INSERT INTO audit_signatures (workspace_id, seq, at, tag, signature)
     SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bytea[]) ON CONFLICT DO NOTHING",
);
static OF: Sql = Sql::both(
    "SELECT seq, at, tag, signature FROM audit_signatures WHERE workspace_id = $1 ORDER BY seq DESC LIMIT 1",
);

/// Where a chain stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// How many records it has.
    pub seq: i64,
    /// The last one's tag.
    pub tag: Vec<u8>,
}

impl Store {
    /// Where the chains stand that have records, and the time by the database's clock.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn audit_heads(&self) -> Result<(Moment, Vec<Head>)> {
        self.read(body!(|tx| {
            let rows = tx.query(&HEADS, &[]).await?;
            let head = |mut row: crate::field::Row| {
                Ok(Head {
                    workspace: row.id(0)?,
                    seq: row.int(1)?,
                    tag: row.bytes(2)?,
                })
            };
            let heads = rows.into_iter().map(head).collect::<Result<_>>()?;
            Ok((Moment::from_millis(tx.now().await?), heads))
        }))
        .await
    }

    /// Keeps signed heads beside their chains.
    ///
    /// # Errors
    /// When the database can't be written.
    pub async fn keep_signed_heads(&self, heads: Vec<SignedHead>) -> Result<()> {
        let row = |head: SignedHead| {
            [
                head.workspace.into(),
                head.seq.into(),
                head.at.into(),
                head.tag.0.into(),
                head.signature.0.into(),
            ]
        };
        let rows = Rows::new(heads.into_iter().map(row));
        self.write(body!(|tx| tx
            .batches(vec![Batch::new(&INSERT, rows)])
            .await
            .map(drop)))
            .await
    }

    /// The newest signed head of a chain.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn newest_signed_head(&self, workspace: WorkspaceId) -> Result<Option<SignedHead>> {
        self.read(body!(|tx| {
            let row = tx.query(&OF, fields![workspace]).await?.pop();
            row.map(|mut row| Ok(signed(workspace, row.int(0)?, &mut row)))
                .transpose()
        }))
        .await
    }
}
