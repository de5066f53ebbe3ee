//! Following, step by step.

use super::{
    Channels, Heard,
    recommendation::{self, RECOMMENDED_MOST, Recommended},
    store::{Beside, FOLLOWED_MOST, FollowStore, Followed},
};
use crate::{
    actor::{Actor, Embed, Visitor},
    fresh,
    http::problem::ProblemResponse,
    limit::{Limiter, Rate},
    page::Wanted,
    store::{Store, StoreError},
};
use shared::{
    channel::{ChannelCard, Visibility},
    id::{AccountId, ChannelId, ChannelName},
    page::Page,
    social::{Follower, Following, Recommendation},
    unit::Timestamp,
};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;

/// How often one person follows or stops to: a spree passes, a script that rings at every door doesn't.
const CHANGES: Rate = Rate { burst: 30, every: Duration::from_secs(2) };

/// For how long recommendations stand, as working them out reads some hundred rows.
const RECOMMENDED_FOR: Duration = Duration::from_secs(10 * 60);
/// People whose recommendations are kept at hand.
const KEPT_MOST: usize = 1000;
/// For so many they are worked out at once; others wait.
const WORKED_OUT_AT_ONCE: usize = 2;
/// Whoever follows already may have been cut off before the owner was told: that is tried again for so long.
const TOLD_WITHIN: Duration = Duration::from_secs(24 * 60 * 60);

/// What was recommended to people, and when.
type Kept = HashMap<AccountId, (Duration, Arc<[Recommended]>)>;

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
    recommended: Arc<Mutex<Kept>>,
    /// What is worked out at once.
    room: Arc<Semaphore>,
    /// By which it is decided what recommendations count.
    key: [u8; 32],
}

impl Social {
    /// On this database. `key` is the server's own, and the same after a restart.
    pub fn new(store: Store, channels: Arc<dyn Channels>, heard: Arc<dyn Heard>, key: [u8; 32]) -> Self {
        let changes = Arc::new(Mutex::new(Limiter::new(CHANGES)));
        let (store, since) = (FollowStore::new(store), Instant::now());
        let room = Arc::new(Semaphore::new(WORKED_OUT_AT_ONCE));
        Self { store, channels, heard, since, changes, recommended: Arc::default(), room, key }
    }

    async fn channel(&self, who: Visitor<'_>, name: &ChannelName) -> Result<(ChannelId, bool), FollowError> {
        self.channels.seen(who, name).await.map_err(FollowError::Refused)
    }

    fn take(&self, who: &Actor) -> Result<(), FollowError> {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        changes.take(&who.account, self.since.elapsed()).map_err(|wait| FollowError::TooFast { wait })
    }

    /// How many follow a channel, and since when whoever asks does.
    pub async fn of(&self, who: Visitor<'_>, name: &ChannelName) -> Result<Following, FollowError> {
        let (channel, _) = self.channel(who, name).await?;
        Ok(self.store.of(&channel, who.actor.map(|who| &who.account)).await?)
    }

    /// Since when somebody follows a channel.
    pub async fn since(&self, channel: &ChannelId, who: &AccountId) -> Result<Option<Timestamp>, StoreError> {
        self.store.since(channel, who).await
    }

    /// Follows a channel; whoever does already goes on. `shown` may let them into a private one.
    pub async fn follow(
        &self,
        who: &Actor,
        shown: Option<Embed<'_>>,
        name: &ChannelName,
    ) -> Result<Following, FollowError> {
        let (channel, is_own) = self.channel(Visitor { actor: Some(who), embed: shown }, name).await?;
        if is_own {
            return Err(FollowError::OwnChannel);
        }
        self.take(who)?;
        let followed = self.store.follow(&channel, &who.account, fresh::now()).await?;
        let following = self.store.of(&channel, Some(&who.account)).await?;
        match followed {
            Followed::TooMany => return Err(FollowError::TooMany),
            Followed::Already if following.since.is_none_or(|at| fresh::now().since(at) > TOLD_WITHIN) => {}
            Followed::New | Followed::Already => {
                let new = (followed == Followed::New).then_some(following.followers);
                self.heard.followed(name, &channel, &who.account, new).await?;
            }
        }
        Ok(following)
    }

    /// Doesn't follow a channel any more.
    pub async fn unfollow(
        &self,
        who: &Actor,
        shown: Option<Embed<'_>>,
        name: &ChannelName,
    ) -> Result<Following, FollowError> {
        self.take(who)?;
        let channel = match self.channel(Visitor { actor: Some(who), embed: shown }, name).await {
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

    /// Public channels that people follow who follow the same as somebody.
    pub async fn recommendations(&self, who: &Actor) -> Result<Vec<Recommendation>, FollowError> {
        let found = match self.worked_out(&who.account) {
            Some(found) => found,
            None => self.work_out(&who.account).await?,
        };
        if found.is_empty() {
            return Ok(Vec::new());
        }
        // What was left or became private meanwhile is seen as it is now.
        let followed: HashSet<ChannelId> = self.store.followed_by(&who.account).await?.into_iter().collect();
        let shown: Vec<&Recommended> = found
            .iter()
            .filter(|one| !followed.contains(&one.channel) && followed.contains(&one.because))
            .collect();
        let wanted: HashSet<&ChannelId> = shown.iter().flat_map(|one| [&one.channel, &one.because]).collect();
        let cards = self.channels.cards(who, wanted.into_iter().cloned().collect()).await?;
        let cards: HashMap<ChannelId, ChannelCard> =
            cards.into_iter().map(|card| (card.channel.id.clone(), card)).collect();
        let recommendations = shown.iter().filter_map(|one| {
            let (card, because) = (cards.get(&one.channel)?, cards.get(&one.because)?);
            let is_public = card.channel.visibility == Visibility::Public;
            let because = because.channel.display_name.clone();
            is_public.then(|| Recommendation { card: card.clone(), because })
        });
        Ok(recommendations.take(RECOMMENDED_MOST).collect())
    }

    fn worked_out(&self, who: &AccountId) -> Option<Arc<[Recommended]>> {
        let kept = self.recommended.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.since.elapsed();
        let (_, found) = kept.get(who).filter(|(at, _)| now.saturating_sub(*at) < RECOMMENDED_FOR)?;
        Some(found.clone())
    }

    async fn work_out(&self, who: &AccountId) -> Result<Arc<[Recommended]>, StoreError> {
        let _room = self.room.acquire().await;
        // While one waited, it may have been worked out for them.
        if let Some(found) = self.worked_out(who) {
            return Ok(found);
        }
        let Beside { own, shared, mut theirs } = self.store.beside(who).await?;
        if own.is_empty() {
            // Whoever follows their first channel needn't wait.
            return Ok(Arc::default());
        }
        theirs.retain(|(other, channel)| recommendation::is_counted(&self.key, other, channel));
        let known: HashSet<ChannelId> = own.into_iter().collect();
        let found = recommendation::recommended(&shared, &theirs, &known);
        // Some are left out when they are shown.
        let found: Arc<[Recommended]> = found.into_iter().take(RECOMMENDED_MOST * 2).collect();
        let mut kept = self.recommended.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.since.elapsed();
        if kept.len() >= KEPT_MOST {
            kept.retain(|_, (at, _)| now.saturating_sub(*at) < RECOMMENDED_FOR);
        }
        if kept.len() >= KEPT_MOST {
            let oldest = kept.iter().min_by_key(|(_, (at, _))| *at).map(|(oldest, _)| oldest.clone());
            oldest.map(|oldest| kept.remove(&oldest));
        }
        kept.insert(who.clone(), (now, found.clone()));
        Ok(found)
    }
}
