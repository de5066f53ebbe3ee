//! What the record of what was done, and webhooks, need of channels and their chats.

use crate::{
    actor::Actor, audit, channel::service::Channels, chat::store::ChatStore, http::problem::ProblemResponse,
    permission::Permission, store::StoreError, webhook,
};
use futures_util::{FutureExt, future::BoxFuture};
use shared::{
    chat::ChatMessage,
    id::{ChannelId, ChannelName},
};

/// Channels, as those see them who may see what was done there, or may have it sent elsewhere.
pub(in crate::app) struct OwnChannels(pub(in crate::app) Channels);

impl OwnChannels {
    fn of<'a>(
        &'a self,
        who: &'a Actor,
        channel: &'a ChannelName,
        permission: Permission,
    ) -> BoxFuture<'a, Result<ChannelId, ProblemResponse>> {
        async move { Ok(self.0.allowed(who, channel, permission).await?.channel.id.clone()) }.boxed()
    }
}

impl audit::Channels for OwnChannels {
    fn audited<'a>(
        &'a self,
        who: &'a Actor,
        channel: &'a ChannelName,
    ) -> BoxFuture<'a, Result<ChannelId, ProblemResponse>> {
        self.of(who, channel, Permission::SeeAudit)
    }
}

impl webhook::Channels for OwnChannels {
    fn hooked<'a>(
        &'a self,
        who: &'a Actor,
        channel: &'a ChannelName,
    ) -> BoxFuture<'a, Result<ChannelId, ProblemResponse>> {
        self.of(who, channel, Permission::SetWebhooks)
    }
}

/// What was written in chats, as webhooks tell it.
pub(in crate::app) struct Said(pub(in crate::app) ChatStore);

impl webhook::Messages for Said {
    fn between<'a>(
        &'a self,
        channel: &'a ChannelId,
        places: (i64, i64),
        most: i64,
    ) -> BoxFuture<'a, Result<Vec<ChatMessage>, StoreError>> {
        self.0.between(channel, places, most).boxed()
    }
}
