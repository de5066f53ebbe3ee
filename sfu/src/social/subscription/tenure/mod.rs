//! For how long somebody has subscribed to a channel in all, and the milestones on the way.

pub mod rules;
pub mod store;
