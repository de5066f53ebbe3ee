//! Chat: beside the player, in a window of its own, over a picture.

mod actions;
mod appeal;
mod appeals;
mod badge;
mod complete_state;
mod composer;
mod desk;
mod emotes_state;
mod engine;
mod log;
mod log_state;
#[cfg(test)]
mod log_state_tests;
mod moderation;
mod outbox_state;
mod panel;
mod picker;
mod poll;
mod raid;
mod row;
mod rules;
mod settings;
mod sheet;
mod snapshot;
mod text_state;

pub use moderation::Moderation;
pub use panel::{ChatPanel, Place};
