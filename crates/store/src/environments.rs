//! Environments: those that were made, and those that are there because a secret or a job names them.

use padclock_api::environment::Environment;
use padclock_api::{UserId, WorkspaceId};
use padclock_vault::Label;

use crate::audit::{self, Action, Actor, Detail, Entry};
use crate::error::{Result, StoreError};
use crate::field::{Row, fields};
use crate::secrets::EVERY;
use crate::tx::Sql;
use crate::{Store, body};

/// The environment that every workspace has, and that a job is of when it names none.
pub const DEFAULT_ENVIRONMENT: &str = "production";

/// Which environments a list holds.
#[derive(Debug, Clone)]
pub struct EnvironmentsOf {
    /// Whose own secrets count beside the workspace's.
    pub caller: UserId,
    /// This one alone; none: all.
    pub only: Option<String>,
    /// Those after this one.
    pub after: String,
    /// At most so many.
    pub limit: u32,
}

static LIST: Sql = Sql::both(
    "SELECT e.name, e.created_at,
       (SELECT count(*) FROM secrets s WHERE s.workspace_id = $1 AND s.environment = e.name AND (s.owner_id = $2 OR s.owner_id = $3)),
       (SELECT count(*) FROM jobs j WHERE j.workspace_id = $1 AND j.environment = e.name)
     FROM (SELECT n.name, max(n.created_at) AS created_at FROM (
         SELECT name, created_at FROM environments WHERE workspace_id = $1
         UNION ALL SELECT environment, CAST(NULL AS BIGINT) FROM secrets WHERE workspace_id = $1 AND (owner_id = $2 OR owner_id = $3)
         UNION ALL SELECT environment, CAST(NULL AS BIGINT) FROM jobs WHERE workspace_id = $1
         UNION ALL SELECT CAST($4 AS TEXT), CAST(NULL AS BIGINT)) n GROUP BY n.name) e
     WHERE e.name > $5 AND e.name <> $6 AND (CAST($7 AS TEXT) IS NULL OR e.name = $7) ORDER BY e.name LIMIT $8",
);
static INSERT: Sql = Sql::both(
    "INSERT INTO environments (workspace_id, name, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
);
static DELETE: Sql = Sql::both("DELETE FROM environments WHERE workspace_id = $1 AND name = $2");
static USED: Sql = Sql::both(
    "SELECT (SELECT count(*) FROM secrets WHERE workspace_id = $1 AND environment = $2)
       + (SELECT count(*) FROM jobs WHERE workspace_id = $1 AND environment = $2)
       + (SELECT count(*) FROM tokens WHERE workspace_id = $1 AND environment = $2)",
);

fn decode(row: &mut Row) -> Result<Environment> {
    Ok(Environment {
        name: row.text(0)?,
        created_at: row.opt_moment(1)?,
        secrets: row.number(2)?,
        jobs: row.number(3)?,
    })
}

fn entry(workspace: WorkspaceId, actor: &Actor, action: Action, name: &str) -> Entry {
    Entry {
        workspace,
        actor: actor.to_string(),
        action,
        target: workspace.to_string(),
        detail: Detail {
            name: Some(name.to_owned()),
            ..Detail::default()
        },
    }
}

impl Store {
    /// Environments by name.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn list_environments(
        &self,
        workspace: WorkspaceId,
        of: EnvironmentsOf,
    ) -> Result<Vec<Environment>> {
        self.read(body!(|tx| {
            let params = fields![
                workspace,
                Vec::<u8>::new(),
                of.caller,
                DEFAULT_ENVIRONMENT,
                of.after,
                EVERY,
                of.only,
                of.limit
            ];
            tx.query(&LIST, params)
                .await?
                .iter_mut()
                .map(decode)
                .collect()
        }))
        .await
    }

    /// Makes an environment.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it was made before.
    pub async fn create_environment(
        &self,
        workspace: WorkspaceId,
        name: String,
        actor: Actor,
    ) -> Result<Environment> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let now = tx.now().await?;
            let new = name != DEFAULT_ENVIRONMENT
                && tx
                    .execute(&INSERT, fields![workspace, name.clone(), now])
                    .await?
                    > 0;
            if !new {
                return Err(StoreError::Conflict("an environment of this name"));
            }
            let entry = entry(workspace, &actor, Action::EnvironmentCreate, &name);
            audit::append(tx, keys.derived(Label::Audit), now, vec![entry]).await?;
            Ok(Environment {
                name,
                secrets: 0,
                jobs: 0,
                created_at: Some(padclock_job::Moment::from_millis(now)),
            })
        }))
        .await
    }

    /// Removes an environment that nothing is in.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Blocked`] while secrets, jobs or tokens are in it, and for the default one.
    pub async fn delete_environment(
        &self,
        workspace: WorkspaceId,
        name: String,
        actor: Actor,
    ) -> Result<()> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            if name == DEFAULT_ENVIRONMENT {
                return Err(StoreError::Blocked(
                    "production is always there: a job that names no environment is of it",
                ));
            }
            let rows = tx.query(&USED, fields![workspace, name.clone()]).await?;
            if rows.first().map_or(Ok(0), |row| row.int(0))? > 0 {
                return Err(StoreError::Blocked(
                    "secrets, jobs or tokens are of this environment; delete or move them first",
                ));
            }
            if tx
                .execute(&DELETE, fields![workspace, name.clone()])
                .await?
                == 0
            {
                return Err(StoreError::NotFound);
            }
            let entry = entry(workspace, &actor, Action::EnvironmentDelete, &name);
            let now = tx.now().await?;
            audit::append(tx, keys.derived(Label::Audit), now, vec![entry]).await
        }))
        .await
    }
}
