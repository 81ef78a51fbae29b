//! `/v1/scan` as it is answered: where credentials stand in plain text, and where stored values stand in what is kept. Never what.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::JobId;

/// A credential in plain text in a job's definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScanFinding {
    /// The job.
    pub job_id: JobId,
    /// Its name.
    pub job_name: String,
    /// The path of the field, such as `request.headers.Authorization`.
    pub field: String,
    /// The rule's stable id, such as `stripe-key`.
    pub rule: String,
    /// What kind of credential it is.
    pub title: String,
    /// Its line in the field, from 1.
    pub line: usize,
    /// Its first character in the line, from 1.
    pub column: usize,
    /// A name for the secret that takes its place.
    pub suggested_name: String,
}

/// A place where a stored value stands in plain text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HistoryPlace {
    /// What holds it: `job`, `open_execution`, `execution`, `audit`, `idempotency_key`, `secret`, `token`, `approval`.
    pub kind: String,
    /// Which one: an id, or a number in the audit.
    pub id: String,
    /// The path of the field, such as `attempts[0].response.body`.
    pub field: String,
    /// The name of the secret whose value it is.
    pub secret: String,
}

/// What a search for stored values has found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HistoryScan {
    /// How many values were looked for: every version that is kept.
    pub values: u64,
    /// Secrets that could not be looked for: their value can't be opened, or is too short to be told from other text.
    pub left_out: Vec<String>,
    /// How many of each kind were searched.
    pub searched: BTreeMap<String, u64>,
    /// How many places hold a value.
    pub found: u64,
    /// The first thousand of these places.
    pub places: Vec<HistoryPlace>,
}
