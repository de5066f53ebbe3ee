//! What happened on a channel, for those who look after it.

use crate::{
    id::{AccountId, BroadcastId, ChannelName, EventId},
    subscription::Tier,
    text::{AccountName, DisplayName},
    unit::Timestamp,
};
use serde::{Deserialize, Serialize};

/// What an entry tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum ActivityKind {
    /// Somebody follows.
    Follow,
    /// Somebody subscribes, or for longer.
    Subscription,
    /// Somebody has subscribed for long.
    Milestone,
    /// Another channel's viewers came.
    RaidIn,
    /// The channel's own viewers were sent on.
    RaidOut,
    /// A broadcast began.
    StreamStarted,
    /// A broadcast is over.
    StreamEnded,
}

impl ActivityKind {
    /// Every kind there is.
    pub const ALL: [Self; 7] = [
        Self::Follow,
        Self::Subscription,
        Self::Milestone,
        Self::RaidIn,
        Self::RaidOut,
        Self::StreamStarted,
        Self::StreamEnded,
    ];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Follow => "follow",
            Self::Subscription => "subscription",
            Self::Milestone => "milestone",
            Self::RaidIn => "raidIn",
            Self::RaidOut => "raidOut",
            Self::StreamStarted => "streamStarted",
            Self::StreamEnded => "streamEnded",
        }
    }
}

/// Whose deed something is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ActivityPerson {
    /// Their stable id.
    pub id: AccountId,
    /// What they sign in with.
    pub account: AccountName,
    /// What others see.
    pub name: DisplayName,
}

/// How somebody came by a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum SubscribedBy {
    /// The channel's owner gave it to them.
    Granted,
    /// They redeemed a gift code.
    Code,
    /// It was paid for.
    Billing,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Happening {
    /// Somebody follows who didn't, nor in the last 30 days.
    Follow {
        /// Who.
        person: ActivityPerson,
    },
    /// Somebody subscribes, or for longer than before.
    Subscription {
        /// Who.
        person: ActivityPerson,
        /// What they got.
        tier: Tier,
        /// For how many days.
        days: u32,
        /// How they came by it.
        by: SubscribedBy,
        /// They had nothing of the channel before, or something lower.
        new: bool,
    },
    /// Somebody has subscribed for so long in all.
    Milestone {
        /// Who.
        person: ActivityPerson,
        /// 3, 6, 12, and then each year; a month is 30 days.
        months: u32,
    },
    /// Another channel's viewers came.
    RaidIn {
        /// From where.
        channel: ChannelName,
        /// What that channel was called.
        name: DisplayName,
        /// How many watched there.
        viewers: u32,
    },
    /// The channel's own viewers were sent on.
    RaidOut {
        /// Where to.
        channel: ChannelName,
        /// What that channel was called.
        name: DisplayName,
        /// How many watched.
        viewers: u32,
    },
    /// A broadcast began.
    #[serde(rename_all = "camelCase")]
    StreamStarted {
        /// Which.
        stream_id: BroadcastId,
        /// What it was called; may be empty.
        title: String,
    },
    /// A broadcast is over.
    #[serde(rename_all = "camelCase")]
    StreamEnded {
        /// Which.
        stream_id: BroadcastId,
        /// How many seconds it took.
        duration: u64,
    },
}

/// One entry of `GET /api/v1/channels/{name}/activity`, a page, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Activity {
    /// Stable.
    pub id: EventId,
    /// When it happened.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub what: Happening,
}

/// What the activity of a channel may be asked with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ActivityQuery {
    /// `next` of the page before; the first page if absent.
    #[serde(default)]
    pub cursor: Option<String>,
    /// The most entries, 1 to 200; 50 if absent.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", param(minimum = 1, maximum = 200))]
    pub limit: Option<u32>,
    /// Of this kind alone; of all if absent.
    #[serde(default)]
    pub kind: Option<ActivityKind>,
}

/// The topic `channel:stream_activity:v1`: the newest entry of a channel's activity. When it changes, there is more to read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ActivityState {
    /// Its [`Activity::id`]; null while nothing has happened.
    pub newest: Option<EventId>,
    /// When it happened.
    pub at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_flat_on_the_wire_and_says_its_kind() {
        let text = r#"{"id":"e","at":"1970-01-01T00:00:00Z","kind":"raidIn","channel":"ben","name":"Ben","viewers":7}"#;
        let entry: Activity = serde_json::from_str(text).unwrap();
        assert!(matches!(entry.what, Happening::RaidIn { viewers: 7, .. }));
        assert_eq!(serde_json::to_string(&entry).unwrap(), text);
        for kind in ActivityKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }
}
