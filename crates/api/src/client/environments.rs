//! Calls about environments.

use super::{Answer, Client, ClientError, json, pages};
use crate::environment::{Environment, EnvironmentCreate};

impl Client {
    /// The environments that the token may see.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn environments(&self) -> Result<Vec<Answer<Environment>>, ClientError> {
        self.list("/v1/environments", &[], None).await
    }

    /// Makes an environment, so that it is there before anything is in it.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn create_environment(
        &self,
        new: &EnvironmentCreate,
    ) -> Result<Answer<Environment>, ClientError> {
        self.post("/v1/environments", json(new)?).await
    }

    /// Removes an environment that no secret, job or token is of.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn delete_environment(&self, name: &str) -> Result<(), ClientError> {
        let name = pages::encoded(name);
        self.delete(&format!("/v1/environments/{name}")).await
    }
}
