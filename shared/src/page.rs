//! Lists that are too long for one answer.

use serde::{Deserialize, Serialize};

/// One page of a list. The next one is asked for with `?cursor=` and `next`, until there is none.
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
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PageQuery {
    /// `next` of the page before; the first page if absent.
    #[serde(default)]
    pub cursor: Option<String>,
    /// The most items, 1 to 200; 50 if absent.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", param(minimum = 1, maximum = 200))]
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
