//! Channels: who is live, and what a channel says of itself.

mod card;
mod create;
mod details;
mod embedding;
mod home;
mod preview;
mod rail;
mod signed;

pub use create::CreateForm;
pub use details::Details;
pub use home::Home;
pub use rail::Rail;
