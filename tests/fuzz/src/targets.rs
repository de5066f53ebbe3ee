//! One file a target.

pub mod answer;
pub mod capture;
pub mod chat;
pub mod demux;
pub mod depacketize;
pub mod events;
pub mod feedback;
pub mod hub;
pub mod payload;
pub mod rewrite;
pub mod sdp;
pub mod session;
pub mod wire;
