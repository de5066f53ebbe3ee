//! Everything that passes between Weir's server and its frontend, and nothing else.
//!
//! One crate, compiled natively and to WebAssembly, so that a field that changes on one side
//! cannot be forgotten on the other. Types parse on construction: a value that exists is valid.
//! Public JSON is camelCase; times are RFC 3339 strings in UTC; ids are opaque text.

pub mod access;
pub mod account;
pub mod activity;
pub mod analytics;
pub mod appeal;
pub mod audit;
pub mod badge;
pub mod broadcast;
pub mod channel;
pub mod chat;
pub mod embed;
pub mod emote;
pub mod event;
pub mod id;
pub mod instance;
pub mod ladder;
pub mod live;
pub mod markdown;
pub mod moderation;
pub mod notification;
pub mod oidc;
#[cfg(feature = "openapi")]
mod openapi;
pub mod page;
pub mod passkey;
pub mod poll;
pub mod problem;
pub mod publish;
pub mod raid;
pub mod schedule;
pub mod social;
pub mod subscription;
pub mod text;
pub mod unit;
pub mod watch;
pub mod webhook;
