//! Who gets into a private channel, beside those whom a role lets in: people on its list, whoever knows its password, whoever
//! came by a link that its owner handed out.

use crate::{
    id::{AccessLinkId, AccountId},
    subscription::Tier,
    text::{AccountName, DisplayName, InviteLabel, Password},
    unit::Timestamp,
};
use serde::{Deserialize, Serialize};

/// The most people on one channel's list.
pub const LISTED_MOST: usize = 500;
/// The most links into one channel, those that are over counted.
pub const LINKS_MOST: usize = 50;
/// The most people that come by one link, if a number is said.
pub const LINK_USES_MOST: u32 = 10_000;
/// The longest that a link can be used, if a time is said.
pub const LINK_DAYS_MOST: u32 = 365;

/// `GET /api/v1/channels/{name}/access`: the ways into a channel while it is private.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChannelAccess {
    /// Whether there is a password.
    pub has_password: bool,
    /// Subscribers of this tier, or of a higher one, get in; null for none.
    pub subscribers: Option<Tier>,
    /// How many are on its list.
    pub listed: u32,
    /// How many links there are, those that are over counted.
    pub links: u32,
}

/// `PATCH /api/v1/channels/{name}/access`: whether subscribers get in.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EditAccess {
    /// See [`ChannelAccess::subscribers`]. It must be said: nothing shuts a door by being left out.
    #[serde(deserialize_with = "Option::deserialize")]
    pub subscribers: Option<Tier>,
}

/// `PUT /api/v1/channels/{name}/password`: sets or replaces it. Whoever came in by another one is out.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetChannelPassword {
    /// What whoever may watch is told.
    pub password: Password,
}

/// Somebody on a channel's list: `GET /api/v1/channels/{name}/admitted`, a page by what they sign in with. `PUT` of
/// `…/admitted/{account}` puts somebody there, `DELETE` takes them off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Admitted {
    /// Their stable id.
    pub id: AccountId,
    /// What they sign in with.
    pub account: AccountName,
    /// What others see.
    pub name: DisplayName,
    /// Since when they are on it.
    pub since: Timestamp,
}

/// `POST /api/v1/channels/{name}/access-links`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateAccessLink {
    /// Whom it is for, in the owner's words.
    #[serde(default)]
    pub label: InviteLabel,
    /// How many get in by it, 1 to 10,000; any number if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<u32>,
    /// For how many days it can be used, 1 to 365; until it is revoked if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
}

/// A link into a private channel: `GET /api/v1/channels/{name}/access-links`, a page, newest first. Its expiry and its uses say
/// who can still come in by it; who did stays until it is revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AccessLink {
    /// To revoke it by.
    pub id: AccessLinkId,
    /// Whom it is for.
    pub label: InviteLabel,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it can be used; null until it is revoked.
    pub expires_at: Option<Timestamp>,
    /// How many came in by it.
    pub uses: u32,
    /// How many can; null for any number.
    pub uses_most: Option<u32>,
}

/// A link that was just made. Its address is shown this once.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NewAccessLink {
    /// The link.
    pub link: AccessLink,
    /// What lets in; the address holds it.
    pub secret: String,
    /// Where whoever has it goes.
    pub url: String,
}

/// `POST /api/v1/channels/{name}/entry`: what somebody shows to get into a private channel. Answered 204 with a cookie that lets
/// in from then on; a wrong one is answered as on a channel that isn't there.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Enter {
    /// The channel's password, as it was typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// What a link into it holds, instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl std::fmt::Debug for Enter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Enter(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_is_shut_by_word_and_not_by_silence() {
        let read = |text: &str| serde_json::from_str::<EditAccess>(text).map(|edit| edit.subscribers);
        assert_eq!(read(r#"{"subscribers":"two"}"#).unwrap(), Some(Tier::Two));
        assert_eq!(read(r#"{"subscribers":null}"#).unwrap(), None);
        assert!(read("{}").is_err());
    }

    #[test]
    fn what_is_shown_to_get_in_is_in_no_debug_output() {
        let shown: Enter = serde_json::from_str(r#"{"password":"correct horse"}"#).unwrap();
        assert_eq!(format!("{shown:?}"), "Enter(…)");
        assert!(serde_json::from_str::<Enter>(r#"{"secret":"x"}"#).is_err());
    }
}
