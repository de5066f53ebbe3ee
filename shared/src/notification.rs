//! Notifications: what people are told of, by which ways, and when they are left alone.

use crate::{
    id::{NotificationId, PushId},
    schedule::TimeZoneName,
    text::{DeviceLabel, EmailAddress, Password},
    unit::Timestamp,
};
use serde::{Deserialize, Serialize};

/// What a notification is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum NotificationKind {
    /// A channel that one follows is live.
    WentLive,
    /// Somebody named one in a chat.
    Mention,
    /// Somebody follows one's channel.
    Follower,
    /// A channel's moderators timed one out, banned one, or lifted a ban.
    Moderation,
    /// One was given a subscription, one's own was ended or is about to run out, or somebody has subscribed to one's channel for
    /// long.
    Subscription,
    /// A word from the server itself.
    System,
}

impl NotificationKind {
    /// Every kind there is.
    pub const ALL: [Self; 6] =
        [Self::WentLive, Self::Mention, Self::Follower, Self::Moderation, Self::Subscription, Self::System];
}

/// One notification: `GET /api/v1/me/notifications`, a page, newest first. What is alike is gathered into one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// Stable.
    pub id: NotificationId,
    /// What it is about.
    pub kind: NotificationKind,
    /// What happened, in a sentence.
    pub title: String,
    /// More of it; may be empty.
    pub detail: String,
    /// The page that it leads to, a path of this server.
    pub url: String,
    /// The address of a picture on this server, if there is one.
    pub picture: Option<String>,
    /// How many times it happened since it was read.
    pub count: u32,
    /// When it happened last.
    pub at: Timestamp,
    /// Whether it was read.
    pub read: bool,
}

/// `PUT /api/v1/me/notifications/read`: all up to a time are read. Answered with [`Bell`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MarkRead {
    /// [`Notification::at`] of the newest that was seen.
    pub until: Timestamp,
}

/// The topic `account:stream_notifications:v1`: how many notifications wait for whoever asks, as it changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Bell {
    /// How many aren't read.
    pub unread: u32,
    /// The newest of them.
    pub latest: Option<Notification>,
}

/// By which ways one is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ways {
    /// By the bell of the pages.
    pub in_app: bool,
    /// By the browsers that one allowed to, also while no page is open.
    pub push: bool,
    /// By e-mail, once there is an address that is confirmed.
    #[serde(default)]
    pub email: bool,
}

/// When one is left alone: push and e-mail wait until it is over. In minutes since midnight; may go over midnight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QuietHours {
    /// From then on, 0 to 1,439.
    pub from: u16,
    /// Until then, 0 to 1,439.
    pub to: u16,
    /// By how many minutes one's clock is ahead of UTC, -840 to 840. Doesn't count where there is a zone.
    #[serde(default)]
    pub offset: i16,
    /// By whose clocks it is, also when they are put forward and back; by `offset` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<TimeZoneName>,
}

/// `GET /api/v1/me/notification-preferences`; `PUT` there takes the whole of it and answers with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Preferences {
    /// See [`NotificationKind::WentLive`].
    pub went_live: Ways,
    /// See [`NotificationKind::Mention`].
    pub mention: Ways,
    /// See [`NotificationKind::Follower`].
    pub follower: Ways,
    /// See [`NotificationKind::Moderation`]; as at first if absent.
    #[serde(default = "by_bell")]
    pub moderation: Ways,
    /// See [`NotificationKind::Subscription`]; as at first if absent.
    #[serde(default = "by_bell_and_push")]
    pub subscription: Ways,
    /// See [`NotificationKind::System`].
    pub system: Ways,
    /// When one is left alone; never if null.
    pub quiet: Option<QuietHours>,
}

fn by_bell() -> Ways {
    Ways { in_app: true, push: false, email: false }
}

fn by_bell_and_push() -> Ways {
    Ways { push: true, ..by_bell() }
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            went_live: by_bell_and_push(),
            mention: by_bell_and_push(),
            follower: by_bell(),
            moderation: by_bell(),
            subscription: by_bell_and_push(),
            system: Ways { email: true, ..by_bell_and_push() },
            quiet: None,
        }
    }
}

