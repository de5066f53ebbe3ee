//! What connects people and channels: following.

pub mod routes;
pub mod service;
pub mod store;

use crate::{actor::Actor, http::problem::ProblemResponse, store::StoreError};
use futures_util::future::BoxFuture;
use shared::{
    channel::ChannelCard,
    id::{AccountId, ChannelId, ChannelName},
};

/// What following needs of channels.
pub trait Channels: Send + Sync + 'static {
    /// A channel that somebody may see, and whether it is their own.
    fn seen<'a>(
        &'a self,
        who: Option<&'a Actor>,
        channel: &'a ChannelName,
    ) -> BoxFuture<'a, Result<(ChannelId, bool), ProblemResponse>>;

    /// A channel, for one who may see who follows it.
    fn known<'a>(
        &'a self,
        who: &'a Actor,
        channel: &'a ChannelName,
    ) -> BoxFuture<'a, Result<ChannelId, ProblemResponse>>;

    /// Those of these channels that somebody may see, in the same order, with what they do.
    fn cards<'a>(
        &'a self,
        who: &'a Actor,
        channels: Vec<ChannelId>,
    ) -> BoxFuture<'a, Result<Vec<ChannelCard>, StoreError>>;
}

/// Hears who follows.
pub trait Heard: Send + Sync + 'static {
    /// Somebody follows a channel who didn't; it is on disk.
    fn followed(&self, channel: &ChannelName, id: &ChannelId, who: &AccountId, followers: u64);
}
