//! The compact live API, `/api/v1/live/…`: for programs that start a broadcast and look after it.

use crate::{
    channel::Visibility,
    id::{BroadcastId, ChannelName},
    text::{Description, Title},
    unit::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How large the broadcast is meant to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LiveQuality))]
pub enum Quality {
    /// 1280 × 720.
    #[default]
    #[serde(rename = "720p")]
    P720,
    /// 1920 × 1080.
    #[serde(rename = "1080p")]
    P1080,
    /// 3840 × 2160.
    #[serde(rename = "4K")]
    K4,
}

/// `POST /api/v1/live/start`: makes the caller's channel ready for a broadcast. Answered 201 with [`LiveStarted`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StartLive {
    /// The broadcast's title.
    pub title: Title,
    /// What it is about.
    #[serde(default)]
    pub description: Description,
    /// Who may find and watch it.
    #[serde(default)]
    pub visibility: Visibility,
    /// How large it is meant to be.
    #[serde(default)]
    pub quality: Quality,
    /// On which channel; the caller's oldest if absent.
    #[serde(default)]
    pub channel: Option<ChannelName>,
}

/// Where to publish, and where to watch.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LiveStarted {
    /// The broadcast that begins when media arrives with [`Self::stream_key`].
    pub stream_id: BroadcastId,
    /// Where to publish by RTMP; null on a server that doesn't take it.
    pub rtmp_url: Option<String>,
    /// The Bearer to publish with. Shown this once.
    pub stream_key: String,
    /// Where to publish by WHIP.
    pub whip_url: String,
    /// The page that plays it.
    pub playback_url: String,
}

/// Where a broadcast stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum LiveStatusKind {
    /// Media arrives, or its publisher is waited for.
    Live,
    /// It has ended.
    Offline,
    /// It is ready, and nothing has arrived yet.
    Processing,
}

/// `GET /api/v1/live/status/{streamId}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LiveStatus {
    /// Which broadcast.
    pub stream_id: BroadcastId,
    /// Where it stands.
    pub status: LiveStatusKind,
    /// How many watch this moment.
    pub viewer_count: u32,
    /// When it started; null before.
    pub start_time: Option<Timestamp>,
    /// Seconds since it started, or that it lasted.
    pub duration: f64,
    /// The picture's height as it arrives, e.g. `720p`; before that, what was asked for.
    pub quality: String,
}

/// `GET /api/v1/live/analytics/{streamId}`, for the channel's owner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LiveAnalytics {
    /// Which broadcast.
    pub stream_id: BroadcastId,
    /// The most that watched at one time.
    pub peak_viewers: u32,
    /// Started watches.
    pub total_views: u64,
    /// Seconds a view lasted, on average.
    pub average_watch_time: f64,
    /// Regions by views, most first; those of few viewers are left out.
    pub top_regions: Vec<String>,
    /// Views by type of device.
    pub device_types: BTreeMap<String, u64>,
}
