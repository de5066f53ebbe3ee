//! Chat: a room beside each channel. Who may write and how often ([`room`]), what was written ([`text`], [`fragment`]) and is
//! kept ([`store`], by the one writer in [`task`]), and who is told ([`log`], [`feed`]).

pub mod appeal;
pub mod badge;
pub mod ban;
pub mod cache;
pub mod command;
pub mod commands;
pub mod commit;
pub mod emote;
pub mod error;
pub mod everywhere;
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

use self::{error::ChatError, service::By};
use crate::{
    actor::{Actor, Visitor},
    page::Wanted,
    permission::Standings,
    store::StoreError,
};
use futures_util::future::BoxFuture;
use shared::{
    chat::{ChatMessage, ChatRoom, NameColour, NewMessage, Sent},
    id::{AccountId, ActionId, AppealId, BroadcastId, ChannelId, ChannelName, MessageId},
    moderation::ActionKind,
    subscription::Tier,
    text::{AccountName, DisplayName},
    unit::Timestamp,
};
use sqlx::AnyConnection;
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
    /// The colour of their name, if they chose one.
    pub colour: Option<NameColour>,
}

/// What rooms are read and written by.
pub trait StreamChatService: Send + Sync + 'static {
    /// A room, and what the one who asks may do there.
    fn read<'a>(&'a self, by: By<'a>, channel: &'a ChannelName)
    -> BoxFuture<'a, Result<ChatRoom, ChatError>>;

    /// What was written there, newest first.
    fn messages<'a>(
        &'a self,
        who: Visitor<'a>,
        channel: &'a ChannelName,
        wanted: &'a Wanted,
    ) -> BoxFuture<'a, Result<Vec<ChatMessage>, ChatError>>;

    /// Takes a message; comes back when it is on disk.
    fn send<'a>(
        &'a self,
        by: By<'a>,
        channel: &'a ChannelName,
        new: NewMessage,
    ) -> BoxFuture<'a, Result<Sent, ChatError>>;

    /// Takes a message away: the owner's, a moderator's or its author's right.
    fn delete<'a>(
        &'a self,
        by: By<'a>,
        channel: &'a ChannelName,
        message: &'a MessageId,
    ) -> BoxFuture<'a, Result<(), ChatError>>;
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

    /// Gives somebody's name a colour, or leaves it the one that it has by itself.
    fn set_colour<'a>(
        &'a self,
        who: &'a AccountId,
        colour: Option<NameColour>,
    ) -> BoxFuture<'a, Result<(), ChatError>>;
}

/// What ties somebody with an account to a channel, beside the roles that its owner gives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tie {
    /// Since when they follow it.
    pub follows_since: Option<Timestamp>,
    /// The tier that they subscribe in.
    pub tier: Option<Tier>,
}

/// Why somebody isn't made a VIP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VipRefused {
    /// No such account; or it is no VIP that could be taken from it.
    UnknownAccount,
    /// It is the channel's owner.
    IsOwner,
    /// It is an editor, which is more.
    IsEditor,
    /// The channel has as many editors and VIPs as it may.
    TooMany,
}

/// What chat needs of a channel's community.
pub trait Community: Send + Sync + 'static {
    /// What ties somebody to a channel.
    fn tie<'a>(
        &'a self,
        channel: &'a ChannelId,
        account: &'a AccountId,
    ) -> BoxFuture<'a, Result<Tie, StoreError>>;

    /// Makes somebody a VIP of a channel, or takes that away, for one who may, in the transaction in which chat writes down that it
    /// was done; whether it changed anything.
    fn set_vip<'a>(
        &'a self,
        connection: &'a mut AnyConnection,
        by: (&'a Actor, &'a ChannelId),
        account: &'a AccountName,
        is_vip: bool,
    ) -> BoxFuture<'a, Result<Result<bool, VipRefused>, StoreError>>;
}

/// What chat needs of the rest of the server. None of it waits.
pub trait Surroundings: Send + Sync + 'static {
    /// What is live on a channel now.
    fn broadcast(&self, channel: &ChannelId) -> Option<BroadcastId>;

    /// How many watch a channel now.
    fn viewers(&self, channel: &ChannelId) -> u32;

    /// Somebody wrote; it is on disk.
    fn sent(&self, channel: &ChannelName, message: &MessageId);

    /// Somebody was made a VIP of a channel, or isn't one any more; it is on disk.
    fn vip_changed(&self, channel: &ChannelName, is_vip: bool);

    /// Somebody doesn't moderate a channel any more; it is on disk.
    fn moderator_left(&self, channel: &ChannelId, who: &AccountId);

    /// A message waits for moderators; it is on disk.
    fn held(&self, channel: &ChannelName, message: &MessageId);

    /// Somebody appeals; it is on disk.
    fn appealed(&self, channel: &ChannelName, appeal: &AppealId);

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
