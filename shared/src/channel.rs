//! Channels: a streamer's lasting address and what it says of itself.

use crate::{
    broadcast::ChannelState,
    embed::Embedding,
    id::{ChannelId, ChannelName},
    text::{Category, Description, DisplayName, Tag, Title},
    unit::Timestamp,
};
use serde::{Deserialize, Serialize};

/// Who may find and watch a channel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Visibility {
    /// Listed in the directory, open to all.
    #[default]
    Public,
    /// Open to whoever has the address.
    Unlisted,
    /// The owner alone.
    Private,
}

/// The most tags a channel has.
pub const TAGS_MOST: usize = 10;

/// `GET /api/v1/channels/{name}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Channel {
    /// Its stable id.
    pub id: ChannelId,
    /// Its address.
    pub name: ChannelName,
    /// Its name as people read it.
    pub display_name: DisplayName,
    /// The title that the current or next broadcast has.
    pub title: Title,
    /// What the channel is about.
    pub description: Description,
    /// What it broadcasts.
    pub category: Category,
    /// Up to 10.
    pub tags: Vec<Tag>,
    /// Who may find and watch it.
    pub visibility: Visibility,
    /// Which pages may show its player and chat.
    #[serde(default)]
    pub embedding: Embedding,
    /// When it was made.
    pub created_at: Timestamp,
}

/// `POST /api/v1/channels`: makes a channel for the signed-in account. Answered 201 with [`NewChannel`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateChannel {
    /// Its address.
    pub name: ChannelName,
    /// Its name as people read it; the address if absent.
    #[serde(default)]
    pub display_name: Option<DisplayName>,
}

/// A channel that was just made, with its key, which is shown this once.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NewChannel {
    /// The channel.
    pub channel: Channel,
    /// The publisher's secret.
    pub stream_key: String,
    /// Where a publisher posts its offer.
    pub whip_url: String,
}

/// `PATCH /api/v1/channels/{name}` by its owner: what is absent stays. Answered with [`Channel`].
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EditChannel {
    /// See [`Channel::display_name`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<DisplayName>,
    /// See [`Channel::title`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Title>,
    /// See [`Channel::description`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// See [`Channel::category`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// See [`Channel::tags`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Tag>>,
    /// See [`Channel::visibility`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
    /// See [`Channel::embedding`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedding: Option<Embedding>,
}

/// One card of the directory: a channel and what it is doing. `GET /api/v1/channels` lists all public ones in a page: live
/// ones first, most watched first, then the most recently live.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChannelCard {
    /// The channel.
    pub channel: Channel,
    /// Live or not, how many watch.
    pub state: ChannelState,
}

/// The topic `instance:stream_directory:v1`: public channels, live ones first, most watched first,
/// then the most recently live; at most 200.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Directory {
    /// The cards in order.
    pub channels: Vec<ChannelCard>,
}

/// `POST /api/v1/channels/{name}/stream-key`: a new key, shown this once; the old one stops working and ends its session.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NewStreamKey {
    /// The publisher's secret.
    pub stream_key: String,
    /// Where a publisher posts its offer.
    pub whip_url: String,
}
