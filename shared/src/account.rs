//! People: set-up, signing in, logins.

use crate::{
    channel::Channel,
    id::{AccountId, ChannelName, LoginId, TokenId},
    text::{AccountName, DeviceLabel, DisplayName, Password, TokenLabel},
    unit::Timestamp,
};
use serde::{Deserialize, Serialize};

/// `POST /api/v1/setup`: makes the owner's account and first channel. Answered with [`Me`] and a login cookie.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetUp {
    /// The one-time token of the set-up link.
    pub token: String,
    /// What the owner signs in with.
    pub name: AccountName,
    /// What others see.
    pub display_name: DisplayName,
    /// The new password.
    pub password: Password,
    /// The address of the owner's first channel.
    pub channel: ChannelName,
}

/// `POST /api/v1/login`. Answered with [`Me`] and a login cookie.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignIn {
    /// The account.
    pub name: AccountName,
    /// Its password.
    pub password: Password,
}

/// What an account may do on this instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// Runs the instance.
    Owner,
    /// Anyone else with an account.
    Member,
}

/// `GET /api/v1/me`: who is signed in, and the channels they own. 401 when nobody is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Me {
    /// The account's stable id.
    pub id: AccountId,
    /// What the person signs in with.
    pub name: AccountName,
    /// What others see.
    pub display_name: DisplayName,
    /// What the account may do.
    pub role: Role,
    /// The channels it owns, oldest first.
    pub channels: Vec<Channel>,
}

/// One signed-in browser, in `GET /api/v1/me/logins` (a page, newest first); `DELETE /api/v1/me/logins/{id}` revokes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Login {
    /// To revoke it by.
    pub id: LoginId,
    /// Browser and system, as far as its user agent tells.
    pub device: DeviceLabel,
    /// When it signed in.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Timestamp,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// What a program may do with an API token. Each is given by itself; none lets a program change the password or make tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Scope {
    /// See what its account sees: private channels, analytics, logins.
    #[serde(rename = "read")]
    Read,
    /// Write in chat.
    #[serde(rename = "chat:write")]
    ChatWrite,
    /// Delete messages and time people out, where its account may.
    #[serde(rename = "chat:moderate")]
    ChatModerate,
    /// Make channels, edit them, start and end broadcasts, make stream keys.
    #[serde(rename = "channel:write")]
    ChannelWrite,
}

/// `POST /api/v1/me/tokens`: makes an API token. Answered 201 with [`NewApiToken`]. For a login alone, not for a token.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateApiToken {
    /// What it is for, in the person's words.
    pub label: TokenLabel,
    /// What it may do; at least one.
    pub scopes: Vec<Scope>,
    /// Days until it stops working, 1 to 3650; never if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
}

/// One API token, in `GET /api/v1/me/tokens` (a page, newest first); `DELETE /api/v1/me/tokens/{id}` revokes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ApiToken {
    /// To revoke it by.
    pub id: TokenId,
    /// What it is for.
    pub label: TokenLabel,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
}

/// A token that was just made, with its secret, which is shown this once: `Authorization: Bearer …`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NewApiToken {
    /// The token.
    pub token: ApiToken,
    /// What a program sends.
    pub secret: String,
}
