//! What leaves the server: browsers that are told by push, and the task that empties the outbox.
//!
//! A message stays in the outbox until its push service took it, so that a crash loses none. One that was taken just before a
//! crash goes once more; it has the same topic and tag, by which push service and browser keep it one.

pub mod routes;
pub mod service;
pub mod store;
pub mod task;
