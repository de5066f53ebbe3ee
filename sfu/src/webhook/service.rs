//! What owners do with webhooks, step by step.

use super::{Channels, rules, sign::SigningSecret, store::WebhookStore};
use crate::{
    actor::Actor,
    fresh,
    http::{
        outgoing::{Outgoing, OutgoingError},
        problem::ProblemResponse,
    },
    page::Wanted,
    store::{Store, StoreError, outbox},
};
use serde_json::json;
use shared::{
    id::{ChannelName, EventId, WebhookId},
    page::Page,
    unit::Timestamp,
    webhook::{CreateWebhook, Delivery, EditWebhook, NewWebhook, Webhook, WebhookKind},
};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;

/// For how long deliveries are signed with a secret that was replaced, too.
const OLD_SECRET: Duration = Duration::from_secs(24 * 60 * 60);

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
    /// The channel is nobody's to see, or somebody else's.
    #[error("the channel is not theirs")]
    Channel(ProblemResponse),
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The service; cheap to clone.
#[derive(Clone)]
pub struct Webhooks {
    store: WebhookStore,
    channels: Arc<dyn Channels>,
    outgoing: Outgoing,
    filled: Arc<Notify>,
}

impl Webhooks {
    /// On this database, with these channels, calling out by this.
    pub fn new(store: Store, channels: Arc<dyn Channels>, outgoing: Outgoing) -> Self {
        Self { store: WebhookStore::new(store), channels, outgoing, filled: Arc::default() }
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
        let (event, now): (EventId, _) = (fresh::id(), fresh::now());
        let body = outbox::body(name.as_str(), WebhookKind::Ping, now, json!({}));
        let put = self.store.put(&channel, id, (&event, WebhookKind::Ping, now), &body).await?;
        self.filled.notify_one();
        if put { Ok(event) } else { Err(WebhookError::Unknown) }
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
        let again = self.store.replay(&channel, id, event, fresh::now()).await?;
        self.filled.notify_one();
        again.ok_or(WebhookError::UnknownDelivery)
    }
}
