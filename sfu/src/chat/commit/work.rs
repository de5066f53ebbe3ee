//! What is to be written in a room, and what comes of it.

use crate::{
    actor::Actor,
    chat::{
        VipRefused,
        ban::NetworkHash,
        emote::{self, picture::Picture},
        filter::Filter,
        mode::Said,
        room::{Refused, Writer},
    },
};
use shared::{
    appeal::AppealDecided,
    chat::{ChatAuthor, ChatMessage, ChatSettings, ChatUpdate, EditChat, Fragment, ReplyTo, Sent},
    emote::EmoteName,
    event::Cursor,
    id::{AccountId, AppealId, BroadcastId, ChannelId, ChannelName, MessageId, PersonId, PollId, RequestId},
    moderation::{ActionKind, Ban, ChatAction, Decided, HoldReason, Silence},
    poll::Poll,
    raid::Raid,
    subscription::Tier,
    text::{AccountName, DisplayName},
};
use std::sync::Arc;

/// A message that is to be written.
#[derive(Debug)]
pub struct Draft {
    /// Its id.
    pub id: MessageId,
    /// Who writes.
    pub author: ChatAuthor,
    /// What.
    pub fragments: Vec<Fragment>,
    /// It tells what its author does.
    pub action: bool,
    /// In answer to what.
    pub reply_to: Option<ReplyTo>,
    /// The sender's own name for it.
    pub key: Option<RequestId>,
    /// What is live beside it.
    pub broadcast: Option<BroadcastId>,
    /// Whether it was counted, which is taken back if it can't be written.
    pub is_counted: bool,
    /// What it was counted as.
    pub said: Said,
    /// Who writes as the rules know them, who are asked once more when it is their turn; none where a moderator lets it through.
    pub writer: Option<Writer>,
}

/// An appeal that is to be written.
#[derive(Debug)]
pub struct NewAppealed {
    /// Its id.
    pub id: AppealId,
    /// Whose.
    pub person: PersonId,
    /// Their name.
    pub name: DisplayName,
    /// What it says.
    pub text: String,
}

/// What became of an appeal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closed {
    /// A moderator decided it.
    Decided(AppealDecided),
    /// What it was against holds no more.
    Over,
}

/// What is to be written.
#[derive(Debug)]
pub enum Work {
    /// A message.
    Message(Box<Draft>),
    /// A message waits for a moderator.
    Hold {
        /// It.
        draft: Box<Draft>,
        /// Why.
        reasons: Vec<HoldReason>,
    },
    /// A moderator decides what becomes of one that waits.
    Decide {
        /// Which.
        message: MessageId,
        /// What.
        decided: Decided,
    },
    /// What is held changes.
    Filters(Arc<Filter>),
    /// A message is to be deleted.
    Delete {
        /// Which.
        message: MessageId,
        /// By whom.
        by: PersonId,
    },
    /// A time-out begins.
    Silence {
        /// It.
        silence: Box<Silence>,
        /// The person's network.
        network: Option<NetworkHash>,
        /// What the room salts hashes with.
        salt: String,
    },
    /// A time-out is lifted.
    Unsilence {
        /// Whose.
        person: PersonId,
    },
    /// A ban begins.
    Ban {
        /// It.
        ban: Box<Ban>,
        /// The guest's network.
        network: Option<NetworkHash>,
        /// What the room salts hashes with.
        salt: String,
    },
    /// A ban is lifted.
    Unban {
        /// Whose.
        person: PersonId,
    },
    /// Somebody appeals.
    Appeal(Box<NewAppealed>),
    /// A moderator decides an appeal.
    DecideAppeal {
        /// Which.
        appeal: AppealId,
        /// What.
        decided: AppealDecided,
        /// What the person is told.
        answer: String,
    },
    /// The room is cleared.
    Clear,
    /// A message is pinned, in the place of the one that was.
    Pin(Box<ChatMessage>),
    /// None is any more.
    Unpin,
    /// The room's rules change.
    Settings(EditChat),
    /// Somebody becomes a moderator, or isn't one any more.
    Moderator {
        /// Who.
        account: AccountId,
        /// Which of the two.
        is_moderator: bool,
    },
    /// A poll begins.
    StartPoll(Box<Poll>),
    /// Somebody votes.
    Vote {
        /// In which poll.
        poll: PollId,
        /// As whom.
        voter: String,
        /// What.
        option: u32,
    },
    /// A poll's results are told.
    TellPoll(PollId),
    /// A poll ends.
    EndPoll(PollId),
    /// An emote is added, or its picture changes.
    SetEmote(Box<Made>),
    /// An emote is taken away.
    RemoveEmote(EmoteName),
    /// An emote is for a tier and those above it from now on, or for everybody.
    TierEmote(EmoteName, Option<Tier>),
    /// An emote for all channels was added, got another picture or was taken away: what is so by then is told.
    TellEverywhere(EmoteName),
    /// A picture for subscribers' badges is set.
    SetBadge(Tier, Box<Hashed>),
    /// It is taken away.
    RemoveBadge(Tier),
    /// A raid is about to leave.
    StartRaid(Box<Raid>),
    /// It is called off.
    EndRaid,
    /// Another channel's viewers come.
    Raided(Box<Arrival>),
    /// Somebody becomes a VIP, or isn't one any more.
    Vip {
        /// Who says so.
        by: Actor,
        /// Who.
        account: AccountName,
        /// Which of the two.
        is_vip: bool,
    },
}