impl Preferences {
    /// By which ways one is told of a kind, to be changed.
    pub fn ways_mut(&mut self, kind: NotificationKind) -> &mut Ways {
        match kind {
            NotificationKind::WentLive => &mut self.went_live,
            NotificationKind::Mention => &mut self.mention,
            NotificationKind::Follower => &mut self.follower,
            NotificationKind::Moderation => &mut self.moderation,
            NotificationKind::Subscription => &mut self.subscription,
            NotificationKind::System => &mut self.system,
        }
    }

    /// By which ways one is told of a kind.
    pub fn ways(&self, kind: NotificationKind) -> Ways {
        match kind {
            NotificationKind::WentLive => self.went_live,
            NotificationKind::Mention => self.mention,
            NotificationKind::Follower => self.follower,
            NotificationKind::Moderation => self.moderation,
            NotificationKind::Subscription => self.subscription,
            NotificationKind::System => self.system,
        }
    }
}

/// `GET /api/v1/push`: what a browser subscribes with at its push service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PushKey {
    /// The server's public key (VAPID, RFC 8292), in base64url.
    pub key: String,
}

/// `POST /api/v1/me/push`: a browser that wants to be told by push, as its `PushSubscription.toJSON()` has it. Answered 201 with
/// [`PushBrowser`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AddPush {
    /// Where its push service takes messages for it.
    pub endpoint: String,
    /// What they are encrypted with.
    pub keys: PushKeys,
}

/// A browser's keys, in base64url (RFC 8291).
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PushKeys {
    /// Its public key.
    pub p256dh: String,
    /// Its secret.
    pub auth: String,
}

impl std::fmt::Debug for PushKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PushKeys(…)")
    }
}

/// A browser that is told by push: `GET /api/v1/me/push`, all of them on one page; `DELETE /api/v1/me/push/{id}` stops it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PushBrowser {
    /// To stop it by.
    pub id: PushId,
    /// Browser and system, as far as its user agent tells.
    pub device: DeviceLabel,
    /// Since when.
    pub created_at: Timestamp,
}

/// `GET /api/v1/me/email`: where one gets e-mail; `PUT` there sets it and `DELETE` removes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct EmailState {
    /// Whether this server sends e-mail at all.
    pub available: bool,
    /// The address, if there is one.
    pub address: Option<EmailAddress>,
    /// Whether it was confirmed by the link that was sent there. Before that nothing else is.
    pub confirmed: bool,
    /// The address that takes its place once that is confirmed, too.
    pub pending: Option<EmailAddress>,
}

/// `PUT /api/v1/me/email`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetEmail {
    /// The address.
    pub address: EmailAddress,
    /// Their password, where they signed in more than ten minutes ago: who has the address gets into the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
}

/// The token of a link in a letter.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EmailToken {
    /// What follows `token=` in it.
    pub token: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_before_a_kind_was_there_is_as_it_is_at_first() {
        let ways = r#"{"inApp":false,"push":false}"#;
        let old = format!(
            r#"{{"wentLive":{ways},"mention":{ways},"follower":{ways},"system":{ways},"quiet":null}}"#
        );
        let read: Preferences = serde_json::from_str(&old).unwrap();
        let first = Preferences::default();
        assert_eq!((read.moderation, read.subscription), (first.moderation, first.subscription));
        assert!(!read.went_live.in_app, "what was said holds");
        let before: QuietHours = serde_json::from_str(r#"{"from":1320,"to":420,"offset":60}"#).unwrap();
        assert_eq!((before.offset, &before.zone), (60, &None), "quiet hours by a clock that stays as it is");
        let by_zone: QuietHours =
            serde_json::from_str(r#"{"from":1320,"to":420,"zone":"Europe/Vienna"}"#).unwrap();
        assert_eq!(by_zone.zone.map(|zone| zone.as_str().to_owned()).as_deref(), Some("Europe/Vienna"));
        for kind in NotificationKind::ALL {
            let mut one = first.clone();
            one.ways_mut(kind).email = !first.ways(kind).email;
            assert_ne!(one.ways(kind), first.ways(kind));
        }
    }
}
