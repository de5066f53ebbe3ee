//! A broadcast's life, its tracks and renditions, fan-out, keyframe cache and requests.

pub mod cache;
mod channel;
pub mod hub;
pub mod life;
pub mod live;
pub mod log;
pub mod meter;
pub mod packet;
pub mod payload;
pub mod registry;
pub mod store;
pub mod views;
