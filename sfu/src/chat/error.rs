//! Why something was not done in a room. Pure.

use super::{
    VipRefused, command::CommandError, emote::picture::PictureError, filter::FilterError, mode::Barred,
    moderation::MODERATORS_MOST, name::NameError, room::Refused, task::WriteError, text::TextError,
};
use crate::{actor::EmbedError, permission::Permission, store::StoreError};
use shared::{
    appeal::AppealDecided,
    emote::{EMOTES_MOST, INSTANCE_EMOTES_MOST},
};
use std::{sync::Arc, time::Duration};

/// Why something was not done in a room.
#[derive(Debug, thiserror::Error)]
pub enum ChatError {
    /// No such channel, as far as the one who asks may know.
    #[error("there is no such channel")]
    UnknownChannel,
    /// The channel is kept from being watched.
    #[error("this channel is suspended")]
    Suspended,
    /// The signed embed doesn't admit.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// Neither signed in nor a guest.
    #[error("nobody writes")]
    Nobody,
    /// The guest's token is nobody's.
    #[error("this guest is not known")]
    UnknownGuest,
    /// The text can't be a message.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The rules of the room.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The guest's name can't be had.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Too many guests from one address.
    #[error("too many guests from this address")]
    TooManyGuests {
        /// How long to wait.
        wait: Duration,
    },
    /// No such message, or it is deleted.
    #[error("there is no such message")]
    UnknownMessage,
    /// Nobody by that id was in the room.
    #[error("nobody by that id was here")]
    UnknownPerson,
    /// No such account.
    #[error("there is no such account")]
    UnknownAccount,
    /// A poll is open already.
    #[error("a poll is open already")]
    PollOpen,
    /// No such poll is open.
    #[error("no such poll is open")]
    NoPoll,
    /// One of the two channels of a raid isn't live.
    #[error("{0}")]
    RaidNotLive(&'static str),
    /// The other channel takes no raids, or not this one's.
    #[error("that channel takes no raids")]
    RaidRefused,
    /// A raid was a moment ago.
    #[error("a raid was a moment ago")]
    RaidTooSoon {
        /// How long to wait.
        wait: Duration,
    },
    /// No raid is about to leave.
    #[error("no raid is about to leave")]
    NoRaid,
    /// The file can't be an emote.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// Every channel has an emote of this name.
    #[error("every channel has an emote of this name")]
    EmoteTaken,
    /// More emotes than a channel has.
    #[error("a channel has at most {EMOTES_MOST} emotes")]
    TooManyEmotes,
    /// More emotes than those who run the instance give to all channels.
    #[error("there are at most {INSTANCE_EMOTES_MOST} emotes of all channels")]
    TooManyEverywhere,
    /// No such emote.
    #[error("there is no such emote")]
    UnknownEmote,
    /// No picture of the channel's own is shown for this badge.
    #[error("this badge has no picture of the channel's own")]
    NoBadge,
    /// A colour was chosen too often.
    #[error("too many colours")]
    TooManyColours {
        /// How long to wait.
        wait: Duration,
    },
    /// Too many pictures from one person.
    #[error("too many pictures")]
    TooManyUploads {
        /// How long to wait.
        wait: Duration,
    },
    /// Links are refused here.
    #[error("links are refused here")]
    LinksRefused,
    /// More messages wait for moderators than may.
    #[error("more messages wait for moderators than may")]
    QueueFull,
    /// No such message waits.
    #[error("no such message waits")]
    UnknownHeld,
    /// Nothing holds that can be appealed against.
    #[error("there is nothing to appeal against")]
    NothingToAppeal,
    /// It was appealed against that already.
    #[error("this was appealed against already")]
    Appealed,
    /// Too many appeals from one person.
    #[error("too many appeals")]
    TooManyAppeals {
        /// How long to wait.
        wait: Duration,
    },
    /// No such appeal.
    #[error("there is no such appeal")]
    UnknownAppeal,
    /// Another moderator was first.
    #[error("another moderator decided this appeal")]
    AppealDecided(AppealDecided),
    /// What it was against holds no more.
    #[error("this appeal is over")]
    AppealOver,
    /// The filters can't be taken.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// No ban stands.
    #[error("this person is not banned")]
    NotBanned,
    /// No message is pinned.
    #[error("no message is pinned")]
    NotPinned,
    /// A command, sent as a message.
    #[error("/{0} is a command")]
    IsCommand(&'static str),
    /// A command that can't be carried out as it was typed.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// No command at all.
    #[error("this is no command")]
    NoCommand,
    /// A time-out doesn't run.
    #[error("this person is not timed out")]
    NotSilenced,
    /// For the owner and moderators alone.
    #[error("only the owner and moderators may do this")]
    NotModerator,
    /// For the owner alone.
    #[error("only the owner may do this")]
    NotOwner,
    /// For those who run the instance alone.
    #[error("only those who run the instance may do this")]
    NotAdmin,
    /// For people with an account.
    #[error("only people with an account may do this")]
    NoAccount,
    /// The owner and moderators can't be timed out.
    #[error("the owner and moderators can't be timed out")]
    Untouchable,
    /// The owner needs no such thing.
    #[error("the owner is no moderator")]
    IsOwner,
    /// An editor is more than a VIP.
    #[error("an editor can't be made a VIP")]
    IsEditor,
    /// More moderators than a channel has.
    #[error("a channel has at most {MODERATORS_MOST} moderators")]
    TooManyModerators,
    /// More editors and VIPs than a channel has.
    #[error("a channel has as many editors and VIPs as it may")]
    TooManyRoles,
    /// A number or a text is out of its bounds.
    #[error("{detail}")]
    Invalid {
        /// The field at fault.
        field: &'static str,
        /// In a sentence.
        detail: &'static str,
    },
    /// More waits for the disk than may.
    #[error("more messages wait for the disk than may")]
    Busy,
    /// The store could not do it.
    #[error(transparent)]
    Store(Arc<StoreError>),
}

impl From<StoreError> for ChatError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl From<VipRefused> for ChatError {
    fn from(refused: VipRefused) -> Self {
        match refused {
            VipRefused::UnknownAccount => Self::UnknownAccount,
            VipRefused::IsOwner => Self::IsOwner,
            VipRefused::IsEditor => Self::IsEditor,
            VipRefused::TooMany => Self::TooManyRoles,
        }
    }
}

impl From<WriteError> for ChatError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Full | WriteError::Stopped => Self::Busy,
            WriteError::Store(error) => Self::Store(error),
        }
    }
}

