//! What people are told of, and who listens to their bells.

use super::told::{Insiders, deed};
use crate::{
    account::{self, PasskeyChange, service::Accounts},
    actor::Actor,
    app::AppError,
    broadcast::live::LiveBoard,
    channel::{rules::Record, service::Channels},
    chat::{service::Chat, store::ChatStore},
    config::Config,
    event::{self, StreamEventService},
    fresh,
    http::{outgoing::Outgoing, problem::ProblemResponse},
    notification::{
        StreamNotificationService,
        delivery::{self, service::Push},
        mail::{self, service::Mail, smtp::Smtp},
        rules::Occasion,
        service::Notifications,
    },
    social::{self, subscription::store::SubscriptionStore},
    store::{Store, StoreError},
};
use futures_util::{FutureExt, future::BoxFuture};
use shared::{
    broadcast::BroadcastState,
    chat::Fragment,
    event::{ChannelEvent, Occurrence},
    id::{AccountId, ChannelId, ChannelName, EventId, MessageId},
    notification::Bell,
    problem::Problem,
    text::{DeviceLabel, PasskeyLabel},
    unit::Timestamp,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{broadcast::error::RecvError, watch},
    time::sleep,
};

/// What began longer ago than this is no news any more.
const NEWS: Duration = Duration::from_secs(30 * 60);
/// After a start, whom messages mention that were written since is told, should the server have ended before it was.
const MISSED: Duration = Duration::from_secs(24 * 60 * 60);
/// As many of them are read at once.
pub(super) const MISSED_AT_ONCE: i64 = 200;
/// When the database is busy, it is tried again after this, so many times.
pub(super) const AGAIN: Duration = Duration::from_secs(2);
const TRIES: u32 = 30;

/// What leaves the server by push and by e-mail; tasks of their own empty the outboxes until it stops.
pub(in crate::app) async fn outboxes(
    store: &Store,
    config: &Config,
    base_url: String,
    notifications: &Notifications,
    stopping: &watch::Sender<bool>,
) -> Result<(Push, Mail), AppError> {
    let (url, from) = &config.http.smtp;
    let smtp = Smtp::set(url.as_deref(), from.as_deref())?;
    let contact = smtp.as_ref().map_or_else(|| base_url.clone(), Smtp::contact);
    let outgoing = Outgoing::new(config.http.outgoing_allow.clone().into());
    let push = Push::new(store.clone(), outgoing, contact).await?;
    let mail = Mail::new(store.clone(), smtp, (config.name.clone(), base_url), push.key_for("unsubscribe"));
    tokio::spawn(delivery::task::run(push.clone(), notifications.clone(), stopping.subscribe()));
    tokio::spawn(mail::task::run(mail.clone(), notifications.clone(), stopping.subscribe()));
    Ok((push, mail))
}

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

/// Word from the server, as accounts give it.
pub(in crate::app) struct Warnings(pub(in crate::app) Notifications);

impl account::Warns for Warnings {
    fn password_changed<'a>(&'a self, who: &'a AccountId) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            let change: EventId = fresh::id();
            let occasion = Occasion::System {
                key: format!("password {change}"),
                title: "Your password was changed".to_owned(),
                detail: "Every other login was ended. If it wasn't you, tell those who run this server."
                    .to_owned(),
                url: "/settings".to_owned(),
            };
            self.0.tell(who, occasion).await.map(drop)
        }
        .boxed()
    }

    fn signed_in_elsewhere<'a>(
        &'a self,
        who: &'a AccountId,
        device: &'a DeviceLabel,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            let event: EventId = fresh::id();
            let occasion = Occasion::System {
                key: format!("sign-in {event}"),
                title: format!("A new sign-in: {device}"),
                detail: "From a network and with a device that you never signed in from before. If it wasn't you, change your \
                         password and end that login in your settings."
                    .to_owned(),
                url: "/settings".to_owned(),
            };
            self.0.tell(who, occasion).await.map(drop)
        }
        .boxed()
    }

    fn alerted<'a>(
        &'a self,
        who: &'a AccountId,
        title: &'a str,
        detail: &'a str,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            let event: EventId = fresh::id();
            let (key, url) = (format!("alert {event}"), "/admin/audit".to_owned());
            let occasion = Occasion::System { key, title: title.to_owned(), detail: detail.to_owned(), url };
            self.0.tell(who, occasion).await.map(drop)
        }
        .boxed()
    }

    fn passkeys_changed<'a>(
        &'a self,
        who: &'a AccountId,
        label: &'a PasskeyLabel,
        change: PasskeyChange,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            let event: EventId = fresh::id();
            let (title, detail) = match change {
                PasskeyChange::Added => (
                    format!("A passkey was added: {label}"),
                    "Whoever has it can sign in as you. If it wasn't you, remove it and change your password.",
                ),
                PasskeyChange::Removed => (
                    format!("A passkey was removed: {label}"),
                    "Nobody can sign in with it any more. If it wasn't you, change your password.",
                ),
            };
            let (key, url) = (format!("passkey {event}"), "/settings".to_owned());
            let occasion = Occasion::System { key, title, detail: detail.to_owned(), url };
            self.0.tell(who, occasion).await.map(drop)
        }
        .boxed()
    }
}

