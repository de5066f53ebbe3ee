//! Telling people, step by step.

use super::{
    Audience, StreamNotificationService,
    rules::{self, Occasion},
    store::NotificationStore,
};
use crate::{
    actor::Actor,
    fresh,
    page::Wanted,
    store::{Store, StoreError},
};
use futures_util::{FutureExt, future::BoxFuture};
use shared::{
    id::{AccountId, ChannelId},
    notification::{Bell, Notification, Preferences},
    page::Page,
    unit::Timestamp,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::watch;

/// Followers that are told in one transaction.
const AT_ONCE: i64 = 200;

/// Why something was not done with notifications.
#[derive(Debug, thiserror::Error)]
pub enum NotificationError {
    /// Quiet hours that can't be.
    #[error("these quiet hours can't be")]
    QuietHours,
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The service; cheap to clone.
#[derive(Debug, Clone)]
pub struct Notifications {
    store: NotificationStore,
    /// Those whose bell somebody listens to.
    bells: Arc<Mutex<HashMap<AccountId, watch::Sender<u64>>>>,
    /// There may be something in the outbox; for whoever empties it.
    outbox: Arc<watch::Sender<()>>,
}

impl Notifications {
    /// On this database.
    pub fn new(store: Store) -> Self {
        let outbox = Arc::new(watch::Sender::new(()));
        Self { store: NotificationStore::new(store), bells: Arc::default(), outbox }
    }

    /// Word of changes of somebody's notifications; has changed once already.
    pub fn bell_of(&self, account: &AccountId) -> watch::Receiver<u64> {
        let mut bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        bells.retain(|_, bell| bell.receiver_count() > 0);
        let bell = bells.entry(account.clone()).or_insert_with(|| watch::Sender::new(0));
        let mut receiver = bell.subscribe();
        receiver.mark_changed();
        receiver
    }

    /// Word that something may have been put into the outbox.
    pub fn outbox(&self) -> watch::Receiver<()> {
        self.outbox.subscribe()
    }

    /// What is kept.
    pub fn store(&self) -> &NotificationStore {
        &self.store
    }

    fn ring(&self, accounts: &[AccountId]) {
        let bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        for bell in accounts.iter().filter_map(|account| bells.get(account)) {
            bell.send_modify(|edition| *edition += 1);
        }
        self.outbox.send_replace(());
    }

    /// How many wait for somebody.
    pub async fn bell(&self, who: &AccountId) -> Result<Bell, StoreError> {
        self.store.bell(who).await
    }

    /// Somebody's notifications, newest first.
    pub async fn list(&self, who: &Actor, wanted: &Wanted) -> Result<Page<Notification>, NotificationError> {
        Ok(self.store.list(&who.account, wanted).await?)
    }

    /// Marks what came until then as read.
    pub async fn mark_read(&self, who: &Actor, until: Timestamp) -> Result<Bell, NotificationError> {
        self.store.mark_read(&who.account, until, fresh::now()).await?;
        self.ring(std::slice::from_ref(&who.account));
        Ok(self.store.bell(&who.account).await?)
    }

    /// What somebody wants to be told.
    pub async fn preferences(&self, who: &Actor) -> Result<Preferences, NotificationError> {
        Ok(self.store.preferences(&who.account).await?.unwrap_or_default())
    }

    /// Changes that.
    pub async fn set_preferences(
        &self,
        who: &Actor,
        preferences: Preferences,
    ) -> Result<Preferences, NotificationError> {
        if !rules::are_possible(&preferences) {
            return Err(NotificationError::QuietHours);
        }
        self.store.set_preferences(&who.account, &preferences, fresh::now()).await?;
        self.outbox.send_replace(());
        Ok(preferences)
    }

    async fn told_followers(
        &self,
        channel: &ChannelId,
        occasion: Occasion,
        audience: &dyn Audience,
    ) -> Result<usize, StoreError> {
        let told = rules::told(occasion);
        let (mut count, mut after) = (0, String::new());
        loop {
            let followers = self.store.followers(channel, &after, AT_ONCE).await?;
            let Some(last) = followers.last() else { return Ok(count) };
            after = last.who.account.as_str().to_owned();
            // Asked anew for each group, as it may be another audience by now.
            let actors: Vec<Actor> = followers.iter().map(|follower| follower.who.clone()).collect();
            let admitted = audience.among(&actors).await?;
            let people: Vec<(AccountId, Preferences)> = followers
                .into_iter()
                .map(|follower| (follower.who.account, follower.preferences))
                .filter(|(account, _)| admitted.contains(account))
                .collect();
            let heard = self.store.tell(&people, &told, fresh::now()).await?;
            self.ring(&heard);
            count += heard.len();
        }
    }

    async fn told_one(&self, account: &AccountId, occasion: Occasion) -> Result<bool, StoreError> {
        let Some(preferences) = self.store.preferences(account).await? else { return Ok(false) };
        let people = [(account.clone(), preferences)];
        let heard = self.store.tell(&people, &rules::told(occasion), fresh::now()).await?;
        self.ring(&heard);
        Ok(!heard.is_empty())
    }
}

impl StreamNotificationService for Notifications {
    fn tell_followers<'a>(
        &'a self,
        channel: &'a ChannelId,
        occasion: Occasion,
        audience: &'a dyn Audience,
    ) -> BoxFuture<'a, Result<usize, StoreError>> {
        self.told_followers(channel, occasion, audience).boxed()
    }

    fn tell<'a>(
        &'a self,
        account: &'a AccountId,
        occasion: Occasion,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.told_one(account, occasion).boxed()
    }
}
