//! What owners do with webhooks, step by step.

use super::{
    Channels, Messages, rules,
    sign::SigningSecret,
    store::{Due, WebhookStore},
};
use crate::{
    actor::Actor,
    fresh,
    http::{
        outgoing::{Outgoing, OutgoingError},
        problem::ProblemResponse,
    },
    limit::{Limiter, Rate},
    page::Wanted,
    store::{Store, StoreError, outbox},
};
use serde_json::json;
use shared::{
    id::{AccountId, ChannelId, ChannelName, EventId, WebhookId},
    page::Page,
    unit::Timestamp,
    webhook::{CreateWebhook, Delivery, EditWebhook, NewWebhook, Webhook, WebhookKind},
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// For how long deliveries are signed with a secret that was replaced, too.
const OLD_SECRET: Duration = Duration::from_secs(24 * 60 * 60);

/// How often one is tried, or sent something again: enough for who sets it up, and for a few that were missed.
const OF_WEBHOOK: Rate = Rate { burst: 20, every: Duration::from_secs(6) };
/// The same of all of a channel.
const OF_CHANNEL: Rate = Rate { burst: 60, every: Duration::from_secs(2) };
/// And by one person, who may have many channels.
const OF_PERSON: Rate = Rate { burst: 60, every: Duration::from_secs(2) };
/// How long to wait while as much waits for a webhook as may.
const FULL: Duration = Duration::from_secs(60);
/// The most messages that one delivery tells.
const MESSAGES_MOST: i64 = 200;

/// Why something was not done with a webhook.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The address can't be called.
    #[error(transparent)]
    Address(#[from] OutgoingError),
    /// It is told nothing, or what can't be chosen.
    #[error("a webhook is told at least one kind of event")]
    Kinds,
    /// The channel has as many as it may.
    #[error("a channel has at most {} webhooks", rules::WEBHOOKS_MOST)]
    TooMany,
    /// The channel has no such webhook.
    #[error("there is no such webhook")]
    Unknown,
    /// The webhook has no such delivery.
    #[error("there is no such delivery")]
    UnknownDelivery,
    /// Too often.
    #[error("too often: wait before the next")]
    TooFast {
        /// How long.
        wait: Duration,
    },
    /// The channel is nobody's to see, or somebody else's.
    #[error("the channel is not theirs")]
    Channel(ProblemResponse),
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How much is asked for: of a webhook, of a channel's, and by an account.
type Asking = (Limiter<WebhookId>, Limiter<ChannelId>, Limiter<AccountId>);

/// The service; cheap to clone.
#[derive(Clone)]
pub struct Webhooks {
    store: WebhookStore,
    channels: Arc<dyn Channels>,
    messages: Arc<dyn Messages>,
    outgoing: Outgoing,
    filled: Arc<Notify>,
    asking: Arc<Mutex<Asking>>,
    since: Instant,
}

impl Webhooks {
    /// On this database, with these channels, calling out by this.
    pub fn new(
        store: Store,
        channels: Arc<dyn Channels>,
        messages: Arc<dyn Messages>,
        outgoing: Outgoing,
    ) -> Self {
        let limits = (Limiter::new(OF_WEBHOOK), Limiter::new(OF_CHANNEL), Limiter::new(OF_PERSON));
        Self {
            store: WebhookStore::new(store),
            channels,
            messages,
            outgoing,
            filled: Arc::default(),
            asking: Arc::new(Mutex::new(limits)),
            since: Instant::now(),
        }
    }

    /// Counts something that an owner has sent at will: many addresses may be one machine's, and all of it leaves from here.
    fn take(&self, who: &Actor, channel: &ChannelId, id: &WebhookId) -> Result<(), WebhookError> {
        let now = self.since.elapsed();
        let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        let (of_webhook, of_channel, of_person) = &mut *asking;
        // One that is refused by any limit takes nothing of the others.
        let too_fast = |wait| WebhookError::TooFast { wait };
        of_webhook.take(id, now).map_err(too_fast)?;
        if let Err(wait) = of_channel.take(channel, now) {
            of_webhook.give_back(id);
            return Err(too_fast(wait));
        }
        if let Err(wait) = of_person.take(&who.account, now) {
            of_webhook.give_back(id);
            of_channel.give_back(channel);
            return Err(too_fast(wait));
        }
        Ok(())
    }

    /// Gives back what was counted of something that isn't sent.
    fn give_back(&self, who: &Actor, channel: &ChannelId, id: &WebhookId) {
        let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        asking.0.give_back(id);
        asking.1.give_back(channel);
        asking.2.give_back(&who.account);
    }

    /// Just what is sent, with what was written in chat as it is by now.
    pub(super) async fn body_of(&self, due: &Due) -> Result<String, StoreError> {
        let Some(said) = &due.said else { return Ok(due.body.clone()) };
        let mut messages = self.messages.between(&said.channel, said.places, MESSAGES_MOST).await?;
        for message in &mut messages {
            // What is answered may be deleted, where the answer isn't.
            if let Some(reply) = &mut message.reply_to {
                reply.excerpt.clear();
            }
        }
        let messages = serde_json::to_value(messages).map_err(|error| StoreError::Row(error.to_string()))?;
        Ok(outbox::gathered_body(&due.body, WebhookKind::ChatMessageSent, said.count, Some(messages)))
    }

    pub(super) fn store(&self) -> &WebhookStore {
        &self.store
    }

    pub(super) fn outgoing(&self) -> &Outgoing {
        &self.outgoing
    }

    /// Comes back when somebody put something into the outbox and waits for it.
    pub(super) async fn filled(&self) {
        self.filled.notified().await;
    }

    /// A channel's webhooks, oldest first.
    pub async fn list(&self, who: &Actor, channel: &ChannelName) -> Result<Vec<Webhook>, WebhookError> {
        let channel = self.channels.hooked(who, channel).await.map_err(WebhookError::Channel)?;
        Ok(self.store.list(&channel).await?)
    }

    /// Makes a webhook; its secret comes back this once.
    pub async fn create(
        &self,
        who: &Actor,
        channel: &ChannelName,
        request: CreateWebhook,
    ) -> Result<NewWebhook, WebhookError> {
        let channel = self.channels.hooked(who, channel).await.map_err(WebhookError::Channel)?;
        let CreateWebhook { url, label, kinds } = request;
        let webhook = Webhook {
            id: fresh::id(),
            label,
            url: self.outgoing.check(url.trim())?.into(),
            kinds: rules::kinds(kinds).ok_or(WebhookError::Kinds)?,
            created_at: fresh::now(),
            failing_since: None,
            disabled_at: None,
            disabled_by: None,
        };
        let secret = SigningSecret::from_random(fresh::bytes());
        if !self.store.add(who, &channel, &webhook, &secret).await? {
            return Err(WebhookError::TooMany);
        }
        Ok(NewWebhook { webhook, secret: secret.reveal() })
    }

    /// Changes a webhook.
    pub async fn edit(
        &self,
        who: &Actor,
        channel: &ChannelName,
        id: &WebhookId,
        edit: EditWebhook,
    ) -> Result<Webhook, WebhookError> {
        let channel = self.channels.hooked(who, channel).await.map_err(WebhookError::Channel)?;
        let EditWebhook { url, label, kinds, enabled } = edit;
        let url = url.map(|url| self.outgoing.check(url.trim())).transpose()?.map(String::from);
        let kinds = kinds.map(|kinds| rules::kinds(kinds).ok_or(WebhookError::Kinds)).transpose()?;
        let edit = EditWebhook { url, label, kinds, enabled };
        let edited = self.store.edit(who, (&channel, id), &edit, fresh::now()).await?;
        self.filled.notify_one();
        edited.ok_or(WebhookError::Unknown)
    }

    /// Removes a webhook.
    pub async fn remove(
        &self,
        who: &Actor,
        channel: &ChannelName,
        id: &WebhookId,
    ) -> Result<(), WebhookError> {
        let channel = self.channels.hooked(who, channel).await.map_err(WebhookError::Channel)?;
        if self.store.remove(who, &channel, id).await? { Ok(()) } else { Err(WebhookError::Unknown) }
    }

    /// Another secret, which comes back this once. The one before signs, too, for a day.
    pub async fn replace_secret(
        &self,
        who: &Actor,
        channel: &ChannelName,
        id: &WebhookId,
    ) -> Result<NewWebhook, WebhookError> {
        let channel = self.channels.hooked(who, channel).await.map_err(WebhookError::Channel)?;
        let secret = SigningSecret::from_random(fresh::bytes());
        let until = Timestamp::from_millis(fresh::now().as_millis() + OLD_SECRET.as_millis() as i64);
        let webhook = self.store.replace_secret(who, (&channel, id), &secret, until).await?;
        let webhook = webhook.ok_or(WebhookError::Unknown)?;
        Ok(NewWebhook { webhook, secret: secret.reveal() })
    }

    /// Sends something that says nothing, to see whether it arrives.
    pub async fn ping(
        &self,
        who: &Actor,
        name: &ChannelName,
        id: &WebhookId,
    ) -> Result<EventId, WebhookError> {
        let channel = self.channels.hooked(who, name).await.map_err(WebhookError::Channel)?;
        // What isn't there costs nothing but this look.
        if !self.store.knows(&channel, id, None).await? {
            return Err(WebhookError::Unknown);
        }
        self.take(who, &channel, id)?;
        let (event, now): (EventId, _) = (fresh::id(), fresh::now());
        let body = outbox::body(name.as_str(), WebhookKind::Ping, now, json!({}));
        let put = self.store.put(&channel, id, (&event, WebhookKind::Ping, now), &body).await?;
        self.filled.notify_one();
        if !put {
            self.give_back(who, &channel, id);
            return Err(WebhookError::TooFast { wait: FULL });
        }
        Ok(event)
    }

    /// What a webhook was told and is to be, newest first.
    pub async fn deliveries(
        &self,
        who: &Actor,
        channel: &ChannelName,
        id: &WebhookId,
        wanted: &Wanted,
    ) -> Result<Page<Delivery>, WebhookError> {
        let channel = self.channels.hooked(who, channel).await.map_err(WebhookError::Channel)?;
        self.store.deliveries(&channel, id, wanted).await?.ok_or(WebhookError::Unknown)
    }

    /// Sends a delivery again, with the same id.
    pub async fn replay(
        &self,
        who: &Actor,
        channel: &ChannelName,
        (id, event): (&WebhookId, &EventId),
    ) -> Result<Delivery, WebhookError> {
        let channel = self.channels.hooked(who, channel).await.map_err(WebhookError::Channel)?;
        if !self.store.knows(&channel, id, Some(event)).await? {
            return Err(WebhookError::UnknownDelivery);
        }
        self.take(who, &channel, id)?;
        let again = self.store.replay(&channel, id, event, fresh::now()).await?;
        if again.is_none() {
            self.give_back(who, &channel, id);
        }
        self.filled.notify_one();
        again.ok_or(WebhookError::UnknownDelivery)
    }
}
