//! Webhooks: addresses that a channel's owner has told what happens there.

use crate::{
    id::{EventId, WebhookId},
    text::WebhookLabel,
    unit::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// What a webhook can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum WebhookKind {
    /// A broadcast began.
    StreamStarted,
    /// The publisher's media stopped.
    StreamInterrupted,
    /// It goes on.
    StreamResumed,
    /// A broadcast is over.
    StreamEnded,
    /// What the channel says of itself was changed.
    ChannelEdited,
    /// Somebody follows the channel who didn't.
    FollowCreated,
    /// Somebody subscribes to the channel who didn't, or in a higher tier than before.
    SubscriptionCreated,
    /// Somebody who may did something that the channel's record has: a moderator, an editor, its owner.
    ActionTaken,
    /// People began to watch: how many in ten seconds, as one event.
    ViewerJoined,
    /// Something was written in chat: all of two seconds, as one event. Its words are put in as it is sent, without what was
    /// deleted by then.
    ChatMessageSent,
    /// The owner tries whether it arrives. Told to the one that is tried, whatever it is told else.
    Ping,
}

impl WebhookKind {
    /// Every kind that can be chosen.
    pub const ALL: [Self; 10] = [
        Self::StreamStarted,
        Self::StreamInterrupted,
        Self::StreamResumed,
        Self::StreamEnded,
        Self::ChannelEdited,
        Self::FollowCreated,
        Self::SubscriptionCreated,
        Self::ActionTaken,
        Self::ViewerJoined,
        Self::ChatMessageSent,
    ];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::StreamStarted => "StreamStarted",
            Self::StreamInterrupted => "StreamInterrupted",
            Self::StreamResumed => "StreamResumed",
            Self::StreamEnded => "StreamEnded",
            Self::ChannelEdited => "ChannelEdited",
            Self::FollowCreated => "FollowCreated",
            Self::SubscriptionCreated => "SubscriptionCreated",
            Self::ActionTaken => "ActionTaken",
            Self::ViewerJoined => "ViewerJoined",
            Self::ChatMessageSent => "ChatMessageSent",
            Self::Ping => "Ping",
        }
    }
}

/// No kind has this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such kind of event")]
pub struct WebhookKindError;

impl FromStr for WebhookKind {
    type Err = WebhookKindError;

    fn from_str(text: &str) -> Result<Self, WebhookKindError> {
        let mut all = Self::ALL.into_iter().chain([Self::Ping]);
        all.find(|kind| kind.name() == text).ok_or(WebhookKindError)
    }
}

/// Why a webhook is told nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum WebhookEnd {
    /// The channel's owner wanted it.
    Owner,
    /// It took nothing for days.
    Failing,
    /// It answered that it is gone (410).
    Gone,
}

/// A webhook, in `GET /api/v1/channels/{name}/webhooks`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// To change it by.
    pub id: WebhookId,
    /// What it is for, in the owner's words.
    pub label: WebhookLabel,
    /// Where it is.
    pub url: String,
    /// What it is told.
    pub kinds: Vec<WebhookKind>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it failed first since it last took something; null while it works.
    pub failing_since: Option<Timestamp>,
    /// Since when it is told nothing; null while it is.
    pub disabled_at: Option<Timestamp>,
    /// Why.
    pub disabled_by: Option<WebhookEnd>,
}

/// `POST /api/v1/channels/{name}/webhooks`: answered 201 with [`NewWebhook`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateWebhook {
    /// Where it is: `https://…`, on the public internet.
    pub url: String,
    /// What it is for.
    #[serde(default)]
    pub label: WebhookLabel,
    /// What it is told; at least one.
    pub kinds: Vec<WebhookKind>,
}

/// A webhook and its secret, which is shown this once.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NewWebhook {
    /// The webhook.
    pub webhook: Webhook,
    /// What its deliveries are signed with: `whsec_` and 32 bytes in base64.
    pub secret: String,
}

/// `PATCH /api/v1/channels/{name}/webhooks/{id}`: what is absent stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EditWebhook {
    /// See [`Webhook::url`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// See [`Webhook::label`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<WebhookLabel>,
    /// See [`Webhook::kinds`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kinds: Option<Vec<WebhookKind>>,
    /// Whether it is told. One that was switched off gets what it was to be told meanwhile before, and nothing that happened
    /// since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// How a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum DeliveryState {
    /// It is sent, or sent again.
    Waiting,
    /// It was taken.
    Delivered,
    /// It was given up.
    Failed,
}

/// One event for one webhook, in `GET /api/v1/channels/{name}/webhooks/{id}/deliveries`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// `webhook-id`: the same for every try.
    pub id: EventId,
    /// What it tells.
    pub kind: WebhookKind,
    /// The body, as it is sent; of chat without the messages.
    pub body: String,
    /// When it happened.
    pub created_at: Timestamp,
    /// How it stands.
    pub state: DeliveryState,
    /// How often it was tried.
    pub tries: u32,
    /// When it is tried next; null unless it waits.
    pub next_at: Option<Timestamp>,
    /// When it was tried last.
    pub last_at: Option<Timestamp>,
    /// The status that came back, if anything did.
    pub last_status: Option<u16>,
    /// Why it wasn't taken.
    pub last_error: Option<String>,
    /// How many milliseconds the last try took.
    pub last_took: Option<u64>,
}
