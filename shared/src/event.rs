//! The event socket, `GET /api/v1/events` (WebSocket, JSON text messages).
//!
//! A client sends a [`ClientMessage`] whose event ends in `:requested` and gets [`ServerMessage`]s with
//! the same `id`: `started`, then `stream` each time there is something, `heartbeat` when there was nothing for a
//! while, and `success` (after `cancelled`, or when the topic is over) or `failed` (payload: a [`Problem`]).
//!
//! After a lost connection the client sends the same request with `after` set to the last `cursor` it saw. A topic of
//! states answers with the state now; a topic of occurrences answers with what was missed, as far as it is kept, and says
//! in `started` whether anything may be missing. In [`Topic::ChannelEvents`] chat messages come live only.

use crate::{
    activity::ActivityState,
    analytics::BroadcastAnalytics,
    broadcast::ChannelState,
    channel::Directory,
    chat::{ChatUpdates, Sent},
    id::{ActionId, AppealId, BroadcastId, ChannelName, EventId, MessageId, RequestId},
    moderation::ActionKind,
    notification::Bell,
    problem::Problem,
    publish::{Peers, PublisherHealth, RoomUpdate},
    subscription::Tier,
    unit::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Where an operation stands. `requested` and `cancelled` come from the client, all others from the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// A client asks.
    Requested,
    /// A client has enough.
    Cancelled,
    /// The server took it on.
    Started,
    /// One thing that came of it.
    Stream,
    /// It goes on, with nothing new.
    Heartbeat,
    /// It is over and went well.
    Success,
    /// It is over and didn't.
    Failed,
}

/// A topic: an operation that streams. The name in messages is `domain:action:version`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// `channel:stream_state:v1`: [`ChannelState`], checked each second, sent when changed.
    ChannelState,
    /// `channel:stream_events:v1`: [`ChannelEvent`]s as they happen. All but chat messages are kept for those who come back.
    ChannelEvents,
    /// `instance:stream_directory:v1`: [`Directory`], checked each second, sent when changed.
    Directory,
    /// `channel:stream_analytics:v1`: [`BroadcastAnalytics`] to the channel's owner, every 5 s while it is live and then when
    /// changed; nothing before the first broadcast.
    Analytics,
    /// `channel:stream_activity:v1`: [`ActivityState`] to those who look after the channel, checked each second, sent when
    /// changed.
    Activity,
    /// `media:stream_webrtc:v1`: [`PublisherHealth`] every 2 s, to the channel's owner.
    Webrtc,
    /// `media:stream_rooms:v1`: [`RoomUpdate`]s as they happen.
    Rooms,
    /// `media:stream_peers:v1`: [`Peers`] every 2 s, to the channel's owner.
    Peers,
    /// `chat:stream_messages:v1`: [`ChatUpdates`] as they happen; with nothing in `after`, the last messages first.
    Chat,
    /// `account:stream_notifications:v1`: [`Bell`] of whoever is signed in, at once and when it changes.
    Bell,
    /// `chat:send_message:v1`: not a stream; takes one message and answers `success` with [`Sent`] once it is on disk.
    SendChat,
}

impl Topic {
    /// Every topic there is.
    pub const ALL: [Self; 11] = [
        Self::ChannelState,
        Self::ChannelEvents,
        Self::Directory,
        Self::Analytics,
        Self::Activity,
        Self::Webrtc,
        Self::Rooms,
        Self::Peers,
        Self::Chat,
        Self::Bell,
        Self::SendChat,
    ];

    /// `domain:action:version`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ChannelState => "channel:stream_state:v1",
            Self::ChannelEvents => "channel:stream_events:v1",
            Self::Directory => "instance:stream_directory:v1",
            Self::Analytics => "channel:stream_analytics:v1",
            Self::Activity => "channel:stream_activity:v1",
            Self::Webrtc => "media:stream_webrtc:v1",
            Self::Rooms => "media:stream_rooms:v1",
            Self::Peers => "media:stream_peers:v1",
            Self::Chat => "chat:stream_messages:v1",
            Self::Bell => "account:stream_notifications:v1",
            Self::SendChat => "chat:send_message:v1",
        }
    }

    /// Whether the request must name a channel.
    pub fn is_of_channel(self) -> bool {
        !matches!(self, Self::Directory | Self::Bell)
    }
}

