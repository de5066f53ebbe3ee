//! What goes on where a channel or a person was that is gone, whoever deleted them: this server or the shell beside it.

use crate::{
    channel::service::Channels,
    chat::service::Chat,
    fresh,
    http::endings::Endings,
    store::{
        Store, StoreError,
        erase::{self, Gone, Kind},
    },
};
use shared::{
    id::{AccountId, ChannelId},
    unit::Timestamp,
};
use std::{collections::HashSet, time::Duration};
use tokio::{sync::watch, time::sleep};

/// How often it is looked: what is gone ends within two seconds.
const EVERY: Duration = Duration::from_secs(1);
/// Looked at again for this long, as what was written then may not have been on disk when it was looked.
const AGAIN: i64 = 15_000;

/// What is told of what is gone.
pub(in crate::app) struct Leavings {
    pub(in crate::app) store: Store,
    pub(in crate::app) channels: Channels,
    pub(in crate::app) chat: Chat,
    pub(in crate::app) endings: Endings,
}

impl Leavings {
    /// Ends what goes on there, until the server stops.
    pub(in crate::app) async fn run(self, mut stopping: watch::Receiver<bool>) {
        let mut since = fresh::now();
        let mut told: HashSet<String> = HashSet::new();
        loop {
            tokio::select! {
                () = sleep(EVERY) => {}
                _ = stopping.wait_for(|stopping| *stopping) => return,
            }
            let now = fresh::now();
            match self.look(since, &mut told).await {
                // What was told is remembered for as long as it is read again.
                Ok(read) => told.retain(|id| read.contains(id)),
                Err(error) => {
                    tracing::warn!(%error, "what is gone could not be seen; this is tried again");
                    continue;
                }
            }
            since = Timestamp::from_millis(now.as_millis().saturating_sub(AGAIN));
        }
    }

    async fn look(
        &self,
        since: Timestamp,
        told: &mut HashSet<String>,
    ) -> Result<HashSet<String>, StoreError> {
        let mut connection = self.store.pool().acquire().await?;
        let gone = erase::gone_since(&mut connection, since).await?;
        drop(connection);
        let mut read = HashSet::with_capacity(gone.len());
        for one in gone {
            if told.insert(one.id.clone()) {
                self.tell(&one).await;
            }
            read.insert(one.id);
        }
        Ok(read)
    }

    async fn tell(&self, gone: &Gone) {
        match gone.kind {
            Kind::Channel => {
                if let (Ok(id), Ok(name)) = (gone.id.parse::<ChannelId>(), gone.name.parse()) {
                    self.channels.gone(&id, &name).await;
                }
            }
            Kind::Account => {
                if let Ok(id) = gone.id.parse::<AccountId>() {
                    self.endings.tell(&id);
                    self.channels.owner_changed();
                    self.channels.let_go(&id);
                    self.chat.forget_person(&id).await;
                }
            }
        }
    }
}
