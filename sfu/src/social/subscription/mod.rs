//! Subscriptions: tiers that people have on channels for a while, what they are settled by ([`billing`]), and the provider that is
//! built in: what owners give, and gift codes ([`gift`]). [`tenure`] counts for how long people have subscribed in all.

pub mod billing;
pub mod code;
pub mod gift;
pub mod routes;
pub mod rules;
pub mod service;
pub mod store;
pub mod task;
pub mod tenure;

use crate::{
    actor::{Actor, Visitor},
    http::problem::ProblemResponse,
    store::StoreError,
};
use futures_util::future::BoxFuture;
use shared::{
    id::{AccountId, ChannelId, ChannelName},
    subscription::Tier,
};

/// What subscriptions need of channels.
pub trait Channels: Send + Sync + 'static {
    /// A channel that somebody may see.
    fn seen<'a>(
        &'a self,
        who: Visitor<'a>,
        channel: &'a ChannelName,
    ) -> BoxFuture<'a, Result<ChannelId, ProblemResponse>>;

    /// A channel, for one who may give subscriptions there.
    fn granted<'a>(
        &'a self,
        who: &'a Actor,
        channel: &'a ChannelName,
    ) -> BoxFuture<'a, Result<ChannelId, ProblemResponse>>;

    /// A channel's name.
    fn name<'a>(&'a self, channel: &'a ChannelId) -> BoxFuture<'a, Result<Option<ChannelName>, StoreError>>;

    /// Somebody's subscription was ended: what it alone let them into, they are out of.
    fn ended<'a>(
        &'a self,
        channel: &'a ChannelId,
        who: &'a AccountId,
    ) -> BoxFuture<'a, Result<(), StoreError>>;
}

/// Hears who subscribes.
pub trait Heard: Send + Sync + 'static {
    /// Somebody subscribes who didn't, or in a higher tier than before; it is on disk.
    fn subscribed(
        &self,
        channel: &ChannelName,
        id: &ChannelId,
        who: &AccountId,
        tier: Tier,
        subscribers: u64,
    );

    /// The owner gave somebody a tier for so many days, by a receipt that is this gift's alone; it is on disk.
    fn given<'a>(
        &'a self,
        channel: &'a ChannelId,
        who: &'a AccountId,
        gift: (&'a str, Tier, u32),
    ) -> BoxFuture<'a, ()>;

    /// The owner ended what somebody had; it is on disk.
    fn ended<'a>(&'a self, channel: &'a ChannelId, who: &'a AccountId) -> BoxFuture<'a, ()>;
}
