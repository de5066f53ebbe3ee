//! What Weir shows in a browser: the app with all its pages, and the player alone for other people's pages. Each is a
//! program of its own, so that whoever only watches loads nothing else.

mod account;
mod analytics;
mod api;
pub mod app;
mod browser;
mod channel;
mod chat;
pub mod embed;
mod publish;
mod route;
mod ui;
mod watch;
