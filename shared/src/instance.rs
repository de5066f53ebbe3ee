//! The server as a whole.

use serde::{Deserialize, Serialize};

/// `GET /api/v1/instance`: what a page needs to know before anything else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Instance {
    /// The instance's name, as its owner set it.
    pub name: String,
    /// The server's version.
    pub version: String,
    /// Nobody has used the set-up link yet.
    pub needs_set_up: bool,
    /// Who may make an account.
    #[serde(default)]
    pub sign_up: SignUp,
    /// What the OpenID provider is called that people may sign in by; null if there is none.
    #[serde(default)]
    pub provider: Option<String>,
}

/// Who may make an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum SignUp {
    /// Anybody.
    Open,
    /// Whoever has an invite.
    #[default]
    Invite,
    /// Nobody.
    Closed,
}

/// `GET /api/v1/instance/settings`: how the instance runs, for those who run it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct InstanceSettings {
    /// Who may make an account.
    pub sign_up: SignUp,
}

/// `PATCH /api/v1/instance/settings`: what is absent stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EditInstance {
    /// See [`InstanceSettings::sign_up`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_up: Option<SignUp>,
}
