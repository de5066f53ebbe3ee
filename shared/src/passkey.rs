//! Passkeys: what people sign in with instead of a password (W3C WebAuthn Level 3).

use crate::{
    id::PasskeyId,
    text::{PasskeyLabel, Password},
    unit::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `POST /api/v1/me/passkeys/options`: what a browser needs to make a passkey. Answered with [`PasskeyOptions`].
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StartPasskey {
    /// The account's password, which is needed unless this browser signed in within the last ten minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
}

/// What a browser is to make or use a passkey with. Good for one answer within five minutes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PasskeyOptions {
    /// What `PublicKeyCredential.parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON` takes (section 5.1).
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub public_key: Value,
}

/// `POST /api/v1/me/passkeys`: adds the passkey that a browser made. Answered 201 with [`Passkey`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddPasskey {
    /// Which one it is, in the person's words; the browser's name if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<PasskeyLabel>,
    /// What `PublicKeyCredential.toJSON()` gives: a `RegistrationResponseJSON`.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub credential: Value,
}

/// One passkey, in `GET /api/v1/me/passkeys` (a page, newest first); `DELETE /api/v1/me/passkeys/{id}` removes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Passkey {
    /// To remove it by.
    pub id: PasskeyId,
    /// Which one it is.
    pub label: PasskeyLabel,
    /// When it was added.
    pub created_at: Timestamp,
    /// When somebody last signed in with it.
    pub last_used_at: Option<Timestamp>,
}

/// `PATCH /api/v1/me/passkeys/{id}`: another name for it. Answered with [`Passkey`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RenamePasskey {
    /// The new one.
    pub label: PasskeyLabel,
}

/// `POST /api/v1/login/passkey`. Answered with [`Me`] and a login cookie, as after a password.
///
/// [`Me`]: crate::account::Me
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignInWithPasskey {
    /// What `PublicKeyCredential.toJSON()` gives: an `AuthenticationResponseJSON`.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub credential: Value,
}
