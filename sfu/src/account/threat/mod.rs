//! What looks like an attack: tries that fail in bulk, many accounts at once, and sign-ins from elsewhere. It is on the record, and
//! those are told whom it concerns.

pub mod rules;
pub mod service;
mod store;
