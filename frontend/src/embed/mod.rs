//! The player alone, for other people's pages: `/embed/{channel}`.

mod page;
mod remote;
mod remote_state;

use crate::api;

/// Starts the player in the page's body.
pub fn start() {
    api::go_without_cookies();
    yew::Renderer::<page::EmbedPage>::new().render();
}
