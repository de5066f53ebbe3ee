//! Signing in by an OpenID provider.

use crate::{
    text::{AccountName, DisplayName, Password},
    unit::Timestamp,
};
use serde::{Deserialize, Serialize};

/// `POST /api/v1/oidc/start`: begins to sign in, or to make an account. Answered with [`OidcStarted`] and a cookie by which the
/// same browser is known when it comes back.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StartOidc {
    /// The page of this site to go to afterwards; the first one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_to: Option<String>,
    /// The secret of an invite, where an account takes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invite: Option<String>,
}

/// `POST /api/v1/me/oidc`: begins to connect an account. Answered with [`OidcStarted`].
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConnectOidc {
    /// Their password, where they signed in more than ten minutes ago.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
}

/// Where the browser goes next.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct OidcStarted {
    /// The provider's page to sign in.
    pub url: String,
}

/// `GET /api/v1/oidc/newcomer`: who the provider says is there and has no account yet, as their name has to be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct OidcNewcomer {
    /// What the provider is called.
    pub provider: String,
    /// A name that the provider knows them by, made into one of here; may be empty, and may be somebody's.
    pub name: String,
    /// And the name that people would see; may be empty.
    pub display_name: String,
    /// The page to go to afterwards.
    pub return_to: String,
}

/// `POST /api/v1/oidc/sign-up`: makes the account. Answered 201 with [`Me`](crate::account::Me) and a login cookie.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OidcSignUp {
    /// What they are known by here.
    pub name: AccountName,
    /// What others see.
    pub display_name: DisplayName,
}

/// `GET /api/v1/me/oidc`: whether an account is connected with the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct OidcConnection {
    /// What the provider is called.
    pub provider: String,
    /// Since when it is connected; null if it isn't.
    pub since: Option<Timestamp>,
    /// What the provider calls them; may be empty.
    pub known_as: String,
    /// Whether they could still sign in without it.
    pub can_disconnect: bool,
    /// Whether the account has a password.
    pub has_password: bool,
}