/// Tells people what happens.
#[derive(Clone)]
pub(in crate::app) struct Teller {
    pub(in crate::app) events: Arc<dyn StreamEventService>,
    pub(in crate::app) board: LiveBoard,
    pub(in crate::app) channels: Channels,
    pub(in crate::app) accounts: Accounts,
    pub(in crate::app) chat: ChatStore,
    pub(in crate::app) subscriptions: SubscriptionStore,
    pub(in crate::app) notifications: Arc<dyn StreamNotificationService>,
}

impl Teller {
    /// Tells followers of what is live, whom chats mention, with whom moderators deal and whose subscription runs out, also of what
    /// happened just before a crash.
    pub(in crate::app) async fn run(self) {
        let mut occurrences = self.events.hear_all();
        tokio::spawn(self.clone().watch_ends());
        self.catch_up(MISSED).await;
        loop {
            match occurrences.recv().await {
                Ok((_, event)) => self.happened(&event).await,
                Err(RecvError::Lagged(_)) => self.catch_up(NEWS).await,
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// Tells again of all that may not have been told; nobody hears it twice.
    async fn catch_up(&self, since: Duration) {
        for (channel, _) in self.board.live() {
            self.is_live(channel);
        }
        if let Err(error) = self.missed_mentions(since).await {
            tracing::warn!(%error, "somebody may not have been told of a mention");
        }
        if let Err(error) = self.missed_deeds(since).await {
            tracing::warn!(%error, "somebody may not have been told of what a moderator did");
        }
    }

    async fn missed_mentions(&self, since: Duration) -> Result<(), StoreError> {
        let from = fresh::now().as_millis().saturating_sub(since.as_millis() as i64);
        let mut after = fresh::first_id(Timestamp::from_millis(from));
        loop {
            let messages = self.chat.mentioning(&after, MISSED_AT_ONCE).await?;
            let Some((_, last)) = messages.last() else { return Ok(()) };
            after = last.as_str().to_owned();
            for (channel, message) in &messages {
                if let Some(record) = self.channels.record_by_id(channel).await? {
                    self.mentions(&record, message).await?;
                }
            }
        }
    }

    async fn happened(&self, event: &ChannelEvent) {
        let told = match &event.occurrence {
            Occurrence::StreamStarted { .. } => self.channels.record(&event.channel).await.map(|record| {
                if let Some(record) = record {
                    self.is_live(record.channel.id.clone());
                }
            }),
            Occurrence::ChatMessageSent { message_id } => self.mentioned(&event.channel, message_id).await,
            Occurrence::ChatModerated { action_id, action } if deed(*action).is_some() => {
                self.moderated(&event.channel, action_id).await
            }
            _ => Ok(()),
        };
        if let Err(error) = told {
            tracing::warn!(%error, "somebody was not told of what happened; it is told with the next start");
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
        let occasion = Occasion::WentLive {
            broadcast,
            channel: shown.name.clone(),
            name: shown.display_name.clone(),
            title: shown.title.to_string(),
            picture: shown.avatar.clone(),
        };
        // Of a private channel nobody is told who may not see it.
        let audience = Insiders { channels: self.channels.clone(), channel: channel.clone() };
        let told = self.notifications.tell_followers(channel, occasion, &audience).await?;
        tracing::debug!(channel = %shown.name, told, "followers were told");
        Ok(())
    }

    async fn mentioned(&self, channel: &ChannelName, message: &MessageId) -> Result<(), StoreError> {
        match self.channels.record(channel).await? {
            Some(record) => self.mentions(&record, message).await,
            None => Ok(()),
        }
    }

    async fn mentions(&self, record: &Record, message: &MessageId) -> Result<(), StoreError> {
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
            let actor = Actor { account: account.id, role: account.role, address: None };
            if !self.channels.sees(Some(&actor), record).await? {
                continue;
            }
            let text = message.fragments.iter().map(written).collect();
            let occasion = Occasion::Mention {
                message: message.id.clone(),
                channel: record.channel.name.clone(),
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

/// Whoever listens hears that somebody follows, the channel's owner who, and a room that is for followers lets them write.
pub(in crate::app) struct FollowsHeard {
    pub(in crate::app) teller: Teller,
    pub(in crate::app) chat: Chat,
}

impl social::Heard for FollowsHeard {
    fn followed<'a>(
        &'a self,
        channel: &'a ChannelName,
        id: &'a ChannelId,
        who: &'a AccountId,
        new: Option<u64>,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            self.chat.tie_changed(id, who);
            self.teller.follower(id, who).await?;
            if let Some(followers) = new {
                self.teller.events.tell(channel, Occurrence::FollowCreated { followers });
            }
            Ok(())
        }
        .boxed()
    }
}
