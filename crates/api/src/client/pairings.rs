//! Pairing: how a command line without a token comes to one.

use padclock_vault::Value;

use super::{Answer, BaseUrl, Client, ClientError, disclose, json};
use crate::pairing::{PairingCreate, PairingMade};

impl Client {
    /// Asks for a token; somebody who is signed in has to confirm the code that is answered.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn create_pairing(&self, name: &str) -> Result<Answer<PairingMade>, ClientError> {
        let body = PairingCreate {
            name: name.to_owned(),
        };
        self.post("/v1/pairings", json(&body)?).await
    }

    /// The token of a pairing; none as long as nobody has confirmed its code.
    ///
    /// # Errors
    /// [`ClientError::Refused`] when the code has ended; as each call: [`ClientError`].
    pub async fn fetch_token(base: BaseUrl, key: &Value) -> Result<Option<Value>, ClientError> {
        let asking = Self::new(base, key)?;
        let path = "/v1/pairings/token";
        let reply = asking.send(http::Method::POST, path, None, None).await?;
        if reply.status == http::StatusCode::ACCEPTED.as_u16() {
            return Ok(None);
        }
        disclose::token(&reply.body).map(Some)
    }
}
