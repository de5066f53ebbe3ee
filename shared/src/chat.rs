//! Chat: what people write to each other beside a broadcast.
//!
//! Messages come over the event socket, topic `chat:stream_messages:v1` ([`ChatUpdates`]; its cursor is a room's sequence,
//! which outlives the server, so that `after` gives exactly what was missed), and are sent by the operation
//! `chat:send_message:v1` or by REST.

use crate::{
    event::Cursor,
    id::{ChannelName, MessageId, PersonId, RequestId},
    moderation::CommandHelp,
    poll::Poll,
    raid::Raid,
    subscription::Tier,
    text::{AccountName, DisplayName},
    unit::Timestamp,
};
use serde::{Deserialize, Serialize};

pub use crate::badge::{Badge, BadgePicture, FollowAge, NameColour};

/// The most graphemes (UAX #29) of a message.
pub const GRAPHEMES_MOST: usize = 500;
/// The most bytes of a message's text, before it is parsed: flags and families are many bytes a grapheme.
pub const BYTES_MOST: usize = 8 * 1024;
/// Messages that a newcomer is given.
pub const HISTORY: usize = 100;

/// Who wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChatAuthor {
    /// Stable.
    pub id: PersonId,
    /// As it was when the message was written.
    pub name: DisplayName,
    /// What they sign in with, to mention them by; absent for guests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountName>,
    /// What they were to the channel when the message was written, in the order to show.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub badges: Vec<Badge>,
    /// The colour of their name, if they chose one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colour: Option<NameColour>,
}

/// What the author of a message is called whose account was deleted.
pub const DELETED_PERSON: &str = "Deleted person";

impl ChatAuthor {
    /// Whether their account was deleted since they wrote: whoever has one signs in with something, and of guests the id
    /// says that they are.
    pub fn is_deleted(&self) -> bool {
        self.account.is_none() && !self.id.as_str().starts_with("guest-")
    }
}

/// A piece of a message. Text is text: whoever shows it never takes it for HTML.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Fragment {
    /// Plain text.
    Text {
        /// It.
        text: String,
    },
    /// `@name` of somebody who was in the room, or of an account.
    Mention {
        /// With the `@`, as it was written.
        text: String,
        /// Who is meant.
        person: PersonId,
    },
    /// An emote.
    Emote {
        /// As it was written, `:wave:`; also what a screen reader says, without the colons.
        text: String,
        /// Where its picture is, on this server.
        url: String,
    },
    /// A link to follow, http or https.
    Link {
        /// As it was written.
        text: String,
        /// Where it leads, as a parser for URLs understood it.
        url: String,
    },
}

/// What a message answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReplyTo {
    /// Which message.
    pub id: MessageId,
    /// Who wrote it.
    pub name: DisplayName,
    /// Its first 80 graphemes, as text.
    pub excerpt: String,
}

