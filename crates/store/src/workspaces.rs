//! Workspaces: their names and settings, and how a new one begins.

use padclock_api::WorkspaceId;
use padclock_api::workspace::WorkspaceSettings;

use crate::error::{Result, StoreError};
use crate::field::fields;
use crate::tx::{Sql, Tx};
use crate::{Store, body};

static SETTINGS: Sql = Sql::both("SELECT settings FROM workspaces WHERE id = $1");

async fn settings(tx: &mut dyn Tx, workspace: WorkspaceId) -> Result<WorkspaceSettings> {
    let mut rows = tx.query(&SETTINGS, fields![workspace]).await?;
    rows.first_mut().ok_or(StoreError::NotFound)?.json(0)
}

impl Store {
    /// What a workspace asks of its secrets and jobs.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn workspace_settings(&self, workspace: WorkspaceId) -> Result<WorkspaceSettings> {
        self.read(body!(|tx| settings(tx, workspace).await)).await
    }
}
