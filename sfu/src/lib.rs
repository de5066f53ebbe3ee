//! Weir's server. Folders are what the product does; `app` and `media` put them together.

pub mod account;
pub mod actor;
pub mod analytics;
pub mod app;
pub mod audience;
pub mod broadcast;
pub mod channel;
pub mod chat;
pub mod cli;
pub mod config;
pub mod event;
pub mod fresh;
pub mod http;
pub mod limit;
pub mod page;
pub mod permission;
pub mod portrait;
pub mod publish;
pub mod routes;
pub mod rtc;
pub mod secret;
pub mod social;
pub mod store;
pub mod telemetry;
pub mod transcode;
pub mod watch;
