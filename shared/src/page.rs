//! Lists that are too long for one answer.

use serde::{Deserialize, Serialize};

/// One page of a list. The next one is asked for with `?cursor=` and [`Self::next`], until there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// What is on it, in the list's order.
    pub items: Vec<T>,
    /// Where the next page begins; opaque. Absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What a list may be asked with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PageQuery {
    /// [`Page::next`] of the page before; the first page if absent.
    #[serde(default)]
    pub cursor: Option<String>,
    /// The most items, 1 to [`LIMIT_MOST`]; [`LIMIT`] if absent.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// Items on a page if nothing is said.
pub const LIMIT: u32 = 50;
/// The most items on a page.
pub const LIMIT_MOST: u32 = 200;

impl PageQuery {
    /// How many items to answer with.
    pub fn limit(&self) -> u32 {
        self.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MOST)
    }
}
