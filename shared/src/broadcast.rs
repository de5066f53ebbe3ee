//! A broadcast as the outside sees it: its state, who watches, which renditions there are.

use crate::{
    id::{BroadcastId, ChannelName},
    text::{Category, Title},
    unit::{Bitrate, Seconds, Size, Timestamp},
};
use serde::{Deserialize, Serialize};

/// Where a channel's current or last broadcast stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum BroadcastState {
    /// Nothing is live and nothing just ended.
    #[default]
    Offline,
    /// Media arrives.
    Live,
    /// The publisher's media stopped without an end; viewers stay.
    Waiting,
    /// It ended a moment ago.
    Ended,
}

/// A video or audio codec that passes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Codec {
    /// AV1.
    #[serde(rename = "AV1")]
    Av1,
    /// VP9.
    #[serde(rename = "VP9")]
    Vp9,
    /// VP8.
    #[serde(rename = "VP8")]
    Vp8,
    /// H.264.
    #[serde(rename = "H264")]
    H264,
    /// Opus.
    #[serde(rename = "Opus")]
    Opus,
}

impl Codec {
    /// The name as people and SDP write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Av1 => "AV1",
            Self::Vp9 => "VP9",
            Self::Vp8 => "VP8",
            Self::H264 => "H264",
            Self::Opus => "Opus",
        }
    }
}

/// One version that viewers can choose: measured, but for one that the server makes once somebody wants it, which is told as it
/// will be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Rendition {
    /// Stable within the broadcast, e.g. `source`, a simulcast `Rid`, or `360p` for a rung of the ladder.
    pub name: String,
    /// What it is coded in.
    pub codec: Codec,
    /// Its size, once a keyframe told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// Frames a second over the last seconds.
    pub frame_rate: f32,
    /// Bits a second over the last seconds.
    pub bitrate: Bitrate,
}

/// A channel's state: `GET /api/v1/channels/{name}/state` and the topic `channel:stream_state:v1`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChannelState {
    /// Whose it is.
    pub channel: ChannelName,
    /// Where the current or last broadcast stands.
    pub state: BroadcastState,
    /// The broadcast, while there is one or one just ended.
    pub stream_id: Option<BroadcastId>,
    /// Its title.
    pub title: Title,
    /// Its category.
    pub category: Category,
    /// How many watch this moment.
    pub viewer_count: u32,
    /// When the current broadcast started.
    pub start_time: Option<Timestamp>,
    /// Since when its publisher is missing, in [`BroadcastState::Waiting`].
    pub waiting_since: Option<Timestamp>,
    /// When the last broadcast ended.
    pub ended_at: Option<Timestamp>,
    /// How long the last broadcast was, in [`BroadcastState::Ended`] and [`BroadcastState::Offline`].
    pub duration: Option<Seconds>,
    /// What viewers can choose from; audio renditions included.
    pub renditions: Vec<Rendition>,
    /// The server's clock, so that a page counts time without trusting its own.
    pub server_time: Timestamp,
}