/// A message. Once somebody was told of it, it is on disk. `GET /api/v1/channels/{name}/chat/messages` is a page of them,
/// newest first, without those that are deleted; `DELETE …/messages/{id}` is the owner's, moderators' and its author's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChatMessage {
    /// Stable.
    pub id: MessageId,
    /// Its place in its room; later ones have higher.
    pub sequence: Cursor,
    /// When it was taken.
    pub at: Timestamp,
    /// Who wrote it.
    pub author: ChatAuthor,
    /// What it says.
    pub fragments: Vec<Fragment>,
    /// What it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<ReplyTo>,
    /// It tells what its author does, as `/me` begins it: to be shown with the name as its first word.
    #[serde(default, skip_serializing_if = "is_false")]
    pub action: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// Something that changed in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ChatUpdate {
    /// Somebody wrote.
    Message(Box<ChatMessage>),
    /// Messages are not to be shown any more.
    Deleted {
        /// Which.
        messages: Vec<MessageId>,
    },
    /// Somebody was timed out; what they wrote lately is deleted with an update of its own.
    Silenced {
        /// Who.
        person: PersonId,
        /// Their name.
        name: DisplayName,
        /// Until when.
        until: Timestamp,
    },
    /// A time-out was lifted before its end.
    Unsilenced {
        /// Whose.
        person: PersonId,
    },
    /// Somebody was banned; what they wrote lately is deleted with an update of its own.
    Banned {
        /// Who.
        person: PersonId,
        /// Their name.
        name: DisplayName,
    },
    /// A ban was lifted.
    Unbanned {
        /// Whose.
        person: PersonId,
    },
    /// A moderator cleared the room: nothing that was written before is to be shown any more.
    Cleared {},
    /// A message is shown above all others, in the place of the one that was.
    Pinned {
        /// Which.
        pin: Box<ChatMessage>,
    },
    /// No message is shown above the others any more.
    Unpinned {},
    /// A poll began, was answered, or is over: as it is now.
    Poll {
        /// It.
        poll: Box<Poll>,
    },
    /// Those who watch are sent on to another channel soon.
    Raid {
        /// Where to, and when.
        raid: Raid,
    },
    /// The raid that was about to leave doesn't.
    RaidOff {},
    /// Another channel's viewers come.
    Raided {
        /// From where.
        from: ChannelName,
        /// What that channel is called.
        name: DisplayName,
        /// How many watched there.
        viewers: u32,
    },
    /// What can be typed here changed.
    Emotes {
        /// All of it, in the picker's order.
        emotes: Vec<Emote>,
    },
    /// An emote that can be typed in every channel was added, got another picture, or was taken away. A channel's own of the
    /// same code stays in its place.
    EmoteEverywhere {
        /// What is typed, with its colons.
        code: String,
        /// Where its picture is; null for one that is gone.
        #[serde(default)]
        url: Option<String>,
    },
    /// The channel's own pictures for its subscribers' badges changed.
    Badges {
        /// All of them.
        badges: Vec<BadgePicture>,
    },
    /// The room's rules changed.
    Settings {
        /// What they are now.
        settings: ChatSettings,
    },
}

/// The payload of `chat:stream_messages:v1:stream`: one or more updates in order, gathered for at most 100 ms.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChatUpdates {
    /// In the order of the room.
    pub updates: Vec<ChatUpdate>,
}

/// The rules of a room, which its owner and moderators set; see [`EditChat`]. Neither holds for them, and of the modes only
/// emotes and unique messages hold for VIPs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChatSettings {
    /// Whether people without an account may write.
    pub guests: bool,
    /// Seconds between two messages of one person, 0 to 600.
    pub slow_seconds: u32,
    /// Only who follows the channel writes.
    #[serde(default)]
    pub followers: bool,
    /// For how many minutes they must have followed it by then, 0 to 129,600 (90 days).
    #[serde(default)]
    pub followers_minutes: u32,
    /// Only who subscribes to the channel writes.
    #[serde(default)]
    pub subscribers: bool,
    /// Messages are of emotes alone.
    #[serde(default)]
    pub emote_only: bool,
    /// Nobody says what was said lately.
    #[serde(default)]
    pub unique: bool,
    /// Other channels may send their viewers here.
    #[serde(default = "yes")]
    pub raids: bool,
}

fn yes() -> bool {
    true
}

impl Default for ChatSettings {
    fn default() -> Self {
        Self {
            guests: true,
            slow_seconds: 0,
            followers: false,
            followers_minutes: 0,
            subscribers: false,
            emote_only: false,
            unique: false,
            raids: true,
        }
    }
}

/// `PATCH /api/v1/channels/{name}/chat` by the owner or a moderator; what is absent stays. Answered with [`ChatSettings`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EditChat {
    /// Whether people without an account may write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guests: Option<bool>,
    /// Seconds between two messages of one person, 0 to 600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow_seconds: Option<u32>,
    /// Whether only who follows the channel writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub followers: Option<bool>,
    /// For how many minutes they must have followed it by then, 0 to 129,600 (90 days).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub followers_minutes: Option<u32>,
    /// Whether only who subscribes to the channel writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscribers: Option<bool>,
    /// Whether messages are of emotes alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emote_only: Option<bool>,
    /// Whether nobody says what was said lately.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique: Option<bool>,
    /// Whether other channels may send their viewers here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raids: Option<bool>,
}

