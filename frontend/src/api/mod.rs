//! The server, as pages see it: the only folder that talks to the network.

pub mod chat;
mod chat_state;
pub mod context;
pub mod desk;
mod erase;
pub mod events;
pub mod failure;
pub mod load_state;
mod moderation_state;
pub mod precedence;
pub mod reading_state;
pub mod rest;
pub mod sdp_state;
pub mod session;
pub mod socket_state;
pub mod whep;
pub mod whip;

use crate::browser::page;
use std::cell::OnceCell;

pub use crate::browser::fetch::go_without_cookies;
pub use context::{ApiProvider, Site, Who, use_bell, use_directory, use_events, use_reachable, use_site};
pub use desk::{Desk, Order, count, text, use_desk};
pub use erase::erase;
pub use failure::Failure;
pub use load_state::Load;

thread_local! {
    static EMBED: OnceCell<Option<String>> = const { OnceCell::new() };
}

/// The token of the signed embed that this page is, from its address. It goes along with all that the page asks.
pub fn embed_token() -> Option<String> {
    let of_page = || {
        let is_embed = page::path_and_query().starts_with("/embed/");
        page::query("token").filter(|token| is_embed && !token.is_empty())
    };
    EMBED.with(|token| token.get_or_init(of_page).clone())
}

/// Reads JSON. By way of a [`serde_json::Value`], so that each type's reader is compiled for one source and not for two.
fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_value(serde_json::from_str(text).ok()?).ok()
}
