//! What is shown beside a name and of it: badges, and the colours to choose from. Both are names of closed lists, never markup.

use crate::subscription::Tier;
use serde::{Deserialize, Serialize, Serializer};
use std::{str::FromStr, time::Duration};

const DAY: u64 = 24 * 60 * 60;

/// For how long somebody has followed a channel, as badges tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FollowAge {
    /// For less than a month.
    New,
    /// For a month (30 days) or longer.
    Month1,
    /// For three months (90 days) or longer.
    Months3,
    /// For six months (182 days) or longer.
    Months6,
    /// For a year (365 days) or longer.
    Year1,
    /// For two years or longer.
    Years2,
    /// For three years or longer.
    Years3,
    /// For five years or longer.
    Years5,
}

impl FollowAge {
    /// Every age, the youngest first.
    pub const ALL: [Self; 8] = [
        Self::New,
        Self::Month1,
        Self::Months3,
        Self::Months6,
        Self::Year1,
        Self::Years2,
        Self::Years3,
        Self::Years5,
    ];

    /// From how many days on.
    fn days(self) -> u64 {
        match self {
            Self::New => 0,
            Self::Month1 => 30,
            Self::Months3 => 90,
            Self::Months6 => 182,
            Self::Year1 => 365,
            Self::Years2 => 2 * 365,
            Self::Years3 => 3 * 365,
            Self::Years5 => 5 * 365,
        }
    }

    /// Of somebody who has followed for so long.
    pub fn of(followed: Duration) -> Self {
        let days = followed.as_secs() / DAY;
        Self::ALL.into_iter().rev().find(|age| days >= age.days()).unwrap_or(Self::New)
    }
}

/// What somebody is to a room. Shown beside the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub enum Badge {
    /// The channel's owner.
    Owner,
    /// Somebody whom the owner trusts with deleting and time-outs.
    Moderator,
    /// Somebody whom the owner wants there: most modes of the room don't hold for them.
    Vip,
    /// Somebody who runs the instance.
    Staff,
    /// Somebody who subscribes to the channel, in this tier.
    Subscriber(Tier),
    /// Somebody who has followed the channel for so long.
    Follower(FollowAge),
    /// Somebody without an account: anyone can be anyone.
    Guest,
}

impl Badge {
    /// Every badge there is, with its name on the wire.
    const NAMES: [(Self, &'static str); 16] = [
        (Self::Owner, "owner"),
        (Self::Moderator, "moderator"),
        (Self::Vip, "vip"),
        (Self::Staff, "staff"),
        // As subscribers of every tier were called before badges told tiers.
        (Self::Subscriber(Tier::One), "subscriber"),
        (Self::Subscriber(Tier::Two), "subscriber2"),
        (Self::Subscriber(Tier::Three), "subscriber3"),
        (Self::Follower(FollowAge::New), "follower"),
        (Self::Follower(FollowAge::Month1), "follower1Month"),
        (Self::Follower(FollowAge::Months3), "follower3Months"),
        (Self::Follower(FollowAge::Months6), "follower6Months"),
        (Self::Follower(FollowAge::Year1), "follower1Year"),
        (Self::Follower(FollowAge::Years2), "follower2Years"),
        (Self::Follower(FollowAge::Years3), "follower3Years"),
        (Self::Follower(FollowAge::Years5), "follower5Years"),
        (Self::Guest, "guest"),
    ];

    /// Every badge there is.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::NAMES.into_iter().map(|(badge, _)| badge)
    }

    /// As it is written.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(badge, _)| *badge == self).map_or("", |(_, name)| name)
    }
}

/// There is no badge of this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such badge")]
pub struct BadgeError;

impl FromStr for Badge {
    type Err = BadgeError;

    fn from_str(text: &str) -> Result<Self, BadgeError> {
        Self::NAMES.iter().find(|(_, name)| *name == text).map(|(badge, _)| *badge).ok_or(BadgeError)
    }
}