/// What a rejected message is counted under.
pub fn reason(error: &ChatError) -> &'static str {
    match error {
        ChatError::UnknownChannel => "unknown-channel",
        ChatError::Suspended => "channel-suspended",
        ChatError::Embed(_) => "embed",
        ChatError::Nobody | ChatError::UnknownGuest => "nobody",
        ChatError::Text(TextError::Empty) => "empty",
        ChatError::Text(_) => "too-long",
        ChatError::Refused(Refused::GuestsOff) => "guests-off",
        ChatError::Refused(Refused::Silenced { .. }) => "timed-out",
        ChatError::Refused(Refused::Banned) => "banned",
        ChatError::Refused(Refused::Barred(Barred::Followers { .. })) => "followers-only",
        ChatError::Refused(Refused::Barred(Barred::Subscribers)) => "subscribers-only",
        ChatError::Refused(Refused::Barred(Barred::Emotes)) => "emotes-only",
        ChatError::Refused(Refused::Barred(Barred::Repeated)) => "said-lately",
        ChatError::LinksRefused => "link",
        ChatError::QueueFull => "queue-full",
        ChatError::IsCommand(_) | ChatError::Command(_) => "command",
        ChatError::Refused(Refused::Slow { .. }) => "slow-mode",
        ChatError::Refused(Refused::TooFast { .. }) => "too-fast",
        ChatError::Refused(Refused::RoomBusy { .. }) => "room-busy",
        ChatError::UnknownMessage => "unknown-message",
        ChatError::Busy => "busy",
        ChatError::Store(_) => "store",
        _ => "other",
    }
}

/// What one is told who isn't allowed to do something.
pub fn refused(permission: Permission) -> ChatError {
    match permission {
        Permission::Appoint | Permission::Raid | Permission::EditChannel => ChatError::NotOwner,
        Permission::OwnAccount => ChatError::NoAccount,
        _ => ChatError::NotModerator,
    }
}
