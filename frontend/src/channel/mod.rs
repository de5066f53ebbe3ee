//! Channels: who is live, and what a channel says of itself.

mod access;
mod badges;
mod card;
mod create;
mod details;
mod door;
mod embedding;
mod emotes;
mod follow;
mod home;
mod pictures;
mod planning;
mod preview;
mod rail;
mod roles;
mod search;
mod signed;
mod subscribe;
mod telling;
mod webhooks;

pub use access::{Access, Supporters};
pub use badges::Badges;
pub use create::CreateForm;
pub use details::Details;
pub use door::Door;
pub use emotes::Emotes;
pub use follow::{Follow, FollowingPage};
pub use home::Home;
pub use rail::Rail;
pub use roles::Roles;
pub use search::SearchPage;
pub use subscribe::Subscribe;
pub use webhooks::Webhooks;
