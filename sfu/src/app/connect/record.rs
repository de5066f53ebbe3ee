//! What the record of what was done, and webhooks, need of channels.

use crate::{
    actor::Actor, audit, channel::service::Channels, http::problem::ProblemResponse, permission::Permission,
    webhook,
};
use futures_util::{FutureExt, future::BoxFuture};
use shared::id::{ChannelId, ChannelName};

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
