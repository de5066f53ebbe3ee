//! Raids: a channel sends those who watch it on to another.

use crate::{id::ChannelName, text::DisplayName, unit::Timestamp};
use serde::{Deserialize, Serialize};

/// Seconds from the word that a raid leaves to its leaving: enough to read it, and to stay.
pub const RAID_SECONDS: u32 = 15;

/// `POST /api/v1/channels/{name}/chat/raid` by the owner or an editor: sends those who watch on to another channel, in
/// [`RAID_SECONDS`]. Answered 201 with [`Raid`]. `DELETE` calls it off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewRaid {
    /// Where to. It has to be live, as has the channel that sends.
    pub to: ChannelName,
}

/// A raid that is about to leave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Raid {
    /// Where to.
    pub to: ChannelName,
    /// What that channel is called.
    pub name: DisplayName,
    /// When it leaves.
    pub leaves_at: Timestamp,
}
