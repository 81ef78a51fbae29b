//! Calls about credentials in plain text.

use super::{Answer, Client, ClientError};
use crate::scan::{HistoryScan, ScanFinding};

impl Client {
    /// The credentials in plain text in the workspace's definitions.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn scan(&self) -> Result<Vec<Answer<ScanFinding>>, ClientError> {
        self.list("/v1/scan", &[], None).await
    }

    /// Looks for stored values in everything that the server keeps of the workspace.
    ///
    /// # Errors
    /// As each call: [`ClientError`].
    pub async fn scan_history(&self) -> Result<Answer<HistoryScan>, ClientError> {
        self.post("/v1/scan/history", None).await
    }
}
