//! What the server says of itself: logs, metrics, health.

pub mod health;
pub mod log;
pub mod metrics;
