//! What a room's owner and its moderators do in chat, and the record of it.

use crate::{
    chat::{Badge, ChatAuthor, Fragment, NameColour, ReplyTo},
    id::{ActionId, MessageId, PersonId},
    text::{AccountName, DisplayName},
    unit::Timestamp,
};
use serde::{Deserialize, Serialize};

/// `POST /api/v1/channels/{name}/chat/silences` by the owner or a moderator: a time-out. What the person wrote in the last
/// ten minutes is deleted. Answered 201 with [`Silence`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSilence {
    /// Who.
    pub person: PersonId,
    /// For how long, 1 to 1,209,600 (two weeks).
    pub seconds: u32,
    /// Why, for the record; up to 200 characters.
    #[serde(default)]
    pub reason: String,
}

/// A time-out that runs: in `GET /api/v1/channels/{name}/chat/silences` (a page); `DELETE …/silences/{person}` lifts it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Silence {
    /// Who.
    pub person: PersonId,
    /// Their name.
    pub name: DisplayName,
    /// Since when, as far as it is known.
    pub at: Option<Timestamp>,
    /// Until when.
    pub until: Timestamp,
    /// Who did it.
    pub by: PersonId,
    /// Why.
    pub reason: String,
}

/// A moderator, in `GET /api/v1/channels/{name}/moderators` (a page, for the owner and moderators); `PUT` (answered with
/// this) and `DELETE …/moderators/{account}` by the owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Moderator {
    /// Stable.
    pub id: PersonId,
    /// What they sign in with.
    pub account: AccountName,
    /// What others see.
    pub name: DisplayName,
}

/// A command that somebody may give, in [`crate::chat::ChatRoom`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CommandHelp {
    /// How it is typed: `/timeout NAME [TIME] [REASON]`.
    pub usage: String,
    /// What it does, in a sentence.
    pub help: String,
}

/// `POST /api/v1/channels/{name}/chat/commands`: a command as it is typed. Answered with [`CommandDone`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GiveCommand {
    /// What was typed, with its stroke: `/slow 30`.
    pub text: String,
    /// The message that it is about, for `/delete` and `/pin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CommandDone {
    /// In sentences, for the one who gave it alone.
    pub said: Vec<String>,
}

/// `POST /api/v1/channels/{name}/chat/bans` by the owner or a moderator: a ban, until it is lifted. What the person wrote in
/// the last hour is deleted. Answered 201 with [`Ban`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewBan {
    /// Who.
    pub person: PersonId,
    /// Why, for the record; up to 200 characters.
    #[serde(default)]
    pub reason: String,
}

/// A ban, in `GET /api/v1/channels/{name}/chat/bans` (a page); `DELETE …/bans/{person}` lifts it. A guest's holds for every
/// guest of the same network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Ban {
    /// Who.
    pub person: PersonId,
    /// Their name.
    pub name: DisplayName,
    /// Since when.
    pub at: Timestamp,
    /// Who did it.
    pub by: PersonId,
    /// Why.
    pub reason: String,
}

/// `PUT /api/v1/channels/{name}/chat/pin` by the owner or a moderator: shows a message above all others. `DELETE` takes it
/// from there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewPin {
    /// Which message.
    pub message: MessageId,
}

/// What a moderator did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum ActionKind {
    /// Deleted somebody's message.
    Delete,
    /// Timed somebody out; the detail is for how many seconds, and why.
    TimeOut,
    /// Lifted a time-out.
    LiftTimeOut,
    /// Banned somebody; the detail is why.
    Ban,
    /// Lifted a ban.
    Unban,
    /// Cleared the room.
    Clear,
    /// Changed the room's rules; the detail is what they are now.
    Rules,
    /// Made somebody a moderator.
    AddModerator,
    /// Took that away.
    RemoveModerator,
    /// Made somebody a VIP.
    AddVip,
    /// Took that away.
    RemoveVip,
    /// Pinned a message.
    Pin,
    /// Took the pinned message down.
    Unpin,
    /// Changed what is held; the detail is what holds now.
    Filters,
    /// Let a held message through.
    Approve,
    /// Refused a held message.
    Refuse,
    /// Began a poll; the detail is its question.
    StartPoll,
    /// Ended a poll before its time.
    EndPoll,
    /// Sent those who watch to another channel; the detail is which.
    Raid,
    /// Called that off.
    EndRaid,
    /// Added an emote, or changed its picture; the detail is its name.
    SetEmote,
    /// Took an emote away; the detail is its name.
    RemoveEmote,
    /// Accepted an appeal, which lifted what it was against; the detail is the answer.
    AcceptAppeal,
    /// Declined an appeal; the detail is the answer.
    DeclineAppeal,
    /// Said who may type an emote; the detail is its name and the tier.
    TierEmote,
    /// Set a picture for subscribers' badges; the detail is the tier.
    SetBadge,
    /// Took it away; the detail is the tier.
    RemoveBadge,
}

