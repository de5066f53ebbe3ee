//! Deleting channels.

pub mod routes;
mod service;
mod store;
