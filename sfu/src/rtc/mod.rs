//! WebRTC over UDP: sockets, shards, peers, SDP. Knows packets and peers, and nothing of broadcasts or channels.

pub mod demux;
pub mod dtls;
pub mod latency;
pub mod peer;
pub mod plane;
pub mod sdp;
pub mod segment;
pub mod session;
pub mod shard;
pub mod socket;
pub mod timers;