impl FromStr for Topic {
    type Err = EventNameError;

    /// Takes `campaign:` for `channel:`, as older clients call a channel.
    fn from_str(text: &str) -> Result<Self, EventNameError> {
        let same = |topic: &Self| match text.strip_prefix("campaign:") {
            Some(rest) => topic.name().strip_prefix("channel:") == Some(rest),
            None => topic.name() == text,
        };
        Self::ALL
            .into_iter()
            .find(same)
            .ok_or_else(|| EventNameError::UnknownTopic(text.chars().take(80).collect()))
    }
}

impl Phase {
    const NAMES: [(Self, &'static str); 7] = [
        (Self::Requested, "requested"),
        (Self::Cancelled, "cancelled"),
        (Self::Started, "started"),
        (Self::Stream, "stream"),
        (Self::Heartbeat, "heartbeat"),
        (Self::Success, "success"),
        (Self::Failed, "failed"),
    ];

    /// The last part of an event's name.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(phase, _)| *phase == self).map_or("", |(_, name)| name)
    }
}

/// An event's whole name, `domain:action:version:phase`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventName {
    /// Which operation.
    pub topic: Topic,
    /// Where it stands.
    pub phase: Phase,
}

/// Why a text is not an event's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventNameError {
    /// No such topic.
    #[error("there is no topic “{0}”")]
    UnknownTopic(String),
    /// No such phase.
    #[error(
        "an event's name ends in a phase: requested, cancelled, started, stream, heartbeat, success or failed"
    )]
    UnknownPhase,
}

impl FromStr for EventName {
    type Err = EventNameError;

    fn from_str(text: &str) -> Result<Self, EventNameError> {
        let (topic, phase) = text.rsplit_once(':').ok_or(EventNameError::UnknownPhase)?;
        let phase =
            Phase::NAMES.iter().find(|(_, name)| *name == phase).ok_or(EventNameError::UnknownPhase)?.0;
        Ok(Self { topic: topic.parse()?, phase })
    }
}

impl TryFrom<String> for EventName {
    type Error = EventNameError;

    fn try_from(text: String) -> Result<Self, EventNameError> {
        text.parse()
    }
}

impl From<EventName> for String {
    fn from(name: EventName) -> String {
        name.to_string()
    }
}

#[cfg(feature = "openapi")]
crate::openapi::schema!(EventName, {
    crate::openapi::text("`domain:action:version:phase`, e.g. `channel:stream_state:v1:requested`.").build()
});

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.topic.name(), self.phase.name())
    }
}

/// How far a client has seen a topic. Opaque: only the server reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Cursor(pub u64);

/// What a client sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClientMessage {
    /// `…:requested` or `…:cancelled`.
    pub event: EventName,
    /// Chosen by the client; unique among its open requests.
    pub id: RequestId,
    /// What is asked for.
    #[serde(default)]
    pub payload: RequestPayload,
    /// The last cursor seen, to carry on from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Cursor>,
}

/// What a request is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequestPayload {
    /// The channel, where the topic is of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelName>,
    /// A signed embed's token ([`crate::embed::EmbedLink::token`]), to follow its private channel with. Once it has admitted on
    /// a connection, it goes on doing so there when it has expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// What to write, for `chat:send_message:v1`; see [`crate::chat::NewMessage`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Which message it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// The sender's own name for this message: sent again with the same key, it is taken once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<RequestId>,
    /// The token of a guest who writes; see [`crate::chat::NewGuest`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest: Option<String>,
}

/// What the server sends. The payload is named by `event`'s topic and phase: see [`Payload`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ServerMessage {
    /// Which operation, and where it stands.
    pub event: EventName,
    /// The request that it answers.
    pub id: RequestId,
    /// How far the client has seen the topic with this message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
    /// When it was sent.
    pub timestamp: Timestamp,
    /// What it says.
    pub payload: serde_json::Value,
}

