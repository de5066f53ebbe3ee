//! Chat: beside the player, in a window of its own, over a picture.

mod actions;
mod complete_state;
mod composer;
mod engine;
mod log;
mod log_state;
#[cfg(test)]
mod log_state_tests;
mod outbox_state;
mod panel;
mod picker;
mod row;
mod settings;
mod sheet;
mod snapshot;
mod text_state;

pub use panel::{ChatPanel, Place};
