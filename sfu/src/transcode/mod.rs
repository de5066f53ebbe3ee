//! The ladder: renditions in AV1 that the server makes of what a publisher sends, in a child process per broadcast.

pub mod decode;
pub mod demand;
pub mod depacketize;
pub mod frame;
pub mod ladder;
pub mod pace;
pub mod packetize;
pub mod picture;
pub mod pipeline;
pub mod rav1e;
pub mod scale;

#[cfg(test)]
mod tests;
