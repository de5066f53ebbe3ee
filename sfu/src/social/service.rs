//! Following, step by step.

use super::{
    Channels, Heard,
    store::{FOLLOWED_MOST, FollowStore, Followed},
};
use crate::{
    actor::Actor,
    fresh,
    http::problem::ProblemResponse,
    limit::{Limiter, Rate},
    page::Wanted,
    store::{Store, StoreError},
};
use shared::{
    channel::ChannelCard,
    id::{AccountId, ChannelId, ChannelName},
    page::Page,
    social::{Follower, Following},
    unit::Timestamp,
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How often one person follows or stops to: a spree passes, a script that rings at every door doesn't.
const CHANGES: Rate = Rate { burst: 30, every: Duration::from_secs(2) };

/// Why somebody doesn't follow.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// Their own channel.
    #[error("nobody follows themselves")]
    OwnChannel,
    /// As many as one may.
    #[error("an account follows at most {FOLLOWED_MOST} channels")]
    TooMany,
    /// Too often.
    #[error("too often: wait before the next")]
    TooFast {
        /// How long.
        wait: Duration,
    },
    /// The channel says no.
    #[error("the channel can't be followed")]
    Refused(ProblemResponse),
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The service; cheap to clone.
#[derive(Clone)]
pub struct Social {
    store: FollowStore,
    channels: Arc<dyn Channels>,
    heard: Arc<dyn Heard>,
    since: Instant,
    changes: Arc<Mutex<Limiter<AccountId>>>,
}

impl Social {
    /// On this database.
    pub fn new(store: Store, channels: Arc<dyn Channels>, heard: Arc<dyn Heard>) -> Self {
        let changes = Arc::new(Mutex::new(Limiter::new(CHANGES)));
        Self { store: FollowStore::new(store), channels, heard, since: Instant::now(), changes }
    }

    async fn channel(
        &self,
        who: Option<&Actor>,
        name: &ChannelName,
    ) -> Result<(ChannelId, bool), FollowError> {
        self.channels.seen(who, name).await.map_err(FollowError::Refused)
    }

    fn take(&self, who: &Actor) -> Result<(), FollowError> {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        changes.take(&who.account, self.since.elapsed()).map_err(|wait| FollowError::TooFast { wait })
    }

    /// How many follow a channel, and since when whoever asks does.
    pub async fn of(&self, who: Option<&Actor>, name: &ChannelName) -> Result<Following, FollowError> {
        let (channel, _) = self.channel(who, name).await?;
        Ok(self.store.of(&channel, who.map(|who| &who.account)).await?)
    }

    /// Since when somebody follows a channel.
    pub async fn since(&self, channel: &ChannelId, who: &AccountId) -> Result<Option<Timestamp>, StoreError> {
        self.store.since(channel, who).await
    }

    /// Follows a channel; whoever does already goes on.
    pub async fn follow(&self, who: &Actor, name: &ChannelName) -> Result<Following, FollowError> {
        let (channel, is_own) = self.channel(Some(who), name).await?;
        if is_own {
            return Err(FollowError::OwnChannel);
        }
        self.take(who)?;
        let followed = self.store.follow(&channel, &who.account, fresh::now()).await?;
        let following = self.store.of(&channel, Some(&who.account)).await?;
        match followed {
            Followed::TooMany => return Err(FollowError::TooMany),
            Followed::New => self.heard.followed(name, &channel, &who.account, following.followers),
            Followed::Already => {}
        }
        Ok(following)
    }

    /// Doesn't follow a channel any more.
    pub async fn unfollow(&self, who: &Actor, name: &ChannelName) -> Result<Following, FollowError> {
        self.take(who)?;
        let channel = match self.channel(Some(who), name).await {
            Ok((channel, _)) => channel,
            Err(refused) => {
                // One that isn't shown to them any more can be left all the same.
                self.store.unfollow_unseen(name, &who.account).await?;
                return Err(refused);
            }
        };
        self.store.unfollow(&channel, &who.account).await?;
        Ok(self.store.of(&channel, Some(&who.account)).await?)
    }

    /// Who follows a channel, newest first.
    pub async fn followers(
        &self,
        who: &Actor,
        name: &ChannelName,
        wanted: &Wanted,
    ) -> Result<Page<Follower>, FollowError> {
        let channel = self.channels.known(who, name).await.map_err(FollowError::Refused)?;
        Ok(self.store.followers(&channel, wanted).await?)
    }

    /// The channels that somebody follows and may see, and what they do; the last one first.
    pub async fn followed(&self, who: &Actor, wanted: &Wanted) -> Result<Page<ChannelCard>, FollowError> {
        let Page { items, next } = self.store.followed(&who.account, wanted).await?;
        let channels = items.into_iter().map(|(channel, _)| channel).collect();
        Ok(Page { items: self.channels.cards(who, channels).await?, next })
    }
}
