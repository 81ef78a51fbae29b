//! What crosses the wire: ids, the error envelope, resources as they are posted and answered, and (feature `client`) the typed client.
//!
//! Nothing here knows HTTP serving, SQL or the execution path, and nothing here can serialise a secret's value
//! except the client's own request bodies.

pub mod approval;
pub mod audit;
#[cfg(feature = "client")]
pub mod client;
pub mod environment;
pub mod error;
pub mod execution;
pub mod ids;
pub mod import;
pub mod invitation;
pub mod job;
pub mod me;
pub mod member;
pub mod page;
pub mod pairing;
pub mod scan;
pub mod secret;
pub mod token;
pub mod workspace;

pub use error::{ErrorBody, ErrorCode, ErrorDetail, ErrorEnvelope};
pub use execution::{
    Attempt, AttemptError, AttemptStatus, Execution, RecordedRequest, RecordedResponse, Status,
    Trigger, UsedSecret,
};
pub use ids::{
    ApprovalId, AuditId, ExecutionId, Id, JobId, LinkId, PairingId, SecretId, SessionId, TokenId,
    UserId, WorkspaceId,
};
pub use member::Role;
pub use page::Page;
pub use workspace::WorkspaceSettings;
