//! Who is on the instance, for those who run it.

pub mod routes;
pub mod service;
pub mod store;