impl EditChat {
    /// The rules with what is to change.
    pub fn on(self, settings: ChatSettings) -> ChatSettings {
        ChatSettings {
            guests: self.guests.unwrap_or(settings.guests),
            slow_seconds: self.slow_seconds.unwrap_or(settings.slow_seconds),
            followers: self.followers.unwrap_or(settings.followers),
            followers_minutes: self.followers_minutes.unwrap_or(settings.followers_minutes),
            subscribers: self.subscribers.unwrap_or(settings.subscribers),
            emote_only: self.emote_only.unwrap_or(settings.emote_only),
            unique: self.unique.unwrap_or(settings.unique),
            raids: self.raids.unwrap_or(settings.raids),
        }
    }
}

/// A picture that stands for a word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Emote {
    /// What is typed, with its colons: `:wave:`.
    pub code: String,
    /// Where its picture is, on this server.
    pub url: String,
    /// It is the channel's own; the others can be typed everywhere.
    #[serde(default, skip_serializing_if = "is_false")]
    pub own: bool,
    /// The tier that it takes to type it; absent for everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
}

/// `GET /api/v1/channels/{name}/chat`, with the header `Weir-Guest` for a guest: the room, and what the one who asks may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChatRoom {
    /// Its rules.
    pub settings: ChatSettings,
    /// As whom the one who asks would write; absent for somebody who is neither signed in nor a known guest.
    pub you: Option<ChatAuthor>,
    /// Whether they may delete and time out.
    pub can_moderate: bool,
    /// Until when they are timed out.
    pub silenced_until: Option<Timestamp>,
    /// Whether they are banned.
    pub banned: bool,
    /// The message that is shown above all others.
    pub pin: Option<ChatMessage>,
    /// The last poll, with what was answered.
    pub poll: Option<Poll>,
    /// What they voted in it, counted from 0.
    pub vote: Option<u32>,
    /// The raid that is about to leave.
    pub raid: Option<Raid>,
    /// The commands that they may give.
    pub commands: Vec<CommandHelp>,
    /// What can be typed here, in the picker's order.
    pub emotes: Vec<Emote>,
    /// The highest tier whose emotes the one who asks may type; absent for none.
    #[serde(default)]
    pub emote_tier: Option<Tier>,
    /// The channel's own pictures for its subscribers' badges.
    #[serde(default)]
    pub badges: Vec<BadgePicture>,
}

/// `POST /api/v1/chat/guests`: a name to write under without an account. Answered 201 with [`NewGuest`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateGuest {
    /// What others see.
    pub name: DisplayName,
}

/// A guest that was just made.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NewGuest {
    /// As whom messages will be written.
    pub author: ChatAuthor,
    /// What proves it: in the header `Weir-Guest` of requests, and in `payload.guest` on the event socket.
    pub token: String,
}

/// `POST /api/v1/channels/{name}/chat/messages`, and the payload of `chat:send_message:v1:requested` (beside its `channel`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewMessage {
    /// What was typed.
    pub text: String,
    /// Which message it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// Chosen by the sender for this message: sent again with the same key, it is taken once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<RequestId>,
}

/// The message is on disk: the answer 201, and the payload of `chat:send_message:v1:success`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Sent {
    /// Its id.
    pub id: MessageId,
    /// Its place; 0 for one that is held.
    pub sequence: Cursor,
    /// It waits for a moderator, and the room shows it when they let it through. If they don't, the room tells of its id as
    /// deleted.
    #[serde(default, skip_serializing_if = "is_false")]
    pub held: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_carries_its_type_beside_its_fields() {
        let message = ChatMessage {
            id: "m1".parse().unwrap(),
            sequence: Cursor(7),
            at: Timestamp::from_millis(0),
            author: ChatAuthor {
                id: "guest-1".parse().unwrap(),
                name: "Ben".parse().unwrap(),
                account: None,
                badges: vec![Badge::Guest],
                colour: None,
            },
            fragments: vec![Fragment::Text { text: "<b>hi</b> ".into() }],
            reply_to: None,
            action: false,
        };
        let update = ChatUpdate::Message(Box::new(message));
        let json = serde_json::to_value(&update).unwrap();
        assert_eq!(json["type"], "message");
        assert_eq!(json["fragments"][0]["type"], "text");
        assert_eq!(json["author"]["badges"][0], "guest");
        assert_eq!(serde_json::from_value::<ChatUpdate>(json).unwrap(), update);
    }
}
