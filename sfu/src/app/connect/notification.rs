//! What people are told of, and who listens to their bells.

use crate::{
    account::service::Accounts,
    actor::Actor,
    broadcast::live::LiveBoard,
    channel::{rules, service::Channels},
    chat::store::ChatStore,
    event::{self, bus::Bus},
    fresh,
    http::problem::ProblemResponse,
    notification::{StreamNotificationService, rules::Occasion, service::Notifications},
    social,
    store::StoreError,
};
use futures_util::{FutureExt, future::BoxFuture};
use shared::{
    broadcast::BroadcastState,
    channel::Visibility,
    chat::Fragment,
    event::{ChannelEvent, Occurrence},
    id::{AccountId, ChannelId, ChannelName, MessageId},
    notification::Bell,
    problem::Problem,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{broadcast::error::RecvError, watch},
    time::sleep,
};

/// What began longer ago than this is no news any more.
const NEWS: Duration = Duration::from_secs(30 * 60);
/// When the database is busy, it is tried again after this, so many times.
const AGAIN: Duration = Duration::from_secs(2);
const TRIES: u32 = 30;

/// Bells, as the event socket hears them.
pub(in crate::app) struct BellsOf(pub(in crate::app) Notifications);

impl event::Bells for BellsOf {
    fn listen(&self, account: &AccountId) -> watch::Receiver<u64> {
        self.0.bell_of(account)
    }

    fn read<'a>(&'a self, account: &'a AccountId) -> BoxFuture<'a, Result<Bell, Problem>> {
        async move { self.0.bell(account).await.map_err(|error| ProblemResponse::from(error).into()) }.boxed()
    }
}

/// Tells people what happens.
#[derive(Clone)]
pub(in crate::app) struct Teller {
    pub(in crate::app) bus: Bus,
    pub(in crate::app) board: LiveBoard,
    pub(in crate::app) channels: Channels,
    pub(in crate::app) accounts: Accounts,
    pub(in crate::app) chat: ChatStore,
    pub(in crate::app) notifications: Arc<dyn StreamNotificationService>,
}

impl Teller {
    /// Tells followers of what is live, also of what began just before a crash, and whom chats mention.
    pub(in crate::app) async fn run(self) {
        let mut occurrences = self.bus.subscribe_all();
        self.all_live().await;
        loop {
            match occurrences.recv().await {
                Ok((_, event)) => self.happened(&event).await,
                Err(RecvError::Lagged(_)) => self.all_live().await,
                Err(RecvError::Closed) => return,
            }
        }
    }

    async fn happened(&self, event: &ChannelEvent) {
        let told = match &event.occurrence {
            Occurrence::StreamStarted { .. } => {
                if let Ok(Some(record)) = self.channels.record(&event.channel).await {
                    self.is_live(record.channel.id.clone());
                }
                Ok(())
            }
            Occurrence::ChatMessageSent { message_id } => self.mentions(&event.channel, message_id).await,
            _ => Ok(()),
        };
        if let Err(error) = told {
            tracing::warn!(%error, "somebody was not told of a mention");
        }
    }

    /// Told again, nobody hears it twice.
    async fn all_live(&self) {
        for (channel, _) in self.board.live() {
            self.is_live(channel);
        }
    }

    /// In a task of its own, as a channel may have many followers.
    fn is_live(&self, channel: ChannelId) {
        let teller = self.clone();
        tokio::spawn(async move {
            for _ in 0..TRIES {
                match teller.tell_live(&channel).await {
                    Ok(()) => return,
                    Err(error) => tracing::warn!(%error, "followers were not told yet"),
                }
                sleep(AGAIN).await;
            }
        });
    }

    async fn tell_live(&self, channel: &ChannelId) -> Result<(), StoreError> {
        let live = self.board.of(channel);
        let (Some(broadcast), Some(start)) = (live.stream_id, live.start_time) else { return Ok(()) };
        let is_on = matches!(live.state, BroadcastState::Live | BroadcastState::Waiting);
        if !is_on || fresh::now().since(start) > NEWS {
            return Ok(());
        }
        let Some(record) = self.channels.record_by_id(channel).await? else { return Ok(()) };
        let shown = &record.channel;
        // Of a private channel nobody is told who may not see it.
        if shown.visibility == Visibility::Private {
            return Ok(());
        }
        let occasion = Occasion::WentLive {
            broadcast,
            channel: shown.name.clone(),
            name: shown.display_name.clone(),
            title: shown.title.to_string(),
            picture: shown.avatar.clone(),
        };
        let told = self.notifications.tell_followers(channel, occasion).await?;
        tracing::debug!(channel = %shown.name, told, "followers were told");
        Ok(())
    }

    async fn mentions(&self, channel: &ChannelName, message: &MessageId) -> Result<(), StoreError> {
        let Some(record) = self.channels.record(channel).await? else { return Ok(()) };
        let Some(message) = self.chat.message(&record.channel.id, message).await? else { return Ok(()) };
        let mut mentioned: Vec<AccountId> = Vec::new();
        for fragment in &message.fragments {
            if let Fragment::Mention { person, .. } = fragment
                && *person != message.author.id
                && let Ok(account) = person.as_str().parse()
                && !mentioned.contains(&account)
            {
                mentioned.push(account);
            }
        }
        for id in mentioned.into_iter().take(MENTIONS_MOST) {
            let Some(account) = self.accounts.by_id(&id).await? else { continue };
            let actor = Actor { account: account.id, role: account.role };
            if !rules::may_see(Some(&actor), &record) {
                continue;
            }
            let text = message.fragments.iter().map(written).collect();
            let occasion = Occasion::Mention {
                message: message.id.clone(),
                channel: channel.clone(),
                by: message.author.name.clone(),
                text,
            };
            self.notifications.tell(&id, occasion).await?;
        }
        Ok(())
    }

    async fn follower(&self, channel: &ChannelId, who: &AccountId) -> Result<(), StoreError> {
        let Some(record) = self.channels.record_by_id(channel).await? else { return Ok(()) };
        let Some(owner) = &record.owner else { return Ok(()) };
        let Some(account) = self.accounts.by_id(who).await? else { return Ok(()) };
        let occasion = Occasion::Follower {
            who: account.id.to_string(),
            name: account.display_name,
            channel: record.channel.name.clone(),
            picture: account.avatar,
        };
        self.notifications.tell(owner, occasion).await?;
        Ok(())
    }
}

/// A fragment as it was written.
fn written(fragment: &Fragment) -> &str {
    match fragment {
        Fragment::Text { text }
        | Fragment::Mention { text, .. }
        | Fragment::Emote { text, .. }
        | Fragment::Link { text, .. } => text,
    }
}

/// The most people that one message's mentions are told to.
const MENTIONS_MOST: usize = 5;

/// Whoever listens hears that somebody follows, and the channel's owner who.
pub(in crate::app) struct FollowsHeard(pub(in crate::app) Teller);

impl social::Heard for FollowsHeard {
    fn followed<'a>(
        &'a self,
        channel: &'a ChannelName,
        id: &'a ChannelId,
        who: &'a AccountId,
        new: Option<u64>,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            self.0.follower(id, who).await?;
            if let Some(followers) = new {
                self.0.bus.publish(channel, Occurrence::FollowCreated { followers });
            }
            Ok(())
        }
        .boxed()
    }
}
