//! Every channel there is, for those who run the instance: what they see of it, and that they suspend one.

pub mod routes;
pub mod ruling;
mod service;
mod store;
