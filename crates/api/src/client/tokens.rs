//! Calls about API tokens. `create_token` alone brings one back, once.

use http::Method;

use super::{Answer, Client, ClientError, Made, disclose, json};
use crate::TokenId;
use crate::token::{Token, TokenCreate};

impl Client {
    /// What is known of the caller's tokens, or of everyone's.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn tokens(&self, everyones: bool) -> Result<Vec<Answer<Token>>, ClientError> {
        let all = everyones.then(|| ("all", "true".to_owned()));
        let filters: Vec<_> = all.into_iter().collect();
        self.list("/v1/tokens", &filters, None).await
    }

    /// Makes a token. What came over the wire is wiped.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn create_token(&self, new: &TokenCreate) -> Result<Made<Token>, ClientError> {
        let path = "/v1/tokens";
        let reply = self.send(Method::POST, path, json(new)?, None).await?;
        disclose::made(reply.body, "token")
    }

    /// Ends a token at once, this client's own included.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn revoke_token(&self, id: TokenId) -> Result<(), ClientError> {
        self.delete(&format!("/v1/tokens/{id}")).await
    }

    /// Ends the token that this client holds.
    ///
    /// # Errors
    /// As each call: [`ClientError`]; a token that may not look after its member's tokens can't end itself.
    pub async fn revoke_own_token(&self) -> Result<(), ClientError> {
        let own = self.whoami().await?.it.token.id;
        let unreadable = |_| ClientError::Unreadable("a token's id");
        self.revoke_token(own.parse().map_err(unreadable)?).await
    }
}