impl ActionKind {
    const NAMES: [(Self, &'static str); 27] = [
        (Self::Delete, "delete"),
        (Self::TimeOut, "timeOut"),
        (Self::LiftTimeOut, "liftTimeOut"),
        (Self::Ban, "ban"),
        (Self::Unban, "unban"),
        (Self::Clear, "clear"),
        (Self::Rules, "rules"),
        (Self::AddModerator, "addModerator"),
        (Self::RemoveModerator, "removeModerator"),
        (Self::AddVip, "addVip"),
        (Self::RemoveVip, "removeVip"),
        (Self::Pin, "pin"),
        (Self::Unpin, "unpin"),
        (Self::Filters, "filters"),
        (Self::Approve, "approve"),
        (Self::Refuse, "refuse"),
        (Self::StartPoll, "startPoll"),
        (Self::EndPoll, "endPoll"),
        (Self::Raid, "raid"),
        (Self::EndRaid, "endRaid"),
        (Self::SetEmote, "setEmote"),
        (Self::RemoveEmote, "removeEmote"),
        (Self::AcceptAppeal, "acceptAppeal"),
        (Self::DeclineAppeal, "declineAppeal"),
        (Self::TierEmote, "tierEmote"),
        (Self::SetBadge, "setBadge"),
        (Self::RemoveBadge, "removeBadge"),
    ];

    /// As it is written down, the same as in JSON.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// From what was written down.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }
}

/// Something that a moderator did, in `GET /api/v1/channels/{name}/chat/actions` (a page, newest first; for the owner and
/// moderators). The record is written with the deed or not at all, and never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChatAction {
    /// Stable.
    pub id: ActionId,
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub by: PersonId,
    /// Their name then.
    pub by_name: DisplayName,
    /// What.
    pub kind: ActionKind,
    /// To whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// Their name then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person_name: Option<DisplayName>,
    /// To which message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
    /// More about it, in words.
    pub detail: String,
}

/// What happens to links of those who don't moderate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum LinkRule {
    /// They pass.
    #[default]
    Allow,
    /// A moderator looks first.
    Hold,
    /// They are refused.
    Refuse,
}

/// What is held until a moderator looked at it: `GET` and `PUT /api/v1/channels/{name}/chat/filters`, for the owner and
/// moderators. Neither their messages nor VIPs' are held.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Filters {
    /// Words and phrases, at most 200 of 1 to 40 characters. `*` at an end stands for any letters there. Case, accents,
    /// look-alike letters, spaces between letters and drawn-out letters make no difference.
    #[serde(default)]
    pub words: Vec<String>,
    /// What happens to links.
    #[serde(default)]
    pub links: LinkRule,
    /// Where links may lead all the same, at most 100: a host, with all below it.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Whether what somebody says over and over is held.
    #[serde(default)]
    pub repeats: bool,
    /// Whether shouting in capitals is held.
    #[serde(default)]
    pub capitals: bool,
    /// Whether words of letters from several scripts that look alike are held.
    #[serde(default)]
    pub look_alikes: bool,
}

/// Why a message is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum HoldReason {
    /// A word of the list.
    Word,
    /// A link.
    Link,
    /// The same over and over.
    Repeats,
    /// Capitals.
    Capitals,
    /// Letters that look like others.
    LookAlikes,
}

/// A message that waits for a moderator, in `GET /api/v1/channels/{name}/chat/held` (a page, oldest first).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct HeldMessage {
    /// Stable; the message's own, should it be let through.
    pub id: MessageId,
    /// When it was taken.
    pub at: Timestamp,
    /// Who wrote it.
    pub author: ChatAuthor,
    /// What it says.
    pub fragments: Vec<Fragment>,
    /// What it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<ReplyTo>,
    /// It tells what its author does.
    #[serde(default)]
    pub action: bool,
    /// Why it waits.
    pub reasons: Vec<HoldReason>,
}

/// `POST /api/v1/channels/{name}/chat/held/{id}` by the owner or a moderator: lets a held message through, or refuses it.
/// Answered with [`Decided`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Decide {
    /// Whether it is shown.
    pub approve: bool,
}

/// What became of a held message. Whoever decides second gets what the first decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Decided {
    /// Whether it is shown.
    pub approved: bool,
    /// Who decided.
    pub by: PersonId,
    /// Their name.
    pub by_name: DisplayName,
}

/// A message in somebody's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PastMessage {
    /// Stable.
    pub id: MessageId,
    /// When it was taken.
    pub at: Timestamp,
    /// What it says, as plain text.
    pub text: String,
    /// Whether it is deleted.
    pub deleted: bool,
}

/// `GET /api/v1/channels/{name}/chat/people/{person}`: what moderators know of somebody in this chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PersonCard {
    /// Who.
    pub person: PersonId,
    /// Their name.
    pub name: DisplayName,
    /// What they sign in with; absent for guests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountName>,
    /// What they were to the channel when they wrote last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub badges: Vec<Badge>,
    /// The colour that their name had then, if they chose one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colour: Option<NameColour>,
    /// When they first wrote here.
    pub first_at: Option<Timestamp>,
    /// How many messages they wrote here, deleted ones too.
    pub messages: u64,
    /// Until when they are timed out.
    pub silenced_until: Option<Timestamp>,
    /// Whether they are banned.
    pub banned: bool,
    /// Their last 50 messages, newest first.
    pub recent: Vec<PastMessage>,
    /// The last 50 things that moderators did about them, newest first.
    pub actions: Vec<ChatAction>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_written_down_as_it_is_told() {
        for (kind, name) in ActionKind::NAMES {
            assert_eq!(serde_json::to_value(kind).unwrap(), name);
            assert_eq!(ActionKind::of_name(kind.name()), Some(kind));
        }
        assert_eq!(ActionKind::of_name("x"), None);
    }
}
