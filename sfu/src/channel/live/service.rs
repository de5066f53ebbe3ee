//! What programs do by the compact live API, step by step.

use super::rules::{self, Known, START_LASTS, Start};
use crate::{
    actor::Actor,
    channel::{
        rules::{may, may_see},
        service::{ChannelError, Channels, edited, settle},
    },
    fresh,
    permission::Permission,
};
use shared::{
    broadcast::BroadcastState,
    channel::EditChannel,
    id::{BroadcastId, ChannelName},
    live::{LiveStatus, StartLive},
    unit::Timestamp,
};

/// Why a broadcast was not announced, or nothing is told of one.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// No such broadcast, as far as the one who asks may know.
    #[error("there is no such broadcast")]
    Unknown,
    /// One is on.
    #[error("the channel is live already")]
    AlreadyLive,
    /// The account has no channel to be live on.
    #[error("the account has no channel")]
    NoChannel,
    /// Something about the channel.
    #[error(transparent)]
    Channel(#[from] ChannelError),
}

/// A broadcast that was announced.
#[derive(Debug, Clone)]
pub struct Announced {
    /// Which.
    pub id: BroadcastId,
    /// Where.
    pub channel: ChannelName,
    /// The secret that begins it.
    pub secret: String,
}

impl Channels {
    /// Makes a channel ready for a broadcast: what it says of itself, the id that its next media gets, and a secret to
    /// publish that with. The channel's lasting key stays as it is.
    pub async fn announce(&self, who: &Actor, request: StartLive) -> Result<Announced, LiveError> {
        let StartLive { title, description, visibility, quality, channel } = request;
        let name = match channel {
            Some(name) => name,
            None => {
                let owned = self.owned_by(&who.account).await.map_err(ChannelError::from)?;
                owned.into_iter().next().ok_or(LiveError::NoChannel)?.name
            }
        };
        let record = self.allowed(who, &name, Permission::Publish).await?;
        let id = record.channel.id.clone();
        if matches!(self.ports.live.of(&id).state, BroadcastState::Live | BroadcastState::Waiting) {
            return Err(LiveError::AlreadyLive);
        }
        let now = fresh::now();
        let expires_at = Timestamp::from_millis(now.as_millis() + START_LASTS.as_millis() as i64);
        let start = Start { channel: id.clone(), quality, expires_at, is_replaced: false };
        let (broadcast, secret) = (fresh::id(), self.ports.keys.publish_token());
        let edit = EditChannel {
            title: Some(title),
            description: Some(description),
            visibility: Some(visibility),
            ..EditChannel::default()
        };
        let edited = edited(record.channel.clone(), edit.clone())?;
        let channels = self.clone();
        settle(async move {
            // First, as it is refused if somebody's media was faster; then nothing was changed.
            if !channels.ports.control.reserve(&id, &broadcast).await {
                return Err(LiveError::AlreadyLive);
            }
            let written =
                channels.starts().announce(&broadcast, &start, (&edited, &edit), &secret.hash, now).await;
            channels.take_edit(&edited, written.map_err(ChannelError::from)).await?;
            Ok(Announced { id: broadcast, channel: name, secret: secret.text })
        })
        .await
    }

    /// How a broadcast stands, for one who may see its channel.
    pub async fn live_status(&self, who: Option<&Actor>, id: &BroadcastId) -> Result<LiveStatus, LiveError> {
        let known = self.known(id).await?;
        let channel = known.channel().ok_or(LiveError::Unknown)?;
        let record = self.record_by_id(channel).await.map_err(ChannelError::from)?;
        record.filter(|record| may_see(who, record)).ok_or(LiveError::Unknown)?;
        Ok(rules::status(id, &known, fresh::now()))
    }

    /// That this person sees a broadcast's figures. One that must not be known of stays unknown.
    pub async fn own_broadcast(&self, who: &Actor, id: &BroadcastId) -> Result<(), LiveError> {
        let known = self.known(id).await?;
        let channel = known.channel().ok_or(LiveError::Unknown)?;
        let record = self.record_by_id(channel).await.map_err(ChannelError::from)?;
        let record = record.filter(|record| may_see(Some(who), record)).ok_or(LiveError::Unknown)?;
        if may(who, &record, Permission::SeeFigures) { Ok(()) } else { Err(ChannelError::NotYours.into()) }
    }

    async fn known(&self, id: &BroadcastId) -> Result<Known, ChannelError> {
        let (start, logged) = (self.starts().start(id).await?, self.starts().logged(id).await?);
        let mut known = Known { start, logged, ..Known::default() };
        known.live = match known.channel() {
            Some(channel) => self.ports.live.of(channel),
            // It began a moment ago, and nothing of it is written yet.
            None => {
                let on =
                    self.ports.live.live().into_iter().map(|channel| (self.ports.live.of(&channel), channel));
                let Some((live, channel)) =
                    on.into_iter().find(|(live, _)| live.stream_id.as_ref() == Some(id))
                else {
                    return Ok(known);
                };
                known.on_board = Some(channel);
                live
            }
        };
        Ok(known)
    }
}
