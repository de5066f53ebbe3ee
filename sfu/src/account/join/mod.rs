//! How people come to have an account: openly, by an invite, or not at all.

pub mod routes;
pub mod rules;
pub mod service;
pub mod store;