/// The payload of a [`ServerMessage`], by topic and phase.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum Payload {
    /// `…:started`.
    Started(Started),
    /// `channel:stream_state:v1:stream`.
    ChannelState(Box<ChannelState>),
    /// `channel:stream_events:v1:stream`.
    ChannelEvent(ChannelEvent),
    /// `instance:stream_directory:v1:stream`.
    Directory(Directory),
    /// `channel:stream_analytics:v1:stream`.
    Analytics(Box<BroadcastAnalytics>),
    /// `channel:stream_activity:v1:stream`.
    Activity(ActivityState),
    /// `media:stream_webrtc:v1:stream`.
    PublisherHealth(Box<PublisherHealth>),
    /// `media:stream_rooms:v1:stream`.
    Room(Box<RoomUpdate>),
    /// `media:stream_peers:v1:stream`.
    Peers(Peers),
    /// `chat:stream_messages:v1:stream`.
    Chat(ChatUpdates),
    /// `account:stream_notifications:v1:stream`.
    Bell(Box<Bell>),
    /// `chat:send_message:v1:success`.
    Sent(Sent),
    /// `…:failed`.
    Failed(Problem),
    /// `…:heartbeat` and `…:success`.
    Empty {},
}

/// The payload of `…:started`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Started {
    /// Nothing between the given cursor and now is missing from what follows, of what the topic keeps: never
    /// [`Occurrence::ChatMessageSent`].
    pub complete: bool,
}

impl ServerMessage {
    /// The payload in its type; `None` if it is not what the event's name promises.
    pub fn parse(self) -> Option<Payload> {
        let payload = self.payload;
        match (self.event.phase, self.event.topic) {
            (Phase::Started, _) => serde_json::from_value(payload).ok().map(Payload::Started),
            (Phase::Failed, _) => serde_json::from_value(payload).ok().map(Payload::Failed),
            (Phase::Stream, Topic::ChannelState) => {
                serde_json::from_value(payload).ok().map(Payload::ChannelState)
            }
            (Phase::Stream, Topic::ChannelEvents) => {
                serde_json::from_value(payload).ok().map(Payload::ChannelEvent)
            }
            (Phase::Stream, Topic::Directory) => serde_json::from_value(payload).ok().map(Payload::Directory),
            (Phase::Stream, Topic::Webrtc) => {
                serde_json::from_value(payload).ok().map(Payload::PublisherHealth)
            }
            (Phase::Stream, Topic::Analytics) => serde_json::from_value(payload).ok().map(Payload::Analytics),
            (Phase::Stream, Topic::Activity) => serde_json::from_value(payload).ok().map(Payload::Activity),
            (Phase::Stream, Topic::Rooms) => serde_json::from_value(payload).ok().map(Payload::Room),
            (Phase::Stream, Topic::Peers) => serde_json::from_value(payload).ok().map(Payload::Peers),
            (Phase::Stream, Topic::Chat) => serde_json::from_value(payload).ok().map(Payload::Chat),
            (Phase::Stream, Topic::Bell) => serde_json::from_value(payload).ok().map(Payload::Bell),
            (Phase::Success, Topic::SendChat) => serde_json::from_value(payload).ok().map(Payload::Sent),
            (Phase::Stream, Topic::SendChat) => None,
            (Phase::Heartbeat | Phase::Success, _) => Some(Payload::Empty {}),
            (Phase::Requested | Phase::Cancelled, _) => None,
        }
    }
}

/// Something that happened on a channel: a message of the event bus, and the payload of `channel:stream_events:v1:stream`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChannelEvent {
    /// Its stable id; the same however often it is delivered.
    pub event_id: EventId,
    /// Whose channel.
    pub channel: ChannelName,
    /// When it happened.
    pub timestamp: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub occurrence: Occurrence,
}

