//! E-mail: addresses that people gave and confirmed, and what is sent there.
//!
//! A letter stays in the outbox until a mail server took it. One that was taken just before a crash goes once more under the
//! same Message-ID, by which mail programs keep it one.

pub mod routes;
pub mod rules;
pub mod service;
pub mod smtp;
pub mod store;
pub mod task;
