//! Subscriptions: what viewers are to a channel that they support.

use serde::{Deserialize, Serialize};

/// How much somebody supports a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum Tier {
    /// The first.
    One,
    /// The second.
    Two,
    /// The third.
    Three,
}