/// A raid that arrives.
#[derive(Debug)]
pub struct Arrival {
    /// From where.
    pub from: ChannelName,
    /// The same by its id.
    pub from_channel: ChannelId,
    /// What that channel is called.
    pub name: DisplayName,
    /// Where it goes, and when it left.
    pub raid: Raid,
    /// How many.
    pub viewers: u32,
}

/// An emote with the picture that was made for it.
#[derive(Debug)]
pub struct Made {
    /// What is typed.
    pub name: EmoteName,
    /// What is shown.
    pub picture: Hashed,
}

/// A picture, and what it is called.
#[derive(Debug)]
pub struct Hashed {
    /// The SHA-256 of what is shown.
    pub hash: String,
    /// It.
    pub picture: Picture,
}

impl Hashed {
    /// Its address.
    pub fn url(&self) -> String {
        emote::picture_url(&self.hash, self.picture.moving.is_some())
    }
}

/// What a moderator does, for the record; written with the work if that changes anything.
#[derive(Debug, Clone)]
pub struct Act {
    /// The login or token that it is done with; none where nobody's own is known.
    pub who: Option<Actor>,
    /// Who.
    pub by: PersonId,
    /// Their name.
    pub by_name: DisplayName,
    /// What.
    pub kind: ActionKind,
    /// To whom.
    pub person: Option<(PersonId, DisplayName)>,
    /// To which message.
    pub message: Option<MessageId>,
    /// More, in words.
    pub detail: String,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// The message is on disk, now or since it was sent with the same key before.
    Sent(Sent),
    /// It is written.
    Changed,
    /// The rules as they are now.
    Settings(ChatSettings),
    /// The vote that stands.
    Voted(u32),
    /// What became of a message that waited, and whether it was decided just now.
    Decided(Decided, bool),
    /// What became of an appeal, and whether it was decided just now.
    Appeal(Closed, bool),
    /// The message is not written: meanwhile its author may not write.
    Refused(Refused),
    /// Whether that made somebody a VIP who wasn't, or the other way; or why not.
    Vip(Result<bool, VipRefused>),
    /// It was so already.
    Again,
    /// There was nothing to change.
    Nothing,
}

/// What came of a piece of work, what followers are told, and what the record says of it.
#[derive(Debug)]
pub struct Written {
    /// What came of it.
    pub done: Done,
    /// What followers are told.
    pub updates: Vec<(Cursor, ChatUpdate)>,
    /// What the record says.
    pub action: Option<ChatAction>,
    /// How many more messages wait, or fewer.
    pub held: i64,
}

impl Work {
    /// How many places in the room it may take.
    pub fn places(&self) -> u64 {
        match self {
            Self::Message(_) => 1,
            Self::Silence { .. } | Self::Ban { .. } => 3,
            _ => 2,
        }
    }
}
