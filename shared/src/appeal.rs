//! Appeals: what somebody who is banned or timed out says against it, and what becomes of that.

use crate::{
    id::{AppealId, PersonId},
    text::{AccountName, DisplayName},
    unit::Timestamp,
};
use serde::{Deserialize, Serialize};

/// Characters that an appeal and its answer have at most.
pub const APPEAL_MOST: usize = 500;
/// Seconds of the longest time-out that nobody appeals against: it is over before anybody has looked.
pub const SHORT_SILENCE: u32 = 10 * 60;

/// What an appeal is against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum Against {
    /// A ban.
    Ban,
    /// A time-out of more than [`SHORT_SILENCE`].
    TimeOut,
}

impl Against {
    /// As it is written down, the same as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ban => "ban",
            Self::TimeOut => "timeOut",
        }
    }

    /// From what was written down.
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Ban, Self::TimeOut].into_iter().find(|against| against.name() == name)
    }
}

/// Where an appeal stands, as its author is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum AppealState {
    /// Nobody has decided yet.
    Waiting,
    /// It was declined, which stands for as long as what it was against.
    Declined,
    /// What it was against holds no more.
    Lifted,
}

/// `POST /api/v1/channels/{name}/chat/appeal` by somebody with an account who is banned there, or timed out for more than ten
/// minutes: once for each ban and time-out. Answered 201 with [`Appealing`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewAppeal {
    /// What is to be said, 1 to 500 characters.
    pub text: String,
}

/// One's own appeal. Who decided is not for its author to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct OwnAppeal {
    /// Stable.
    pub id: AppealId,
    /// When it was made.
    pub at: Timestamp,
    /// What it is against.
    pub against: Against,
    /// What it says.
    pub text: String,
    /// Where it stands.
    pub state: AppealState,
    /// What the moderators answered; may be empty.
    pub answer: String,
}

/// `GET /api/v1/channels/{name}/chat/appeal`: what the one who asks can appeal against, and the appeal that they made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Appealing {
    /// What holds now that can be appealed against. Who has an [`Appealing::appeal`] against it can make no other.
    pub against: Option<Against>,
    /// The appeal against that; where nothing holds, the last one.
    pub appeal: Option<OwnAppeal>,
}

/// An appeal that waits, in `GET /api/v1/channels/{name}/chat/appeals` (a page, oldest first; for the owner and moderators).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Appeal {
    /// Stable.
    pub id: AppealId,
    /// When it was made.
    pub at: Timestamp,
    /// Whose it is.
    pub person: PersonId,
    /// Their name then.
    pub name: DisplayName,
    /// What they sign in with.
    pub account: AccountName,
    /// What it says.
    pub text: String,
    /// What it is against.
    pub against: Against,
    /// Since when that holds, as far as it is known.
    pub since: Option<Timestamp>,
    /// Until when a time-out does.
    pub until: Option<Timestamp>,
    /// Why, as the moderator wrote it; may be empty.
    pub reason: String,
    /// Whose deed it was.
    pub by: PersonId,
    /// Their name, as far as there is still an account.
    pub by_name: Option<DisplayName>,
}

/// `POST /api/v1/channels/{name}/chat/appeals/{id}` by the owner or a moderator: lifts what the appeal is against, or declines.
/// Answered with [`AppealDecided`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DecideAppeal {
    /// Whether it is accepted.
    pub accept: bool,
    /// What the person is told beside it; up to 500 characters.
    #[serde(default)]
    pub answer: String,
}

/// What became of an appeal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AppealDecided {
    /// Whether it was accepted.
    pub accepted: bool,
    /// Who decided.
    pub by: PersonId,
    /// Their name.
    pub by_name: DisplayName,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_is_against_is_written_down_as_it_is_told() {
        for against in [Against::Ban, Against::TimeOut] {
            assert_eq!(serde_json::to_value(against).unwrap(), against.name());
            assert_eq!(Against::of_name(against.name()), Some(against));
        }
        assert_eq!(Against::of_name("x"), None);
    }
}
