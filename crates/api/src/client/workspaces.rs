//! Calls about workspaces.

use http::Method;

use super::{Answer, Client, ClientError, Made, answer, disclose, json};
use crate::WorkspaceId;
use crate::workspace::{Workspace, WorkspaceCreate, WorkspacePatch};

impl Client {
    /// The workspaces that the token's member is in; of a narrowed token, its own.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn workspaces(&self) -> Result<Vec<Answer<Workspace>>, ClientError> {
        self.list("/v1/workspaces", &[], None).await
    }

    /// One workspace.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn workspace(&self, id: WorkspaceId) -> Result<Answer<Workspace>, ClientError> {
        self.get(&format!("/v1/workspaces/{id}")).await
    }

    /// Makes a workspace, without a token.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn create_workspace(
        &self,
        new: &WorkspaceCreate,
    ) -> Result<Answer<Workspace>, ClientError> {
        let new = WorkspaceCreate {
            token_name: None,
            ..new.clone()
        };
        self.post("/v1/workspaces", json(&new)?).await
    }

    /// Makes a workspace with a token of this name, which is answered once.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn create_workspace_with_token(
        &self,
        new: &WorkspaceCreate,
        token_name: &str,
    ) -> Result<Made<Workspace>, ClientError> {
        let new = WorkspaceCreate {
            token_name: Some(token_name.to_owned()),
            ..new.clone()
        };
        let path = "/v1/workspaces";
        let reply = self.send(Method::POST, path, json(&new)?, None).await?;
        disclose::made(reply.body, "token")
    }

    /// Changes a workspace's name or settings; the token must be one of that very workspace.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn change_workspace(
        &self,
        id: WorkspaceId,
        change: &WorkspacePatch,
    ) -> Result<Answer<Workspace>, ClientError> {
        let path = format!("/v1/workspaces/{id}");
        self.send(Method::PATCH, &path, json(change)?, None)
            .await
            .and_then(answer::read)
    }
}
