//! Chat: a room beside each channel. Who may write and how often ([`room`]), what was written ([`text`], [`fragment`]) and is
//! kept ([`store`], by the one writer in [`task`]), and who is told ([`log`], [`feed`]).

pub mod ban;
pub mod cache;
pub mod command;
pub mod commands;
pub mod commit;
pub mod emote;
pub mod error;
pub mod feed;
pub mod filter;
pub mod fragment;
pub mod held;
pub mod http;
pub mod identity;
pub mod log;
pub mod mode;
pub mod moderation;
pub mod name;
pub mod poll;
pub mod raid;
pub mod record;
pub mod room;
pub mod routes;
pub mod service;
pub mod store;
pub mod task;
pub mod text;

use self::error::ChatError;
use crate::{
    actor::{Actor, Visitor},
    permission::Standings,
    store::StoreError,
};
use futures_util::future::BoxFuture;
use shared::{
    id::{AccountId, ActionId, BroadcastId, ChannelId, ChannelName, MessageId},
    moderation::ActionKind,
    subscription::Tier,
    text::{AccountName, DisplayName},
    unit::Timestamp,
};
use std::sync::Arc;

/// A channel, for one who may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Stable.
    pub channel: ChannelId,
    /// Its address.
    pub name: ChannelName,
    /// What people read.
    pub display_name: DisplayName,
    /// Whose it is; nobody's if the shell made it before set-up.
    pub owner: Option<AccountId>,
    /// What the one who asks is there, as far as the channel knows: its moderators are chat's own.
    pub is: Standings,
}

/// Somebody with an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Stable.
    pub id: AccountId,
    /// What they sign in with.
    pub account: AccountName,
    /// What others see.
    pub name: DisplayName,
}

/// What chat needs of channels.
pub trait Channels: Send + Sync + 'static {
    /// A channel, if the one who asks may know of it.
    fn place<'a>(
        &'a self,
        who: Visitor<'a>,
        channel: &'a ChannelName,
    ) -> BoxFuture<'a, Result<Place, ChatError>>;

    /// Every channel's names, as addresses and as people read them.
    fn names(&self) -> BoxFuture<'_, Result<Vec<String>, StoreError>>;
}

/// What chat needs of accounts.
pub trait Accounts: Send + Sync + 'static {
    /// Somebody by id.
    fn by_id<'a>(&'a self, id: &'a AccountId) -> BoxFuture<'a, Result<Option<Person>, StoreError>>;

    /// Somebody by what they sign in with.
    fn by_name<'a>(&'a self, name: &'a AccountName) -> BoxFuture<'a, Result<Option<Person>, StoreError>>;

    /// Everybody's names, those to sign in with and those that people read.
    fn names(&self) -> BoxFuture<'_, Result<Vec<String>, StoreError>>;
}

/// What ties somebody with an account to a channel, beside the roles that its owner gives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tie {
    /// Since when they follow it.
    pub follows_since: Option<Timestamp>,
    /// The tier that they subscribe in.
    pub tier: Option<Tier>,
}

/// What chat needs of a channel's community.
pub trait Community: Send + Sync + 'static {
    /// What ties somebody to a channel.
    fn tie<'a>(
        &'a self,
        channel: &'a ChannelId,
        account: &'a AccountId,
    ) -> BoxFuture<'a, Result<Tie, StoreError>>;

    /// Makes somebody a VIP, or takes that away, for one who may; whether it changed anything.
    fn set_vip<'a>(
        &'a self,
        who: &'a Actor,
        channel: &'a ChannelName,
        account: &'a AccountName,
        is_vip: bool,
    ) -> BoxFuture<'a, Result<bool, ChatError>>;
}

/// What chat needs of the rest of the server. None of it waits.
pub trait Surroundings: Send + Sync + 'static {
    /// What is live on a channel now.
    fn broadcast(&self, channel: &ChannelId) -> Option<BroadcastId>;

    /// How many watch a channel now.
    fn viewers(&self, channel: &ChannelId) -> u32;

    /// Somebody wrote; it is on disk.
    fn sent(&self, channel: &ChannelName, message: &MessageId);

    /// Somebody doesn't moderate a channel any more; it is on disk.
    fn moderator_left(&self, channel: &ChannelId, who: &AccountId);
    /// A message waits for moderators; it is on disk.
    fn held(&self, channel: &ChannelName, message: &MessageId);

    /// A moderator did something; it is on disk.
    fn moderated(&self, channel: &ChannelName, action: &ActionId, kind: ActionKind);
}

/// What chat needs of everybody else.
#[derive(Clone)]
pub struct Ports {
    /// Channels.
    pub channels: Arc<dyn Channels>,
    /// Accounts.
    pub accounts: Arc<dyn Accounts>,
    /// Who is what to a channel.
    pub community: Arc<dyn Community>,
    /// What is live, and who is told.
    pub surroundings: Arc<dyn Surroundings>,
}
