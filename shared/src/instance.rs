//! The server as a whole.

use serde::{Deserialize, Serialize};

/// `GET /api/v1/instance`: what a page needs to know before anything else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Instance {
    /// The instance's name, as its owner set it.
    pub name: String,
    /// The server's version.
    pub version: String,
    /// Nobody has used the set-up link yet.
    pub needs_set_up: bool,
}
