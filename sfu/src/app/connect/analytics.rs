//! What analytics hears of the media plane, and what it asks of channels and chat.

use crate::{
    actor::Actor,
    analytics::{
        Owners, agent,
        maxminddb::Regions,
        service::{Analytics, AnalyticsError},
        statements::Fact,
    },
    audience::{Audience, Region},
    broadcast::log::Record,
    channel::{live::Figures, service::Channels},
    http::problem::ProblemResponse,
    permission::Permission,
    watch::whep,
};
use futures_util::{FutureExt, future::BoxFuture};
use shared::{
    id::{BroadcastId, ChannelId, ChannelName},
    live::LiveAnalytics,
};
use std::net::IpAddr;

/// What a record means to those who may be reported of.
pub(in crate::app) fn fact(record: &Record) -> Option<Fact> {
    Some(match record {
        Record::BroadcastStarted { id, at, .. } => Fact::BroadcastStarted { id: id.clone(), at: *at },
        Record::BroadcastEnded { id, .. } => Fact::BroadcastEnded { id: id.clone() },
        Record::ViewStarted { id, broadcast, at, .. } => {
            Fact::ViewStarted { id: id.clone(), broadcast: broadcast.clone(), at: *at }
        }
        Record::ViewResumed { id, broadcast, at, .. } => {
            Fact::ViewResumed { id: id.clone(), broadcast: broadcast.clone(), at: *at }
        }
        Record::ViewEnded { id, .. } => Fact::ViewEnded { id: id.clone() },
        Record::Heartbeat(_) | Record::Marked { .. } | Record::BroadcastMeasured { .. } => return None,
    })
}

/// Tells viewers apart by what they watch with and where.
pub(in crate::app) struct Classifier(pub(in crate::app) Regions);

impl whep::Classify for Classifier {
    fn audience(&self, user_agent: &str, address: Option<IpAddr>) -> Audience {
        let (device, browser) = agent::classify(user_agent);
        let region = address.map_or_else(Region::default, |address| self.0.of(address));
        Audience { device, browser, region }
    }
}

/// Figures for the compact live API.
pub(in crate::app) struct LiveFigures(pub(in crate::app) Analytics);

impl Figures for LiveFigures {
    fn of<'a>(
        &'a self,
        who: &'a Actor,
        id: &'a BroadcastId,
    ) -> BoxFuture<'a, Result<Option<LiveAnalytics>, ProblemResponse>> {
        async move {
            match self.0.live(who, id).await {
                Ok(figures) => Ok(Some(figures)),
                Err(AnalyticsError::Unknown) => Ok(None),
                Err(error) => Err(error.into()),
            }
        }
        .boxed()
    }
}

/// Whose figures are whose.
pub(in crate::app) struct ChannelOwners(pub(in crate::app) Channels);

impl Owners for ChannelOwners {
    fn managed<'a>(
        &'a self,
        who: &'a Actor,
        channel: &'a ChannelName,
    ) -> BoxFuture<'a, Result<ChannelId, ProblemResponse>> {
        async move { Ok(self.0.allowed(who, channel, Permission::SeeFigures).await?.channel.id.clone()) }
            .boxed()
    }
}
