//! Channels: who is live, and what a channel says of itself.

mod card;
mod create;
mod details;
mod embedding;
mod emotes;
mod follow;
mod home;
mod preview;
mod rail;
mod roles;
mod search;
mod signed;

pub use create::CreateForm;
pub use details::Details;
pub use emotes::Emotes;
pub use follow::{Follow, FollowingPage};
pub use home::Home;
pub use rail::Rail;
pub use roles::Roles;
pub use search::SearchPage;
