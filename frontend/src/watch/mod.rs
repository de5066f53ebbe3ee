//! Watching: the channel page and its player.

mod about;
mod controls;
mod engine;
mod keys_state;
mod latency_state;
mod page;
mod plan;
mod plan_state;
mod playback;
mod player;
mod player_state;
mod quality_state;
mod report_state;
mod reports;
mod screen;
mod share;
mod snapshot;
mod sound;
mod stats;
mod stats_state;

pub use engine::Engine;
pub use page::ChannelPage;
pub use playback::Played;
pub use player::Player;
pub use player_state::View;
pub use snapshot::Snapshot;
pub use sound::Sound;
