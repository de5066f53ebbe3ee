//! Watching: the channel page and its player.

mod about;
mod controls;
mod engine;
mod keys_state;
mod latency_state;
mod page;
mod player;
mod player_state;
mod screen;
mod share;
mod sound;
mod stats;
mod stats_state;

pub use page::ChannelPage;
