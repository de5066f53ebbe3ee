//! Who watched a broadcast, and how well it played. Counts are exact; a viewer's address is never kept.

use crate::{
    broadcast::Codec,
    id::{BroadcastId, ChannelName},
    text::{Category, Title},
    unit::{Seconds, Size, Timestamp},
};
use serde::{Deserialize, Serialize};

/// The type of device a viewer watches on, as its user agent says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum Device {
    /// A computer.
    Desktop,
    /// A phone.
    Phone,
    /// A tablet.
    Tablet,
    /// A television or a box beside one.
    Tv,
    /// Not told.
    #[default]
    Unknown,
}

/// One part of a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Share {
    /// What: `phone`, `Firefox`, `DE`, a site. `unknown` where it was not told, `other` for what is too small to be shown alone.
    pub name: String,
    /// Views.
    pub views: u64,
}

/// A broadcast's figures in short: a line of `GET /api/v1/channels/{name}/broadcasts` (a page, newest first; for the owner).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct BroadcastSummary {
    /// Which broadcast.
    pub stream_id: BroadcastId,
    /// Whose.
    pub channel: ChannelName,
    /// Its title when it started.
    pub title: Title,
    /// Its category when it started.
    pub category: Category,
    /// When it started.
    pub start_time: Timestamp,
    /// When it ended; null while it is on.
    pub end_time: Option<Timestamp>,
    /// How long it lasted, or has lasted.
    pub duration: Seconds,
    /// The most that watched at one time.
    pub peak_viewers: u32,
    /// Started watches.
    pub total_views: u64,
    /// Seconds a view lasted, on average.
    pub average_watch_time: f64,
    /// Seconds of all views together.
    pub total_watch_time: f64,
    /// Chat messages.
    pub chat_messages: u64,
}

/// A distribution of what players measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Spread {
    /// Half are below.
    pub p50: f64,
    /// Nineteen of twenty are below.
    pub p95: f64,
    /// How many players said something.
    pub samples: u64,
}

/// How well it played, as players measured it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Quality {
    /// Views whose player reported.
    pub reports: u64,
    /// Milliseconds from wanting to watch to the first picture; null if nobody said.
    pub join_time: Option<Spread>,
    /// Milliseconds of glass-to-glass latency; null if nobody said.
    pub latency: Option<Spread>,
    /// Times that pictures stopped.
    pub freezes: u64,
    /// Seconds that they stopped for.
    pub frozen_time: f64,
    /// The part of the time that was frozen, 0 to 1, of the time that views were watched whose players reported.
    pub frozen_share: f64,
    /// Views that ended within 10 s of a freeze.
    pub exits_after_freeze: u64,
    /// Views by the codec they were last played in, of those that told it.
    pub codecs: Vec<Share>,
    /// Views by the picture's height, e.g. `720p`.
    pub sizes: Vec<Share>,
}

/// A broadcast in steps of time. All lists have the same length.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Timeline {
    /// Seconds from the broadcast's start to the first step.
    pub from: Seconds,
    /// Seconds a step: 5; a multiple of it for a broadcast that is longer than a day.
    pub step: Seconds,
    /// The most concurrent viewers within the step.
    pub viewers: Vec<u32>,
    /// Chat messages within the step.
    pub chat_messages: Vec<u32>,
    /// Freezes that players reported within the step.
    pub freezes: Vec<u32>,
    /// Their median latency in milliseconds; null if nobody said.
    pub latency: Vec<Option<u32>>,
}

/// What to mark on the line of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Marker {
    /// When.
    pub at: Timestamp,
    /// What happened.
    pub kind: MarkerKind,
    /// In words: the new title, for one.
    pub text: String,
}

/// What a [`Marker`] marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum MarkerKind {
    /// The broadcast started.
    Started,
    /// The publisher's media stopped.
    Interrupted,
    /// It came back.
    Resumed,
    /// The title changed.
    Title,
    /// The broadcast ended.
    Ended,
}

/// `GET /api/v1/broadcasts/{streamId}/analytics` (also `….csv` and `….json` to keep), for the channel's owner; and the topic
/// `channel:stream_analytics:v1`, every 5 s, of the broadcast that is on or was last, whose timeline holds just the
/// last minute and whose retention is empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct BroadcastAnalytics {
    /// The figures in short.
    #[serde(flatten)]
    pub summary: BroadcastSummary,
    /// How many watch this moment.
    pub concurrent_viewers: u32,
    /// When the most watched.
    pub peak_at: Option<Timestamp>,
    /// Chat messages a minute of the broadcast.
    pub chat_rate: f64,
    /// How many people wrote.
    pub chatters: u64,
    /// Views by type of device, most first; as all breakdowns.
    pub devices: Vec<Share>,
    /// By browser.
    pub browsers: Vec<Share>,
    /// By country (ISO 3166-1 alpha-2), where the server has a GeoIP database. Countries of fewer than
    /// 5 views are together `other`, or `unknown` where those are fewer than 5 too.
    pub regions: Vec<Share>,
    /// By the site that linked here, of the views that told one.
    pub referrers: Vec<Share>,
    /// By the page that embedded the player, of the views that are embedded; `unknown` where the browser doesn't tell.
    pub embeds: Vec<Share>,
    /// How well it played.
    pub quality: Quality,
    /// In steps of 5 s.
    pub timeline: Timeline,
    /// The part of all views that lasted into minute 0, 1, 2 … after they began, 0 to 1.
    pub retention: Vec<f64>,
    /// What to mark.
    pub markers: Vec<Marker>,
    /// The broadcast before, to compare with.
    pub previous: Option<BroadcastSummary>,
}

/// `GET /api/v1/instance/analytics`, for the instance's owner: sums over all channels since the instance began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct InstanceAnalytics {
    /// Broadcasts, those that are on included.
    pub broadcasts: u64,
    /// How many watch this moment.
    pub concurrent_viewers: u32,
    /// Started watches.
    pub total_views: u64,
    /// Seconds a view lasted, on average.
    pub average_watch_time: f64,
    /// Seconds of all views together.
    pub total_watch_time: f64,
}

/// The fewest views that a region is shown for. Those of fewer are together `other`; if they are fewer even together, they are
/// among the `unknown`. It counts views and not people: a view that is resumed counts once, a page that is loaded again begins
/// another.
pub const GROUP_LEAST: u64 = 5;

/// `POST /api/v1/views/{view}/report`: what a player measured since its view began. Answered 204. The server knows the view
/// by its id alone, which WHEP's answer told its player in `Weir-View`; whatever a report says changes that view's line and
/// nothing else. Totals, so that a lost report loses nothing; a report whose `sequence` is not higher than the last is
/// ignored.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ViewReport {
    /// Higher with each report of a view.
    pub sequence: u32,
    /// Milliseconds from wanting to watch to the first picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join_time: Option<u32>,
    /// Times that the picture stopped.
    #[serde(default)]
    pub freezes: u32,
    /// Milliseconds that it stopped for.
    #[serde(default)]
    pub frozen_time: u32,
    /// Milliseconds since the last freeze ended; absent if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_freeze: Option<u32>,
    /// Milliseconds glass to glass over the last seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<u32>,
    /// What is played.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codec: Option<Codec>,
    /// The picture's size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// The page around the player is another site's: which, as far as the browser tells. `unknown` if it doesn't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedded_by: Option<String>,
    /// The site that linked to the page, as far as the browser tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referrer: Option<String>,
}

/// The WHEP answer's header that names the view, and WHEP's query parameter (`?view=`) by which a player that comes back goes
/// on with it.
pub const VIEW_HEADER: &str = "weir-view";
