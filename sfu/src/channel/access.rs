//! Who may publish to a channel, and who may watch it. WHIP and WHEP ask here, through ports of their own.

use super::{
    BearerHash,
    rules::{Admission, Hidden},
    service::Channels,
};
use crate::{
    actor::{EmbedError, Visitor},
    fresh,
    store::StoreError,
};
use shared::{
    broadcast::BroadcastState,
    id::{BroadcastId, ChannelId, ChannelName},
    text::{Category, Title},
};

/// A publisher may publish this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublisherGrant {
    /// The channel.
    pub channel_id: ChannelId,
    /// Its name.
    pub channel_name: ChannelName,
    /// What the broadcast is called.
    pub title: Title,
    /// What it is of.
    pub category: Category,
    /// The broadcast that was announced to begin next.
    pub reserved: Option<BroadcastId>,
    /// Whether renditions are to be made of it.
    pub ladder: bool,
}

/// Why somebody may not publish or watch.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The key or token is nobody's, is over, or is for another channel: which of them is not told.
    #[error("the stream key is wrong")]
    Denied,
    /// The key is right, but its owner is kept from the instance: told to them as a wrong one.
    #[error("the stream key is of a suspended account")]
    OwnerSuspended,
    /// No such channel, as far as the one who asks may know.
    #[error("there is no such channel")]
    Unknown,
    /// Those who run the instance keep it from publishing and from being watched.
    #[error("this channel is suspended")]
    Suspended,
    /// The signed embed doesn't admit.
    #[error(transparent)]
    Embed(EmbedError),
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Channels {
    /// Whose channel a Bearer publishes to. With a channel named, it must be that one's.
    pub async fn publisher(
        &self,
        channel: Option<&ChannelName>,
        bearer: &str,
    ) -> Result<PublisherGrant, AccessError> {
        let secret = self.ports.keys.read(bearer).ok_or(AccessError::Denied)?;
        let id = match &secret {
            BearerHash::Key(hash) => self.store.of_key(hash).await?,
            BearerHash::Token(hash) => match self.store.of_token(hash, fresh::now()).await? {
                Some(channel) => Some(channel),
                None => self
                    .starts()
                    .begun_by(hash)
                    .await?
                    .filter(|start| !self.has_ended(start))
                    .map(|start| start.0),
            },
        };
        let record = self.record_by_id(&id.ok_or(AccessError::Denied)?).await?.ok_or(AccessError::Denied)?;
        let owned = record.channel.clone();
        if self.store.is_suspended(&owned.id).await? {
            return Err(AccessError::OwnerSuspended);
        }
        if channel.is_some_and(|name| *name != owned.name) {
            return Err(AccessError::Denied);
        }
        if owned.suspended {
            return Err(AccessError::Suspended);
        }
        let reserved = self.starts().reserved(&owned.id).await?;
        Ok(PublisherGrant {
            channel_id: owned.id,
            channel_name: owned.name,
            title: owned.title,
            category: owned.category,
            reserved,
            ladder: record.ladder,
        })
    }

    /// An announced broadcast that just ended, which may not be written yet.
    fn has_ended(&self, (channel, broadcast): &(ChannelId, BroadcastId)) -> bool {
        let live = self.ports.live.of(channel);
        live.state == BroadcastState::Ended && live.stream_id.as_ref() == Some(broadcast)
    }

    /// The channel that somebody may watch, and by what.
    pub async fn watcher(
        &self,
        channel: &ChannelName,
        who: Visitor<'_>,
    ) -> Result<(ChannelId, Admission), AccessError> {
        let record = self.record(channel).await?;
        match (self.admission(who, record.as_deref()).await?, record) {
            (Ok(by), Some(record)) => Ok((record.channel.id.clone(), by)),
            (Err(Hidden::Embed(error)), _) => Err(AccessError::Embed(error)),
            (Err(Hidden::Suspended), _) => Err(AccessError::Suspended),
            (Ok(_) | Err(Hidden::Unknown), _) => Err(AccessError::Unknown),
        }
    }
}
