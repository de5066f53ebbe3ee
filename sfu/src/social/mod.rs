//! What connects people and channels: following, subscribing.

pub mod activity;
pub mod recommendation;
pub mod routes;
pub mod service;
pub mod store;
pub mod subscription;

use crate::{
    actor::{Actor, Visitor},
    http::problem::ProblemResponse,
    store::StoreError,
};
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
        who: Visitor<'a>,
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
    /// Somebody follows a channel; it is on disk. How many do now, if they didn't before. Heard again with each try, until one
    /// is answered well.
    fn followed<'a>(
        &'a self,
        channel: &'a ChannelName,
        id: &'a ChannelId,
        who: &'a AccountId,
        new: Option<u64>,
    ) -> BoxFuture<'a, Result<(), StoreError>>;
}
