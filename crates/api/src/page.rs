//! Lists: a page of items and the cursor of the next.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most items that one page holds.
pub const MAX_LIMIT: u32 = 100;
/// The items of a page when the caller names no number.
pub const DEFAULT_LIMIT: u32 = 50;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Pass as `cursor` to get the next page; null on the last.
    pub next_cursor: Option<String>,
}
