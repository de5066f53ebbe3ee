//! Channels: a streamer's lasting address and what it says of itself.

use crate::{
    broadcast::{BroadcastState, ChannelState},
    embed::Embedding,
    id::{AccountId, ChannelId, ChannelName},
    markdown::Block,
    text::{AboutText, AccountName, Category, Description, DisplayName, Password, Tag, Title},
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
    /// Only whom the owner lets in: by a role, by name, by a password, a link or a subscription.
    Private,
}

/// What a channel's owner makes of somebody, beside a moderator of its chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum ChannelRole {
    /// Changes what the channel says of itself, sees who watched, ends broadcasts.
    Editor,
    /// Somebody whom the owner wants there, also while the channel is private.
    Vip,
}

/// Somebody with a role on a channel: `GET /api/v1/channels/{name}/roles`, a page by what they sign in with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RoleHolder {
    /// Their stable id.
    pub id: AccountId,
    /// What they sign in with.
    pub account: AccountName,
    /// What others see.
    pub name: DisplayName,
    /// What they are.
    pub role: ChannelRole,
}

/// `PUT /api/v1/channels/{name}/roles/{account}`: makes somebody that; one who was something else isn't any more.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetRole {
    /// What they are from now on.
    pub role: ChannelRole,
}

/// The most people with a role on one channel.
pub const ROLES_MOST: usize = 200;

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
    /// The address of its picture on this server: its own, or its owner's if it has none.
    #[serde(default)]
    pub avatar: Option<String>,
    /// Whether that is its own.
    #[serde(default)]
    pub own_avatar: bool,
    /// The address of the wide picture on its page, if it has one: four times as wide as it is high.
    #[serde(default)]
    pub banner: Option<String>,
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
    /// Whether those who run the instance keep it from publishing and from being watched.
    #[serde(default)]
    pub suspended: bool,
}

/// `POST /api/v1/channels/{name}/delete` by its owner, or by those who run the instance: deletes a channel with all that is its
/// own. There is no way back. Answered 204.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteChannel {
    /// The channel's name, so that it is this one that is meant.
    pub confirm: String,
    /// One's password, where one signed in more than ten minutes ago.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
}

/// A channel, as those who run the instance see it: `GET /api/v1/instance/channels`, a page by address; private ones, too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct InstanceChannel {
    /// The channel.
    pub channel: Channel,
    /// Whose it is: what they sign in with. Null for one that the shell made before set-up.
    pub owner: Option<AccountName>,
    /// What they are called.
    pub owner_name: Option<DisplayName>,
    /// Live or not, how many watch.
    pub state: BroadcastState,
    /// How many watch.
    pub viewer_count: u32,
    /// How many follow it.
    pub followers: u64,
    /// Since when it is suspended.
    pub suspended_at: Option<Timestamp>,
}

/// What the list of all channels may be asked with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InstanceChannelQuery {
    /// `next` of the page before; the first page if absent.
    #[serde(default)]
    pub cursor: Option<String>,
    /// The most items, 1 to 200; 50 if absent.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", param(minimum = 1, maximum = 200))]
    pub limit: Option<u32>,
    /// Only those whose names, or whose owner's, hold this.
    #[serde(default)]
    pub search: Option<String>,
}

/// `PATCH /api/v1/instance/channels/{name}` by those who run the instance. Answered with [`InstanceChannel`].
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EditInstanceChannel {
    /// Whether the channel is kept from publishing and from being watched. What it broadcasts ends with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<bool>,
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
    /// What it tells of itself at length, in Markdown: see [`About`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<AboutText>,
}

/// `GET /api/v1/channels/{name}/about`: what a channel tells of itself at length.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct About {
    /// As it was written, in Markdown.
    pub text: AboutText,
    /// What that becomes.
    pub blocks: Vec<Block>,
}

/// `POST /api/v1/channels/{name}/about/preview`: what a text would become. Nothing of it is kept. Answered with [`About`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PreviewAbout {
    /// The text, in Markdown.
    pub about: AboutText,
}

/// `PUT /api/v1/channels/{name}/avatar` and `…/banner`: another picture. Answered with [`Channel`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetPicture {
    /// A PNG, JPEG, WebP or GIF of up to 4 MiB, in base64.
    pub image: String,
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

/// What the list of channels may be asked with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChannelQuery {
    /// `next` of the page before; the first page if absent.
    #[serde(default)]
    pub cursor: Option<String>,
    /// The most items, 1 to 200; 50 if absent.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", param(minimum = 1, maximum = 200))]
    pub limit: Option<u32>,
    /// Only those whose names, title, category or tags hold each of these words.
    #[serde(default)]
    pub search: Option<String>,
    /// Only those of this category.
    #[serde(default)]
    pub category: Option<Category>,
    /// Only those with this tag.
    #[serde(default)]
    pub tag: Option<Tag>,
}

/// What public channels broadcast: `GET /api/v1/categories`, most watched first, then the most channels; at most 200.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CategoryCard {
    /// Its name.
    pub category: Category,
    /// How many public channels there are of it.
    pub channels: u64,
    /// How many of them are live.
    pub live: u64,
    /// How many watch them.
    pub viewers: u64,
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
