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
mod keys;
mod limits;
mod listen;
mod metrics;
mod openapi;
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
mod uses;

pub use audit::{AuditCopy, Auditor, CheckedHeads, check_heads};
pub use bootstrap::StartError;
pub use openapi::document as openapi_document;
pub use root_key::RootKeySource;
pub use running::Running;
pub use set_up::SetUpLink;
pub use settings::Settings;

/// Starts a node: opens the store, proves the root key, makes what a first start needs, listens, and takes executions.
/// It is ready when this returns.
///
/// # Errors
/// [`StartError`] says what is in the way and what would help.
pub async fn start(settings: Settings) -> Result<Running, StartError> {
    running::start(settings).await
}
