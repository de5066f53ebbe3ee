//! A broadcast's life, its tracks and renditions, fan-out, keyframe cache and requests.

pub mod live;
pub mod log;
pub mod store;
