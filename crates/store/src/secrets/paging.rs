//! Secrets as other systems' lists have them: by offset with a total, and with the times of their values.

use std::collections::BTreeMap;

use padclock_api::{SecretId, UserId, WorkspaceId};
use padclock_job::Moment;

use super::{EVERY, SecretRow, decode};
use crate::error::Result;
use crate::field::{Field, Row, fields};
use crate::tx::{Rows, Sql, one_batch};
use crate::{Store, body};

macro_rules! visible {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            "WHERE s.workspace_id = $1 AND (s.owner_id = $2 OR s.owner_id = $3) ",
            "AND ($4 = '' OR s.environment = $4 OR s.environment = $5) ",
            $after
        )
    };
}

static FROM: Sql = Sql::both(visible!(
    "SELECT s.id, s.name, s.environment, s.created_at, v.term, s.owner_id, s.description, s.egress, s.expires_at, s.reveal, \
     s.unmaskable, s.rotate_every_days, s.version, s.updated_at, s.short, s.revision \
     FROM secrets s JOIN secret_versions v ON v.secret_id = s.id AND v.version = s.version ",
    "ORDER BY s.id LIMIT $6 OFFSET $7"
));
static COUNT: Sql = Sql::both(visible!("SELECT count(*) FROM secrets s ", ""));
static NAMED: Sql = Sql::both(
    "SELECT id FROM secrets WHERE workspace_id = $1 AND name = $2 AND owner_id = $3 LIMIT 1",
);
static TIMES: Sql = Sql::each(
    "SELECT s.id, s.version, v.created_at, u.at FROM secrets s JOIN secret_versions v ON v.secret_id = s.id AND v.version = s.version
     LEFT JOIN secret_uses u ON u.secret_id = s.id WHERE s.id = $1",
    "SELECT s.id, s.version, v.created_at, u.at FROM unnest($1::bytea[]) AS k(id) JOIN secrets s ON s.id = k.id
     JOIN secret_versions v ON v.secret_id = s.id AND v.version = s.version LEFT JOIN secret_uses u ON u.secret_id = s.id",
);

/// Which secrets a list is about.
#[derive(Debug, Clone)]
pub struct SecretFilter {
    /// Whose own ones are among them; none: the workspace's alone.
    pub own: Option<UserId>,
    /// The one environment, beside those that serve all; none: every.
    pub environment: Option<String>,
}

/// When a secret's value was set and used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SecretTimes {
    /// When it was given its present value, if that is not its first.
    pub rotated_at: Option<Moment>,
    /// When an execution took it last.
    pub used_at: Option<Moment>,
}

impl Store {
    /// Secrets from an offset, oldest first, and how many there are in all.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn secrets_from(
        &self,
        workspace: WorkspaceId,
        filter: SecretFilter,
        limit: u32,
        offset: u32,
    ) -> Result<(Vec<SecretRow>, i64)> {
        self.read(body!(|tx| {
            let own = super::owner_bytes(filter.own);
            let environment = filter.environment.unwrap_or_default();
            let mut params = fields![
                workspace,
                Vec::<u8>::new(),
                own,
                environment,
                EVERY,
                limit,
                offset
            ]
            .to_vec();
            let mut rows = tx.query(&FROM, &params).await?;
            params.truncate(5);
            let total = tx.query(&COUNT, &params).await?;
            let total = total.first().map_or(Ok(0), |row| row.int(0))?;
            let rows: Result<Vec<SecretRow>> = rows.iter_mut().map(decode).collect();
            Ok((rows?, total))
        }))
        .await
    }

    /// Whether there is a secret of this name, whatever environment it serves: a member's own, or the workspace's.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn has_secret(
        &self,
        workspace: WorkspaceId,
        own: Option<UserId>,
        name: String,
    ) -> Result<bool> {
        self.read(body!(|tx| {
            let params = fields![workspace, name, super::owner_bytes(own)];
            tx.query(&NAMED, params).await.map(|rows| !rows.is_empty())
        }))
        .await
    }

    /// When these secrets' values were set and used.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn secret_times(
        &self,
        secrets: Vec<SecretId>,
    ) -> Result<BTreeMap<SecretId, SecretTimes>> {
        if secrets.is_empty() {
            return Ok(BTreeMap::new());
        }
        self.read(body!(|tx| {
            let keys = Rows::new(secrets.into_iter().map(|id| [Field::from(id)]));
            let times = |row: Row| {
                let set_at = row.moment(2)?;
                let times = SecretTimes {
                    rotated_at: (row.number(1)? > 1).then_some(set_at),
                    used_at: row.opt_moment(3)?,
                };
                Ok((row.id(0)?, times))
            };
            let rows = one_batch(tx, &TIMES, keys).await?;
            rows.into_iter().map(times).collect()
        }))
        .await
    }
}
