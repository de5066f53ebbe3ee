//! The record of what was done by those who run the instance, own channels and moderate.

use crate::{id::EventId, unit::Timestamp};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

macro_rules! actions {
    ($($(#[doc = $doc:tt])* $variant:ident = $name:tt,)*) => {
        /// Something that was done. Its name's first part says with what.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum AuditAction {
            $($(#[doc = $doc])* #[serde(rename = $name)] $variant,)*
        }

        impl AuditAction {
            /// Every action there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// As it is written.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

actions! {
    /// What somebody may do on the instance was changed.
    AccountRole = "account.role",
    /// Somebody was kept from signing in.
    AccountSuspended = "account.suspended",
    /// Somebody was let in again.
    AccountRestored = "account.restored",
    /// Somebody's account was deleted, with their channels.
    AccountDeleted = "account.deleted",
    /// Somebody's password was set anew, by a link or from the shell.
    PasswordReset = "account.password",
    /// A link to a new password was made in the shell.
    PasswordLinkMade = "account.passwordLink",
    /// Somebody made their account by the OpenID provider.
    AccountJoined = "account.joined",
    /// Somebody signed in. Of many in a row, some are left out.
    AccountSignedIn = "account.signedIn",
    /// Nobody was let in: the tries of a while, in one entry.
    SignInsFailed = "account.signInsFailed",
    /// Somebody connected their account with the OpenID provider.
    AccountConnected = "account.connected",
    /// Somebody disconnected their account from the OpenID provider.
    AccountDisconnected = "account.disconnected",
    /// How the instance runs was changed.
    InstanceEdited = "instance.edited",
    /// Something happened more often than it should: those who run the instance were told.
    Alerted = "instance.alert",
    /// An invite was made.
    InviteMade = "invite.made",
    /// An invite was revoked.
    InviteRevoked = "invite.revoked",
    /// An API token was made.
    TokenMade = "token.made",
    /// An API token was revoked.
    TokenRevoked = "token.revoked",
    /// A passkey was added to an account.
    PasskeyAdded = "passkey.added",
    /// A passkey was removed.
    PasskeyRemoved = "passkey.removed",
    /// A channel was made.
    ChannelMade = "channel.made",
    /// A channel was deleted, with all that was its own.
    ChannelDeleted = "channel.deleted",
    /// A channel was kept from publishing and from being watched.
    ChannelSuspended = "channel.suspended",
    /// And isn't any more.
    ChannelRestored = "channel.restored",
    /// What a channel says of itself, or who may see it, was changed.
    ChannelEdited = "channel.edited",
    /// The stream key was replaced.
    StreamKeyReplaced = "channel.streamKey",
    /// Signed embeds were revoked.
    EmbedsRevoked = "channel.embeds",
    /// Whether renditions are made was changed.
    LadderSet = "channel.ladder",
    /// A broadcast was ended by the API.
    BroadcastEnded = "channel.ended",
    /// A private channel's password was set, or removed.
    AccessPassword = "access.password",
    /// Which subscribers a private channel lets in was changed.
    AccessSubscribers = "access.subscribers",
    /// Somebody was put on a private channel's list.
    AccessGiven = "access.given",
    /// Somebody was taken off it.
    AccessTaken = "access.taken",
    /// A link into a private channel was made.
    AccessLinkMade = "access.linkMade",
    /// A link into a private channel was revoked.
    AccessLinkRevoked = "access.linkRevoked",
    /// Somebody was given a tier.
    SubscriptionGranted = "subscription.granted",
    /// Somebody's subscription was ended by the owner.
    SubscriptionEnded = "subscription.ended",
    /// Gift codes were made.
    GiftCodesMade = "subscription.codesMade",
    /// Gift codes were withdrawn.
    GiftCodesWithdrawn = "subscription.codesWithdrawn",
    /// Somebody was made an editor or a VIP.
    RoleGiven = "role.given",
    /// And isn't one any more.
    RoleTaken = "role.taken",
    /// Somebody was made a moderator.
    ModeratorAdded = "moderator.added",
    /// And isn't one any more.
    ModeratorRemoved = "moderator.removed",
    /// Somebody was banned from a room.
    Banned = "chat.banned",
    /// A ban was lifted.
    BanLifted = "chat.banLifted",
    /// An appeal was accepted, which lifted a ban or a time-out.
    AppealAccepted = "chat.appealAccepted",
    /// An appeal was declined.
    AppealDeclined = "chat.appealDeclined",
    /// A room was cleared.
    ChatCleared = "chat.cleared",
    /// A message was pinned.
    MessagePinned = "chat.pinned",
    /// The pinned message was taken down.
    MessageUnpinned = "chat.unpinned",
    /// What is held for moderators was changed.
    FiltersSet = "chat.filters",
    /// A held message was let through.
    MessageApproved = "chat.approved",
    /// A held message was refused.
    MessageRefused = "chat.refused",
    /// A poll was begun.
    PollStarted = "chat.pollStarted",
    /// A poll was ended before its time.
    PollEnded = "chat.pollEnded",
    /// A raid was begun.
    RaidStarted = "chat.raidStarted",
    /// A raid was called off.
    RaidEnded = "chat.raidEnded",
    /// An emote was added, or its picture changed.
    EmoteSet = "emote.set",
    /// An emote was taken away.
    EmoteRemoved = "emote.removed",
    /// Who may type an emote was changed.
    EmoteTierSet = "emote.tier",
    /// An emote for all channels was added, or its picture changed.
    InstanceEmoteSet = "instance.emoteSet",
    /// An emote for all channels was taken away.
    InstanceEmoteRemoved = "instance.emoteRemoved",
    /// A picture for subscribers' badges was set.
    BadgeSet = "badge.set",
    /// A picture for subscribers' badges was taken away.
    BadgeRemoved = "badge.removed",
    /// A room's rules were changed.
    ChatEdited = "chat.edited",
    /// Somebody else's message was deleted.
    MessageDeleted = "chat.deleted",
    /// Somebody was timed out.
    TimedOut = "chat.timedOut",
    /// A time-out was lifted.
    TimeOutLifted = "chat.timeOutLifted",
    /// A webhook was made.
    WebhookMade = "webhook.made",
    /// A webhook was changed.
    WebhookEdited = "webhook.edited",
    /// A webhook was removed.
    WebhookRemoved = "webhook.removed",
    /// A webhook got another secret.
    WebhookSecret = "webhook.secret",
}

/// No action has this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such action")]
pub struct AuditActionError;

impl FromStr for AuditAction {
    type Err = AuditActionError;

    fn from_str(text: &str) -> Result<Self, AuditActionError> {
        Self::ALL.iter().copied().find(|action| action.name() == text).ok_or(AuditActionError)
    }
}

/// Somebody or something, as it was called then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuditParty {
    /// Its stable id.
    pub id: String,
    /// What it was called, if it had a name.
    #[serde(default)]
    pub name: Option<String>,
}

/// One thing that was done, in `GET /api/v1/audit` and `GET /api/v1/channels/{name}/audit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    /// Its own id.
    pub id: EventId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub action: AuditAction,
    /// By whom; null if on the server's own console, and for what the server saw by itself.
    pub actor: Option<AuditParty>,
    /// On which channel; null for what is of the instance.
    pub channel: Option<AuditParty>,
    /// To whom or what; null where that is the channel or the instance.
    pub target: Option<AuditParty>,
    /// The rest in words; may be empty.
    pub detail: String,
    /// From which address; null unless the instance keeps addresses, and for no longer than it does.
    pub address: Option<String>,
}

/// What a record may be asked with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuditQuery {
    /// `next` of the page before; the first page if absent.
    #[serde(default)]
    pub cursor: Option<String>,
    /// The most entries, 1 to 200; 50 if absent.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", param(minimum = 1, maximum = 200))]
    pub limit: Option<u32>,
    /// By whom: what they sign in with, or their id.
    #[serde(default)]
    pub actor: Option<String>,
    /// What: an action like `chat.timedOut`, or all of one kind like `chat`.
    #[serde(default)]
    pub action: Option<String>,
    /// To whom or what: a name or an id.
    #[serde(default)]
    pub target: Option<String>,
    /// Not before this time (RFC 3339).
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// Before this time.
    #[serde(default)]
    pub until: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_a_name_of_its_own_and_comes_back_from_it() {
        for (place, action) in AuditAction::ALL.iter().enumerate() {
            assert_eq!(action.name().parse(), Ok(*action));
            assert_eq!(serde_json::to_value(action).unwrap(), action.name());
            assert!(!AuditAction::ALL[..place].iter().any(|other| other.name() == action.name()));
        }
        assert_eq!("chat".parse::<AuditAction>(), Err(AuditActionError));
    }
}
