//! What a person says of themselves, their picture, and their password.

pub mod routes;
pub mod service;
pub mod store;