impl TryFrom<String> for Badge {
    type Error = BadgeError;

    fn try_from(text: String) -> Result<Self, BadgeError> {
        text.parse()
    }
}

impl Serialize for Badge {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(feature = "openapi")]
crate::openapi::schema!(Badge, {
    let names = Badge::NAMES.iter().map(|(_, name)| *name);
    crate::openapi::text("What somebody is to a room: `subscriber` is of the first tier; a follower's says for how long at least.")
        .enum_values(Some(names))
        .build()
});

/// A picture of the channel's own that is shown for the badge of its subscribers of a tier; in
/// `GET /api/v1/channels/{name}/badges` (a page) and in [`crate::chat::ChatRoom`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct BadgePicture {
    /// Of which tier.
    pub tier: Tier,
    /// Where it is. One that moves has `.moving.` in it; with `.` in its place it stands still.
    pub url: String,
}

/// `PUT /api/v1/channels/{name}/badges/{tier}` by the owner or an editor: what the server makes a badge of. Answered with
/// [`BadgePicture`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewBadge {
    /// A PNG, JPEG, WebP or GIF of up to 1 MiB, in base64. It may move, in up to 60 pictures.
    pub image: String,
}

macro_rules! colours {
    ($($variant:ident = $name:tt,)*) => {
        /// The hue of a name. Pages show it lighter or darker, so that it can be read on their ground.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "camelCase")]
        #[allow(missing_docs)]
        pub enum NameColour {
            $($variant,)*
        }

        impl NameColour {
            /// Every hue, around the circle.
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

colours! {
    Red = "red",
    Orange = "orange",
    Amber = "amber",
    Gold = "gold",
    Lime = "lime",
    Green = "green",
    Teal = "teal",
    Cyan = "cyan",
    Blue = "blue",
    Indigo = "indigo",
    Violet = "violet",
    Pink = "pink",
}

/// There is no colour of this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such colour")]
pub struct NameColourError;

impl FromStr for NameColour {
    type Err = NameColourError;

    fn from_str(text: &str) -> Result<Self, NameColourError> {
        Self::ALL.iter().copied().find(|colour| colour.name() == text).ok_or(NameColourError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_badge_has_a_name_of_its_own_and_comes_back_from_it() {
        for (place, (badge, name)) in Badge::NAMES.into_iter().enumerate() {
            assert_eq!(serde_json::to_value(badge).unwrap(), name);
            assert_eq!(serde_json::from_value::<Badge>(name.into()).unwrap(), badge);
            assert!(!Badge::NAMES[..place].iter().any(|(other, called)| *other == badge || *called == name));
        }
        for tier in Tier::ALL {
            assert!(Badge::all().any(|badge| badge == Badge::Subscriber(tier)));
        }
        for age in FollowAge::ALL {
            assert!(Badge::all().any(|badge| badge == Badge::Follower(age)));
        }
        for wrong in ["", "Owner", "subscriber4", "<b>"] {
            assert_eq!(wrong.parse::<Badge>(), Err(BadgeError), "{wrong}");
        }
    }

    #[test]
    fn a_follower_grows_older_by_the_day() {
        let of = |days: u64| FollowAge::of(Duration::from_secs(days * DAY));
        assert_eq!(FollowAge::of(Duration::ZERO), FollowAge::New);
        for (place, age) in FollowAge::ALL.into_iter().enumerate().skip(1) {
            assert_eq!(of(age.days()), age);
            assert_eq!(of(age.days() - 1), FollowAge::ALL[place - 1], "a day before {age:?}");
        }
        assert_eq!(of(20_000), FollowAge::Years5);
    }

    #[test]
    fn every_colour_comes_back_from_its_name() {
        for colour in NameColour::ALL {
            assert_eq!(colour.name().parse(), Ok(*colour));
            assert_eq!(serde_json::to_value(colour).unwrap(), colour.name());
        }
        assert_eq!("#ff0000".parse::<NameColour>(), Err(NameColourError));
    }
}
