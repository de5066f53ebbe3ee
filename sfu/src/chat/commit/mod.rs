//! What is written in a room, as one: the work, and how it gets to disk.

pub mod store;
pub mod work;
pub mod write;
