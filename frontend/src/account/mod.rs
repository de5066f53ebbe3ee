//! People: signing in, set-up, settings.

mod set_up;
mod settings;
mod sign_in;
mod tokens;

pub use set_up::SetUpPage;
pub use settings::Settings;
pub use sign_in::SignInPage;
