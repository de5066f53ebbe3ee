//! Whom a channel's owner made an editor or a VIP.

pub mod routes;
pub mod service;
pub mod store;
