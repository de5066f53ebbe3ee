//! Deleting accounts.

pub mod routes;
mod service;
mod store;
