//! People: signing up and in, set-up, settings, running the instance.

mod admin;
mod audit;
mod colour;
mod delete;
mod instance_channels;
mod joining;
mod logins;
mod notifications;
mod oidc;
mod passkey_sign_in;
mod passkeys;
mod people;
mod person;
mod profile;
mod reset_password;
mod set_up;
mod settings;
mod sign_in;
mod sign_up;
mod tokens;

pub use admin::Admin;
pub use audit::Audit;
pub use notifications::{LetterPage, NotificationsPage};
pub use oidc::NewNamePage;
pub use person::PersonPage;
pub use reset_password::ResetPasswordPage;
pub use set_up::SetUpPage;
pub use settings::Settings;
pub use sign_in::SignInPage;
pub use sign_up::SignUpPage;

use crate::{browser::time, ui::format_state::ago};
use shared::unit::Timestamp;

/// How long ago, by a field that holds a time.
fn since(value: &serde_json::Value, field: &str) -> String {
    let at = serde_json::from_value::<Timestamp>(value[field].clone()).map_or(0, Timestamp::as_millis);
    ago((time::wall() - at).max(0) as u64 / 1000)
}
