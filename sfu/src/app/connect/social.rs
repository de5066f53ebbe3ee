//! What following, and what is shown of it to those who look after a channel, need of everybody else.

use crate::{
    actor::{Actor, Visitor},
    channel::{rules, service::Channels},
    chat::service::Chat,
    http::problem::ProblemResponse,
    permission::{Permission, Standing},
    social::{self, activity},
    store::StoreError,
};
use futures_util::{FutureExt, future::BoxFuture};
use shared::{
    channel::ChannelCard,
    id::{ChannelId, ChannelName},
};

/// Channels, as following sees them.
pub(in crate::app) struct Followable(pub(in crate::app) Channels);

impl social::Channels for Followable {
    fn seen<'a>(
        &'a self,
        who: Visitor<'a>,
        channel: &'a ChannelName,
    ) -> BoxFuture<'a, Result<(ChannelId, bool), ProblemResponse>> {
        async move {
            let record = self.0.seen(who, channel).await?;
            let is_own = rules::standings(who.actor, &record).has(Standing::Owner);
            Ok((record.channel.id.clone(), is_own))
        }
        .boxed()
    }

    fn known<'a>(
        &'a self,
        who: &'a Actor,
        channel: &'a ChannelName,
    ) -> BoxFuture<'a, Result<ChannelId, ProblemResponse>> {
        async move {
            let record = self.0.allowed(who, channel, Permission::SeeFollowers).await?;
            Ok(record.channel.id.clone())
        }
        .boxed()
    }

    fn cards<'a>(
        &'a self,
        who: &'a Actor,
        channels: Vec<ChannelId>,
    ) -> BoxFuture<'a, Result<Vec<ChannelCard>, StoreError>> {
        self.0.cards_of(who, channels).boxed()
    }
}

/// Channels, as those see them who look after them, moderators among them.
pub(in crate::app) struct Watched(pub(in crate::app) Chat);

impl activity::Channels for Watched {
    fn watched<'a>(
        &'a self,
        who: &'a Actor,
        channel: &'a ChannelName,
    ) -> BoxFuture<'a, Result<ChannelId, ProblemResponse>> {
        async move { Ok(self.0.channel_for(who, channel, Permission::SeeActivity).await?) }.boxed()
    }
}
