//! The ladder: renditions in AV1 that the server makes of what a publisher sends, in a child process per broadcast.

pub mod admission;
pub mod backoff;
pub mod child;
pub mod confine;
pub mod cost;
pub mod demand;
pub mod depacketize;
pub mod frame;
pub mod ladder;
pub mod measure;
pub mod opus;
pub mod pace;
pub mod packetize;
pub mod pipeline;
pub mod process;
pub mod waiting;
pub mod wire;

#[cfg(test)]
mod tests;
