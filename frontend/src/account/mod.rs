//! People: signing up and in, set-up, settings, running the instance.

mod admin;
mod profile;
mod set_up;
mod settings;
mod sign_in;
mod sign_up;
mod tokens;

pub use admin::Admin;
pub use set_up::SetUpPage;
pub use settings::Settings;
pub use sign_in::SignInPage;
pub use sign_up::SignUpPage;
