//! Calls about members.

use http::Method;

use super::{Answer, Client, ClientError, answer, json};
use crate::UserId;
use crate::member::{Member, MemberCreate, MemberPatch};

impl Client {
    /// All members of the token's workspace.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn members(&self) -> Result<Vec<Answer<Member>>, ClientError> {
        self.list("/v1/members", &[], None).await
    }

    /// Makes a service member: a machine, which holds tokens only.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn create_service_member(
        &self,
        new: &MemberCreate,
    ) -> Result<Answer<Member>, ClientError> {
        self.post("/v1/members", json(new)?).await
    }

    /// Changes a member's role or grants.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn change_member(
        &self,
        id: UserId,
        change: &MemberPatch,
    ) -> Result<Answer<Member>, ClientError> {
        let path = format!("/v1/members/{id}");
        self.send(Method::PATCH, &path, json(change)?, None)
            .await
            .and_then(answer::read)
    }

    /// Removes a member with their tokens, sessions and own secrets; their jobs stay.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn remove_member(&self, id: UserId) -> Result<(), ClientError> {
        self.delete(&format!("/v1/members/{id}")).await
    }
}
