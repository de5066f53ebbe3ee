//! What following needs of everybody else, and who hears of it.

use crate::{
    actor::Actor,
    channel::{rules, service::Channels},
    chat::service::Chat,
    event::bus::Bus,
    http::problem::ProblemResponse,
    permission::{Permission, Standing},
    social,
    store::StoreError,
};
use futures_util::{FutureExt, future::BoxFuture};
use shared::{
    channel::ChannelCard,
    event::Occurrence,
    id::{AccountId, ChannelId, ChannelName},
};

/// Channels, as following sees them.
pub(in crate::app) struct Followable(pub(in crate::app) Channels);

impl social::Channels for Followable {
    fn seen<'a>(
        &'a self,
        who: Option<&'a Actor>,
        channel: &'a ChannelName,
    ) -> BoxFuture<'a, Result<(ChannelId, bool), ProblemResponse>> {
        async move {
            let record = self.0.seen(who.into(), channel).await?;
            let is_own = rules::standings(who, &record).has(Standing::Owner);
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

/// Whoever listens hears that somebody follows, and a room that is for followers lets them write; who it is, is the owner's to
/// know.
pub(in crate::app) struct FollowsHeard {
    pub(in crate::app) bus: Bus,
    pub(in crate::app) chat: Chat,
}

impl social::Heard for FollowsHeard {
    fn followed(&self, channel: &ChannelName, id: &ChannelId, who: &AccountId, followers: u64) {
        self.chat.tie_changed(id, who);
        self.bus.publish(channel, Occurrence::FollowCreated { followers });
    }
}
