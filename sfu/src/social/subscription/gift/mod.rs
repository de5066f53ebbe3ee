//! The provider that is built in: nothing is sold, owners give subscriptions, by name or by gift codes.

pub mod service;
pub mod store;
