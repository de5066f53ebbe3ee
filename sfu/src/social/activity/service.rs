//! What those who look after a channel see of what happened there.

use super::{Channels, store::ActivityStore};
use crate::{
    actor::Actor,
    http::problem::ProblemResponse,
    page::Wanted,
    store::{Store, StoreError},
};
use shared::{
    activity::{Activity, ActivityKind, ActivityState},
    id::{ChannelId, ChannelName},
    page::Page,
};
use std::sync::Arc;

/// The service; cheap to clone.
#[derive(Clone)]
pub struct Activities {
    store: ActivityStore,
    channels: Arc<dyn Channels>,
}

impl Activities {
    /// On this database, with these channels.
    pub fn new(store: Store, channels: Arc<dyn Channels>) -> Self {
        Self { store: ActivityStore::new(store), channels }
    }

    /// What is kept.
    pub fn store(&self) -> &ActivityStore {
        &self.store
    }

    /// Whether somebody may see what happened on a channel.
    pub async fn allowed(&self, who: &Actor, channel: &ChannelName) -> Result<(), ProblemResponse> {
        self.channels.watched(who, channel).await.map(drop)
    }

    /// What happened on a channel, newest first.
    pub async fn list(
        &self,
        who: &Actor,
        channel: &ChannelName,
        kind: Option<ActivityKind>,
        wanted: &Wanted,
    ) -> Result<Page<Activity>, ProblemResponse> {
        let channel = self.channels.watched(who, channel).await?;
        Ok(self.store.list(&channel, kind, wanted).await?)
    }

    /// The newest of it.
    pub async fn newest(&self, channel: &ChannelId) -> Result<ActivityState, StoreError> {
        self.store.newest(channel).await
    }
}