/// What can happen on a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type")]
pub enum Occurrence {
    /// A broadcast began.
    #[serde(rename_all = "camelCase")]
    StreamStarted {
        /// Which.
        stream_id: BroadcastId,
    },
    /// The publisher's media stopped without an end.
    #[serde(rename_all = "camelCase")]
    StreamInterrupted {
        /// Which.
        stream_id: BroadcastId,
    },
    /// The publisher came back.
    #[serde(rename_all = "camelCase")]
    StreamResumed {
        /// Which.
        stream_id: BroadcastId,
    },
    /// A broadcast is over.
    #[serde(rename_all = "camelCase")]
    StreamEnded {
        /// Which.
        stream_id: BroadcastId,
    },
    /// Somebody began to watch.
    #[serde(rename_all = "camelCase")]
    ViewerJoined {
        /// What.
        stream_id: BroadcastId,
    },
    /// Somebody stopped watching.
    #[serde(rename_all = "camelCase")]
    ViewerLeft {
        /// What.
        stream_id: BroadcastId,
    },
    /// Somebody wrote in the channel's chat. Told to those who listen, with the cursor as it was, and not again to those who
    /// come back: what was missed of chat is in `chat:stream_messages:v1`.
    #[serde(rename_all = "camelCase")]
    ChatMessageSent {
        /// What.
        message_id: MessageId,
    },
    /// A message waits for the channel's moderators. Told as [`Occurrence::ChatMessageSent`] is.
    #[serde(rename_all = "camelCase")]
    ChatMessageHeld {
        /// Which.
        message_id: MessageId,
    },
    /// Somebody appeals against a ban or a time-out. Told as [`Occurrence::ChatMessageSent`] is; what it says, `GET
    /// /api/v1/channels/{name}/chat/appeals` tells moderators.
    #[serde(rename_all = "camelCase")]
    ChatAppealMade {
        /// Which.
        appeal_id: AppealId,
    },
    /// A moderator did something in the channel's chat. Told as [`Occurrence::ChatMessageSent`] is; `GET
    /// /api/v1/channels/{name}/chat/actions` has all of them, with who and whom, for moderators.
    #[serde(rename_all = "camelCase")]
    ChatModerated {
        /// Which action.
        action_id: ActionId,
        /// What was done.
        action: ActionKind,
    },
    /// The owner changed what the channel says of itself.
    ChannelEdited {},
    /// Somebody follows the channel who didn't. Who it is, `GET /api/v1/channels/{name}/followers` tells the owner.
    #[serde(rename_all = "camelCase")]
    FollowCreated {
        /// How many follow it now.
        followers: u64,
    },
    /// Somebody subscribes to the channel who didn't, or in a higher tier than before. Who it is, `GET
    /// /api/v1/channels/{name}/subscribers` tells the owner.
    #[serde(rename_all = "camelCase")]
    SubscriptionCreated {
        /// How much.
        tier: Tier,
        /// How many subscribe to it now.
        subscribers: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_names_read_as_domain_action_version_phase() {
        let name: EventName = "channel:stream_state:v1:requested".parse().unwrap();
        assert_eq!(name, EventName { topic: Topic::ChannelState, phase: Phase::Requested });
        assert_eq!(name.to_string(), "channel:stream_state:v1:requested");
        let older: EventName = "campaign:stream_state:v1:requested".parse().unwrap();
        assert_eq!(older, name);
        assert!("campaign:stream_webrtc:v1:requested".parse::<EventName>().is_err());
        assert!("channel:stream_state:v1".parse::<EventName>().is_err());
        assert!("channel:stream_state:v2:requested".parse::<EventName>().is_err());
    }

    #[test]
    fn a_request_needs_no_more_than_its_event_and_id() {
        let text = r#"{"event":"instance:stream_directory:v1:requested","id":"d1"}"#;
        let message: ClientMessage = serde_json::from_str(text).unwrap();
        assert_eq!(message.event.topic, Topic::Directory);
        assert_eq!(message.after, None);
        assert!(serde_json::from_str::<ClientMessage>(r#"{"event":"x","id":"d1"}"#).is_err());
        assert!(
            serde_json::from_str::<ClientMessage>(
                r#"{"event":"instance:stream_directory:v1:requested","id":"a b"}"#
            )
            .is_err()
        );
    }

    #[test]
    fn an_occurrence_carries_its_type_beside_its_fields() {
        let event = ChannelEvent {
            event_id: "e1".parse().unwrap(),
            channel: "ada".parse().unwrap(),
            timestamp: Timestamp::from_millis(0),
            occurrence: Occurrence::StreamStarted { stream_id: "b1".parse().unwrap() },
        };
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(json["type"], "StreamStarted");
        assert_eq!(json["streamId"], "b1");
        assert_eq!(serde_json::from_value::<ChannelEvent>(json).unwrap(), event);
    }
}
