//! What the server says of itself: logs, metrics, health, panics.

pub mod health;
pub mod ladder;
pub mod log;
pub mod metrics;
pub mod panic;
