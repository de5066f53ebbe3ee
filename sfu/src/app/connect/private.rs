//! What the ways into private channels and subscriptions need of everybody else, and who hears of them.

use super::Teller;
use crate::{
    account::argon2::{HashError, Hasher},
    actor::{Actor, Visitor},
    channel::{
        door::{self, HashFailed},
        service::Channels,
    },
    chat::{service::Chat, store::ChatStore},
    event::StreamEventService,
    fresh,
    http::problem::ProblemResponse,
    permission::Permission,
    social::subscription::{self, store::SubscriptionStore},
    store::{Store, StoreError},
};
use futures_util::{FutureExt, future::BoxFuture};
use shared::{
    event::Occurrence,
    id::{AccountId, ChannelId, ChannelName},
    subscription::Tier,
    text::Password,
};
use std::sync::Arc;

/// Hashes channels' passwords. Beside that of accounts, so that a crowd at one channel's door keeps nobody from signing in.
pub(super) struct DoorPasswords(Hasher);

impl DoorPasswords {
    pub(super) fn new() -> Self {
        Self(Hasher::new(fresh::bytes()))
    }
}

fn failed(error: HashError) -> HashFailed {
    match error {
        HashError::Busy => HashFailed::Busy,
        HashError::Failed(why) => HashFailed::Broken(why),
    }
}

impl door::Passwords for DoorPasswords {
    fn hash(&self, password: Password) -> BoxFuture<'_, Result<String, HashFailed>> {
        async move { self.0.hash(password, fresh::bytes()).await.map_err(failed) }.boxed()
    }

    fn verify(&self, password: Password, hash: Option<String>) -> BoxFuture<'_, Result<bool, HashFailed>> {
        async move { self.0.verify(password, hash).await.map_err(failed) }.boxed()
    }
}

/// Who moderates chats and who subscribes.
pub(super) struct RegularsOf {
    chat: ChatStore,
    subscriptions: SubscriptionStore,
}

impl RegularsOf {
    pub(super) fn new(store: &Store) -> Self {
        Self { chat: ChatStore::new(store.clone()), subscriptions: SubscriptionStore::new(store.clone()) }
    }
}

impl door::Regulars for RegularsOf {
    fn moderates<'a>(
        &'a self,
        channel: &'a ChannelId,
        who: &'a AccountId,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.chat.moderates(channel, who).boxed()
    }

    fn tier<'a>(
        &'a self,
        channel: &'a ChannelId,
        who: &'a AccountId,
    ) -> BoxFuture<'a, Result<Option<Tier>, StoreError>> {
        async move { self.subscriptions.tier(channel, who, fresh::now()).await }.boxed()
    }

    fn moderated_by<'a>(&'a self, who: &'a AccountId) -> BoxFuture<'a, Result<Vec<ChannelId>, StoreError>> {
        self.chat.moderated_by(who).boxed()
    }

    fn between<'a>(
        &'a self,
        channel: &'a ChannelId,
        ids: (&'a AccountId, &'a AccountId),
        least: Option<Tier>,
    ) -> BoxFuture<'a, Result<door::Between, StoreError>> {
        async move {
            let moderators = self.chat.moderators_between(channel, ids).await?;
            let subscribers = match least {
                Some(least) => self.subscriptions.between(channel, ids, least, fresh::now()).await?,
                None => Vec::new(),
            };
            Ok(door::Between {
                moderators: moderators.into_iter().collect(),
                subscribers: subscribers.into_iter().collect(),
            })
        }
        .boxed()
    }
}

/// Channels, as subscriptions see them.
pub(in crate::app) struct Subscribable {
    pub(in crate::app) channels: Channels,
    pub(in crate::app) chat: Chat,
}

impl subscription::Channels for Subscribable {
    fn seen<'a>(
        &'a self,
        who: Visitor<'a>,
        channel: &'a ChannelName,
    ) -> BoxFuture<'a, Result<ChannelId, ProblemResponse>> {
        async move { Ok(self.channels.seen(who, channel).await?.channel.id.clone()) }.boxed()
    }

    fn granted<'a>(
        &'a self,
        who: &'a Actor,
        channel: &'a ChannelName,
    ) -> BoxFuture<'a, Result<ChannelId, ProblemResponse>> {
        async move {
            let record = self.channels.allowed(who, channel, Permission::GrantTiers).await?;
            Ok(record.channel.id.clone())
        }
        .boxed()
    }

    fn name<'a>(&'a self, channel: &'a ChannelId) -> BoxFuture<'a, Result<Option<ChannelName>, StoreError>> {
        async move { Ok(self.channels.record_by_id(channel).await?.map(|record| record.channel.name.clone())) }
            .boxed()
    }

    fn ended<'a>(
        &'a self,
        channel: &'a ChannelId,
        who: &'a AccountId,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.chat.tie_changed(channel, who);
        self.channels.regular_left(channel, who).boxed()
    }
}

/// Whoever listens hears that somebody subscribes, and a room that is for subscribers lets them write; who it is, is the owner's
/// to know.
pub(in crate::app) struct SubscriptionsHeard {
    pub(in crate::app) events: Arc<dyn StreamEventService>,
    pub(in crate::app) chat: Chat,
    pub(in crate::app) teller: Teller,
}

impl subscription::Heard for SubscriptionsHeard {
    fn subscribed(
        &self,
        channel: &ChannelName,
        id: &ChannelId,
        who: &AccountId,
        tier: Tier,
        subscribers: u64,
    ) {
        self.chat.tie_changed(id, who);
        self.events.tell(channel, Occurrence::SubscriptionCreated { tier, subscribers });
    }

    fn given<'a>(
        &'a self,
        channel: &'a ChannelId,
        who: &'a AccountId,
        gift: (&'a str, Tier, u32),
    ) -> BoxFuture<'a, ()> {
        self.teller.given(channel, who, gift).boxed()
    }

    fn ended<'a>(&'a self, channel: &'a ChannelId, who: &'a AccountId) -> BoxFuture<'a, ()> {
        self.teller.ended(channel, who).boxed()
    }
}
