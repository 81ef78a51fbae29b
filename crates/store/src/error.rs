//! What can go wrong in the store, said for its callers. No message holds a parameter of a statement.

/// Why a call to the store failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A unique name or key is taken; says which.
    #[error("{0} already exists")]
    Conflict(&'static str),
    /// No such row in the caller's workspace.
    #[error("not found")]
    NotFound,
    /// The row has changed since the caller read it.
    #[error("it has changed since it was read")]
    Changed,
    /// The secret has ended and waits to be wiped.
    #[error("it has ended")]
    Ended,
    /// The workspace asks for an egress policy, and the secret would have none.
    #[error("the workspace requires an egress policy")]
    PolicyRequired,
    /// Someone decided on it before, or its time is over.
    #[error("it is no longer open")]
    Closed,
    /// The database can't do it now: out of space, out of reach, locked.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// The schema is not one that this binary knows.
    #[error("{0}")]
    Schema(String),
    /// A stored row is not what was written.
    #[error("stored data is damaged: {0}")]
    Damaged(String),
    /// The audit key was not given, so nothing that must be audited can be done.
    #[error("the audit chain is locked")]
    AuditLocked,
    /// A statement failed for a reason that no caller can mend.
    #[error("the database refused a statement: {0}")]
    Statement(String),
}

/// The store's result.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;
