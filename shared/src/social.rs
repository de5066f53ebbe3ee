//! Following: whom people want to hear of.

use crate::{
    channel::ChannelCard,
    id::AccountId,
    text::{AccountName, DisplayName},
    unit::Timestamp,
};
use serde::{Deserialize, Serialize};

/// `GET /api/v1/channels/{name}/follow`: how many follow a channel, and whether whoever asks does. `PUT` there follows it and
/// `DELETE` doesn't any more; both are answered with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Following {
    /// How many follow the channel.
    pub followers: u64,
    /// Since when whoever asks does; null if they don't.
    pub since: Option<Timestamp>,
}

/// Somebody who follows a channel: `GET /api/v1/channels/{name}/followers`, a page, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Follower {
    /// Their stable id.
    pub id: AccountId,
    /// What they sign in with.
    pub account: AccountName,
    /// What others see.
    pub name: DisplayName,
    /// The address of their picture on this server, if they have one.
    pub avatar: Option<String>,
    /// Since when.
    pub since: Timestamp,
}

/// A channel that people follow who follow one of one's own, too: `GET /api/v1/me/recommendations`, all of them on one page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Recommendation {
    /// It, and what it does.
    pub card: ChannelCard,
    /// What the channel that leads there is called, which one follows.
    pub because: DisplayName,
}
