//! People: set-up, signing in, logins.

use crate::{
    badge::NameColour,
    channel::Channel,
    id::{AccountId, ChannelName, InviteId, LoginId, TokenId},
    text::{AccountName, Bio, DeviceLabel, DisplayName, InviteLabel, Password, TokenLabel},
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
    /// Helps to run it.
    Admin,
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
    /// What they say of themselves.
    #[serde(default)]
    pub bio: Bio,
    /// The address of their picture on this server, if they have one.
    #[serde(default)]
    pub avatar: Option<String>,
    /// The colour of their name in chats, if they chose one.
    #[serde(default)]
    pub colour: Option<NameColour>,
    /// What the account may do.
    pub role: Role,
    /// The channels it owns, oldest first.
    pub channels: Vec<Channel>,
    /// The channels of others that it is an editor of, by name.
    #[serde(default)]
    pub edits: Vec<Channel>,
    /// The channels of others whose chat it moderates, by name; at most 200.
    #[serde(default)]
    pub moderates: Vec<Channel>,
}

/// `POST /api/v1/me/delete`, and `POST /api/v1/people/{account}/delete` by those who run the instance: deletes an account with its
/// channels and all that is its own. What they wrote in others' chats stays, without name and picture. There is no way back.
/// Answered 204.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteAccount {
    /// What the person signs in with, so that it is this account that is meant.
    pub confirm: String,
    /// The password of whoever asks, where they signed in more than ten minutes ago.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
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
    /// Follow channels, and stop to.
    #[serde(rename = "follow:write")]
    FollowWrite,
    /// Make channels, edit them, start and end broadcasts, make stream keys.
    #[serde(rename = "channel:write")]
    ChannelWrite,
    /// See what its account is told, and nothing else; [`Self::Read`] lets see that, too.
    #[serde(rename = "notifications:read")]
    NotificationsRead,
    /// See how the instance runs, who and which channels are on it, and what was done there, where its account may.
    #[serde(rename = "instance:read")]
    InstanceRead,
    /// Change how the instance runs, make invites, suspend people and channels, where its account may.
    #[serde(rename = "instance:manage")]
    InstanceManage,
}

impl Scope {
    /// Every scope there is.
    pub const ALL: [Self; 8] = [
        Self::Read,
        Self::ChatWrite,
        Self::ChatModerate,
        Self::FollowWrite,
        Self::ChannelWrite,
        Self::NotificationsRead,
        Self::InstanceRead,
        Self::InstanceManage,
    ];
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
    /// The account's password, which a token that runs the instance needs unless this browser signed in within the last ten
    /// minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
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

/// `POST /api/v1/sign-up`: makes an account. Answered 201 with [`Me`] and a login cookie.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewAccount {
    /// What they will sign in with.
    pub name: AccountName,
    /// What others see.
    pub display_name: DisplayName,
    /// The new password.
    pub password: Password,
    /// The secret of an invite, where one is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invite: Option<String>,
}

/// `PATCH /api/v1/me`: what is absent stays. Answered with [`Me`].
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EditMe {
    /// See [`Me::display_name`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<DisplayName>,
    /// See [`Me::bio`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bio: Option<Bio>,
}

/// `PUT /api/v1/me/colour`: the colour of one's name in chats. Answered with [`Me`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetColour {
    /// Which; null for the one that the name has by itself.
    #[serde(default)]
    pub colour: Option<NameColour>,
}

/// `POST /api/v1/password-reset`: a letter with a link to a new password, for whoever it is. Answered 202, whether there is
/// anybody or not.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AskPasswordReset {
    /// What they sign in with, or their address.
    pub account: String,
}

/// `POST /api/v1/password-reset/confirm`: sets a new password by the link of a letter.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResetPassword {
    /// What follows `token=` in the link.
    pub token: String,
    /// The new password.
    pub password: Password,
}

/// `PUT /api/v1/me/avatar`: what the server makes a picture of 256 pixels square from. Answered with [`Me`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetAvatar {
    /// A PNG, JPEG, WebP or GIF of up to 4 MiB, in base64.
    pub image: String,
}

/// `PUT /api/v1/me/password`: another password, or the first one of an account that a provider made. All other logins end.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangePassword {
    /// The one that works now; absent where there is none, and then the login must be a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<Password>,
    /// The one that works from now on.
    pub new: Password,
}

/// What everybody may know of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// Their stable id.
    pub id: AccountId,
    /// What they sign in with.
    pub account: AccountName,
    /// What others see.
    pub name: DisplayName,
    /// What they say of themselves.
    pub bio: Bio,
    /// The address of their picture on this server, if they have one.
    pub avatar: Option<String>,
    /// Since when they have an account.
    pub created_at: Timestamp,
}

/// `GET /api/v1/people/{account}`: what everybody may know of a person, and their public channels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PublicProfile {
    /// Who it is.
    #[serde(flatten)]
    pub profile: Profile,
    /// Their public channels, oldest first.
    pub channels: Vec<Channel>,
}

/// Somebody on the instance, as those who run it see them: `GET /api/v1/people`, a page by what they sign in with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// What everybody may know.
    #[serde(flatten)]
    pub profile: Profile,
    /// What they may do on this instance.
    pub role: Role,
    /// Since when they may not sign in.
    pub suspended_at: Option<Timestamp>,
}

/// What the list of people may be asked with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PeopleQuery {
    /// `next` of the page before; the first page if absent.
    #[serde(default)]
    pub cursor: Option<String>,
    /// The most items, 1 to 200; 50 if absent.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", param(minimum = 1, maximum = 200))]
    pub limit: Option<u32>,
    /// Only those whose names hold this.
    #[serde(default)]
    pub search: Option<String>,
}

/// `PATCH /api/v1/people/{account}` by those who run the instance: what is absent stays. Answered with [`Person`].
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EditPerson {
    /// `admin` or `member`; for the instance's owner alone to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Whether they are kept from signing in. All their logins and tokens end with it, and what they broadcast.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<bool>,
}

/// What lets people make an account: `GET /api/v1/invites`, a page, newest first; `DELETE /api/v1/invites/{id}` revokes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Invite {
    /// To revoke it by.
    pub id: InviteId,
    /// Whom it is for.
    pub label: InviteLabel,
    /// Who made it: what they sign in with.
    pub made_by: AccountName,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// How many made an account with it.
    pub uses: u32,
    /// How many may.
    pub uses_most: u32,
}

/// `POST /api/v1/invites`: makes an invite. Answered 201 with [`NewInvite`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateInvite {
    /// Whom it is for.
    #[serde(default)]
    pub label: InviteLabel,
    /// How many may make an account with it, 1 to 1,000; one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<u32>,
    /// Days until it stops working, 1 to 365; a week if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
}

/// An invite that was just made, with its secret, which is shown this once.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NewInvite {
    /// The invite.
    pub invite: Invite,
    /// What [`NewAccount::invite`] takes.
    pub secret: String,
    /// The page where whoever has it makes their account.
    pub url: String,
}
