//! The server: settings, start, the native API, and the worker that performs what is due.
//!
//! No SQL stands here and nothing here connects to a job's target: the store and the worker do that.

mod audit;
mod auth;
mod bootstrap;
mod disclose;
mod doors;
mod failure;
mod handlers;
mod housekeeping;
mod input;
mod keyrings;
mod keys;
mod limits;
mod listen;
mod metrics;
mod openapi;
mod operator;
mod pages;
mod password;
mod plaintext;
mod propose;
mod random;
mod root_key;
mod routes;
mod running;
mod set_up;
mod settings;
mod source;
mod state;
mod tls;
mod token_uses;
mod uses;

pub use audit::{AuditCopy, Auditor, CheckedHeads, check_heads};
pub use bootstrap::StartError;
pub use keyrings::KeysError;
pub use keyrings::rewrap::Progress;
pub use openapi::document as openapi_document;
pub use operator::{OperatorError, OperatorKeys, Terms, set_up_link};
pub use root_key::RootKeySource;
pub use routes::{Route, routes};
pub use running::Running;
pub use set_up::SetUpLink;
pub use settings::Settings;
pub use tls::TlsFiles;

/// Starts a node: opens the store, proves the root key, makes what a first start needs, listens, and takes executions.
/// It is ready when this returns.
///
/// # Errors
/// [`StartError`] says what is in the way and what would help.
pub async fn start(settings: Settings) -> Result<Running, StartError> {
    running::start(settings).await
}
