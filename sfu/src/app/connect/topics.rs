//! What the event socket's topics say, and to whom.

use crate::{
    actor::{Embed, Visitor},
    analytics::service::Analytics,
    app::media::sessions::MediaSessions,
    broadcast::live::{LiveBoard, LiveState},
    channel::service::{ChannelError, Channels},
    event::{Reading, Source},
    http::{
        login::{self, SignedIn},
        problem::ProblemResponse,
    },
    permission::Permission,
    social::activity::service::Activities,
    store::StoreError,
};
use futures_util::{FutureExt, future::BoxFuture};
use shared::{
    account::Scope,
    channel::Visibility,
    event::{Payload, Topic},
    id::ChannelName,
    problem::Problem,
    publish::{Peers, PublisherHealth},
    unit::Bitrate,
};
use std::sync::Arc;

/// What the event socket's topics say, and to whom.
pub(in crate::app) struct Topics {
    pub(in crate::app) channels: Channels,
    pub(in crate::app) board: LiveBoard,
    pub(in crate::app) analytics: Analytics,
    pub(in crate::app) activities: Activities,
    pub(in crate::app) sessions: Arc<MediaSessions>,
}

impl Topics {
    async fn may_follow(
        &self,
        who: Option<&SignedIn>,
        embed: Option<Embed<'_>>,
        topic: Topic,
        channel: Option<&ChannelName>,
    ) -> Result<(), ProblemResponse> {
        let visitor = Visitor { actor: login::reader(who), embed };
        match (topic, channel) {
            (Topic::Directory, _) => Ok(()),
            (Topic::Bell, _) => {
                let who = who.ok_or_else(ProblemResponse::signed_out)?;
                who.may_by(&[Scope::Read, Scope::NotificationsRead])
            }
            (_, None) => Err(ChannelError::Unknown.into()),
            (Topic::ChannelState | Topic::ChannelEvents | Topic::Rooms, Some(channel)) => {
                self.channels.seen(visitor, channel).await?;
                Ok(())
            }
            (Topic::Webrtc | Topic::Analytics | Topic::Peers, Some(channel)) => {
                let who = who.ok_or_else(ProblemResponse::signed_out)?;
                who.may(Scope::Read)?;
                self.channels.allowed(&who.actor, channel, Permission::SeeFigures).await?;
                Ok(())
            }
            (Topic::Activity, Some(channel)) => {
                let who = who.ok_or_else(ProblemResponse::signed_out)?;
                who.may(Scope::Read)?;
                self.activities.allowed(&who.actor, channel).await
            }
            // Chat asks for itself.
            (Topic::Chat | Topic::SendChat, Some(_)) => Err(ChannelError::Unknown.into()),
        }
    }

    async fn payload(
        &self,
        topic: Topic,
        channel: Option<&ChannelName>,
    ) -> Result<Option<Reading>, StoreError> {
        if topic == Topic::Directory {
            let payload = Payload::Directory(self.channels.directory().await?);
            return Ok(Some(Reading { payload, restricted: false }));
        }
        let Some(channel) = channel else { return Ok(None) };
        let Some(record) = self.channels.record(channel).await? else { return Ok(None) };
        let is_private = record.channel.visibility == Visibility::Private || record.channel.suspended;
        let (payload, restricted) = match topic {
            Topic::ChannelState => {
                (Payload::ChannelState(Box::new(self.channels.state_of(&record))), is_private)
            }
            Topic::Webrtc => {
                let health = health_of(channel, self.board.of(&record.channel.id));
                (Payload::PublisherHealth(Box::new(health)), true)
            }
            Topic::Analytics => {
                // Before its first broadcast there is nothing to tell yet.
                let latest = self.analytics.latest(&record.channel.id).await?;
                let payload = latest.map_or(Payload::Empty {}, |latest| Payload::Analytics(Box::new(latest)));
                (payload, true)
            }
            Topic::Activity => (Payload::Activity(self.activities.newest(&record.channel.id).await?), true),
            Topic::Peers => {
                let (peer_count, peers) = self.sessions.present(&record.channel.id).await;
                (Payload::Peers(Peers { channel: channel.clone(), peer_count, peers }), true)
            }
            Topic::ChannelEvents
            | Topic::Directory
            | Topic::Rooms
            | Topic::Chat
            | Topic::Bell
            | Topic::SendChat => {
                return Ok(None);
            }
        };
        Ok(Some(Reading { payload, restricted }))
    }
}

impl Source for Topics {
    fn authorise<'a>(
        &'a self,
        who: Option<&'a SignedIn>,
        embed: Option<Embed<'a>>,
        topic: Topic,
        channel: Option<&'a ChannelName>,
    ) -> BoxFuture<'a, Result<(), Problem>> {
        async move { self.may_follow(who, embed, topic, channel).await.map_err(Problem::from) }.boxed()
    }

    fn read<'a>(
        &'a self,
        topic: Topic,
        channel: Option<&'a ChannelName>,
    ) -> BoxFuture<'a, Result<Option<Reading>, Problem>> {
        async move {
            let read = self.payload(topic, channel).await;
            read.map_err(|error| Problem::from(ProblemResponse::from(error)))
        }
        .boxed()
    }
}

/// What arrives from a channel's publisher; nothing while nobody publishes.
fn health_of(channel: &ChannelName, live: LiveState) -> PublisherHealth {
    let mut health = live.health;
    PublisherHealth {
        channel: channel.clone(),
        session: health.as_ref().map(|health| health.session.clone()),
        user_agent: health.as_ref().map(|health| health.user_agent.clone()).unwrap_or_default(),
        viewers: live.viewer_count,
        bitrate: health.as_ref().map_or(Bitrate(0), |health| health.bitrate),
        frame_rate: health.as_ref().map_or(0.0, |health| health.frame_rate),
        loss: health.as_ref().map_or(0.0, |health| health.loss),
        round_trip: health.as_ref().and_then(|health| health.round_trip),
        keyframe_interval: health.as_ref().and_then(|health| health.keyframe_interval),
        renditions: live.renditions,
        findings: health.as_mut().map(|health| std::mem::take(&mut health.findings)).unwrap_or_default(),
    }
}
