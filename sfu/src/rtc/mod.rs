//! WebRTC over UDP, and over TCP where there is none: sockets, shards, peers, SDP. Knows packets and peers, and nothing of broadcasts or channels.

pub mod demux;
pub mod dtls;
pub mod egress;
pub mod framing;
pub mod keyed;
pub mod latency;
pub mod path;
pub mod peer;
pub mod plane;
mod prefetch;
pub mod red;
pub mod sdp;
pub mod segment;
pub mod session;
pub mod shard;
pub mod socket;
pub mod tcp;
pub mod timers;
