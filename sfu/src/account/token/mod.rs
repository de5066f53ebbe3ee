//! API tokens: what programs prove themselves with.

pub mod routes;
pub mod rules;
pub mod service;
pub mod store;
