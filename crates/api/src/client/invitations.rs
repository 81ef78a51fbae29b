//! Calls about invitations. `invite` alone brings a link back, once.

use http::Method;

use super::{Answer, Client, ClientError, Made, disclose, json};
use crate::LinkId;
use crate::invitation::{Invitation, InvitationCreate};

impl Client {
    /// The invitations that can still be accepted.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn invitations(&self) -> Result<Vec<Answer<Invitation>>, ClientError> {
        self.list("/v1/invitations", &[], None).await
    }

    /// Invites someone by a link, which lets in whoever has it. What came over the wire is wiped.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn invite(&self, new: &InvitationCreate) -> Result<Made<Invitation>, ClientError> {
        let path = "/v1/invitations";
        let reply = self.send(Method::POST, path, json(new)?, None).await?;
        disclose::made(reply.body, "url")
    }

    /// Ends an invitation: its link works no more.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn revoke_invitation(&self, id: LinkId) -> Result<(), ClientError> {
        self.delete(&format!("/v1/invitations/{id}")).await
    }
}
